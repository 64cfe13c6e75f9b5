"""The JSON of the protocol's requests and answers, and the bytes that may follow it.

Open Inference Protocol (V2), "Inference", and its binary tensor data extension.
"""

from http import HTTPStatus

import msgspec

from fleetloop_agent.errors import InputError
from fleetloop_agent.serving.http11 import Head, HttpError

HEADER_LENGTH = b"inference-header-content-length"

Parameters = dict[str, str | int | float | bool | None]


class InputTensor(msgspec.Struct, frozen=True):
    """A tensor as it came.

    Attributes:
        name: Which input it is.
        shape: Its shape.
        datatype: What its values are.
        parameters: `binary_data_size` where its values follow the JSON.
        data: Its values as JSON, in rows or flat; empty where they follow it.
    """

    name: str
    shape: list[int]
    datatype: str
    parameters: Parameters | None = None
    data: msgspec.Raw = msgspec.Raw(b"")


class WantedOutput(msgspec.Struct, frozen=True):
    """An output that is asked for.

    Attributes:
        name: Which one.
        parameters: `binary_data`: whether its values are to follow the JSON.
    """

    name: str
    parameters: Parameters | None = None


class Asked(msgspec.Struct, frozen=True):
    """A request for answers.

    Attributes:
        inputs: The rows.
        id: Given back.
        parameters: `binary_data_output`: whether all outputs are to follow the JSON; `key`: whose
            rows these are.
        outputs: Those that are wanted; all if none is named.
    """

    inputs: list[InputTensor]
    id: str | None = None
    parameters: Parameters | None = None
    outputs: list[WantedOutput] | None = None


class OutputTensor(msgspec.Struct, frozen=True, omit_defaults=True):
    """A tensor of the answer.

    Attributes:
        name: Which output it is.
        datatype: What its values are.
        shape: Its shape.
        parameters: `binary_data_size` where its values follow the JSON.
        data: Its values, flat, where they do not.
    """

    name: str
    datatype: str
    shape: list[int]
    parameters: Parameters | None = None
    data: list[float] | list[int] | list[str] | None = None


class Answers(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer to a request.

    Attributes:
        model_name: The model that answered.
        model_version: Its version.
        parameters: SHA-256 of the artifact, and the first and the last prediction id; those between
            are counted up.
        outputs: Its tensors.
        id: As it was given.
    """

    model_name: str
    model_version: str
    parameters: Parameters
    outputs: list[OutputTensor]
    id: str | None = None


_asked = msgspec.json.Decoder(Asked)
_NOT_OFFERED = ("sequence_id", "sequence_start", "sequence_end")


def read(head: Head, body: bytes) -> tuple[Asked, list[memoryview | None]]:
    """A request, and for each of its inputs the bytes of its values where they follow the JSON.

    Raises:
        HttpError: The two parts do not fit together.
        InputError: The JSON is no request.
    """
    length = _json_bytes(head, body)
    try:
        asked = _asked.decode(memoryview(body)[:length])
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise InputError(
            f"the request's JSON cannot be read: {error}; NaN is null in JSON, or binary data"
        ) from error
    for name in _NOT_OFFERED:
        if (asked.parameters or {}).get(name):
            raise InputError(f"{name} is not offered: every row is answered by itself")
    return asked, _parts(asked.inputs, memoryview(body)[length:])


def key_of(asked: Asked) -> str | None:
    """Whose rows these are, None where nobody says.

    Raises:
        InputError: The key is no text.
    """
    key = (asked.parameters or {}).get("key")
    if key is not None and not isinstance(key, str):
        raise InputError("the parameter key must be a text")
    return key


def _json_bytes(head: Head, body: bytes) -> int:
    told = head.headers.get(HEADER_LENGTH)
    if told is None:
        return len(body)
    if not told.isdigit() or len(told) > len(str(len(body))) or int(told) > len(body):
        raise HttpError(
            HTTPStatus.BAD_REQUEST,
            f"Inference-Header-Content-Length must be a number up to the body's {len(body)} bytes",
        )
    return int(told)


def _parts(inputs: list[InputTensor], rest: memoryview) -> list[memoryview | None]:
    parts: list[memoryview | None] = []
    at = 0
    for tensor in inputs:
        size = (tensor.parameters or {}).get("binary_data_size")
        if size is None:
            parts.append(None)
            continue
        if type(size) is not int or not 0 <= size <= len(rest) - at:
            raise InputError(
                f"input {tensor.name[:80]!r}: binary_data_size is {str(size)[:20]}, and "
                f"{len(rest) - at} bytes are left after the JSON"
            )
        parts.append(rest[at : at + size])
        at += size
    if at != len(rest):
        raise InputError(
            f"{len(rest) - at} bytes follow the JSON that no input's binary_data_size names"
        )
    return parts
