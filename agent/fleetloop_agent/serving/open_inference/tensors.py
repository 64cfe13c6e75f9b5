"""Reads one tensor, JSON or bytes, into numbers or texts: exactly, or with a reason why not."""

import struct
from itertools import chain
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from fleetloop_agent.errors import InputError
from fleetloop_agent.serving.open_inference.wire import InputTensor

TEXTS = "BYTES"
LARGEST_WHOLE = 2**24
"""Whole numbers up to here are float32 exactly."""

_DATATYPES = {
    "BOOL": "?",
    "INT8": "<i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "UINT8": "<u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
}
_TYPES = {"?": bool, "i": int, "u": int, "f": float | None}
_FLAT = {kind: msgspec.json.Decoder(list[of]) for kind, of in _TYPES.items()}  # type: ignore[valid-type]  # the type is looked up
_IN_ROWS = {kind: msgspec.json.Decoder(list[list[of]]) for kind, of in _TYPES.items()}  # type: ignore[valid-type]  # as above
_FLAT["S"], _IN_ROWS["S"] = msgspec.json.Decoder(list[str]), msgspec.json.Decoder(list[list[str]])
_LENGTH = struct.Struct("<I")
_TWO = 2


def shape_of(tensor: InputTensor, max_rows: int) -> tuple[int, int]:
    """Rows and columns of a tensor; one column where its shape has one number.

    Raises:
        InputError: No such shape, or too many rows.
    """
    shape = tensor.shape
    if not 1 <= len(shape) <= _TWO or any(size < 1 for size in shape):
        raise InputError(
            f"{_named(tensor)} has the shape {shape[:8]}; give [rows, columns], one row at least"
        )
    if shape[0] > max_rows:
        raise InputError(f"{shape[0]:,} rows; send {max_rows:,} at most in one request")
    return shape[0], shape[1] if len(shape) == _TWO else 1


def numbers(
    tensor: InputTensor, part: memoryview | None, shape: tuple[int, int]
) -> npt.NDArray[Any]:
    """The values of a tensor of numbers, float32 where it is FP32 in bytes, else of a double.

    Args:
        tensor: The tensor.
        part: Its bytes, None if it came as JSON.
        shape: Rows and columns.

    Raises:
        InputError: They are not what the tensor says; or whole numbers that float32 would round.
    """
    form = _DATATYPES.get(tensor.datatype)
    if form is None:
        known = ", ".join(_DATATYPES)
        raise InputError(f"{_named(tensor)} is {tensor.datatype[:20]}; give FP32, or {known}")
    dtype = np.dtype(form)
    if part is None:
        values = _listed(tensor, dtype, shape)
    elif len(part) != shape[0] * shape[1] * dtype.itemsize:
        raise InputError(
            f"{_named(tensor)} has {len(part)} bytes; {tensor.datatype} of shape {tensor.shape} "
            f"has {shape[0] * shape[1] * dtype.itemsize}"
        )
    else:
        values = np.frombuffer(part, dtype)
    if dtype.kind in "iu" and dtype.itemsize > _TWO:
        rounded = (values > LARGEST_WHOLE) | (values < -LARGEST_WHOLE)
        if rounded.any():
            place = int(np.argmax(rounded))
            raise InputError(
                f"{_named(tensor)}: {values[place]} in row {place // shape[1]} is no float32; whole"
                f" numbers go up to {LARGEST_WHOLE:,}, send FP64 to have it rounded"
            )
    if values.dtype != np.float32:
        values = values.astype(np.float64)
    return values.reshape(shape)


def texts(tensor: InputTensor, part: memoryview | None, shape: tuple[int, int]) -> list[str]:
    """The values of a tensor of texts.

    Args:
        tensor: The tensor.
        part: Its bytes, a length of four bytes before each text; None if it came as JSON.
        shape: Rows and columns.

    Raises:
        InputError: They are not what the tensor says.
    """
    count = shape[0] * shape[1]
    if part is None:
        return _decoded(tensor, "S", shape)
    found: list[str] = []
    data, at = bytes(part), 0
    try:
        while at < len(data) and len(found) <= count:
            (length,) = _LENGTH.unpack_from(data, at)
            at += _LENGTH.size + length
            if at > len(data):
                raise InputError(f"{_named(tensor)} is cut off in text {len(found)}")
            found.append(data[at - length : at].decode())
    except (struct.error, UnicodeDecodeError) as error:
        raise InputError(f"{_named(tensor)}, text {len(found)}: {error}") from error
    if len(found) != count:
        raise _wrong_count(tensor, len(found))
    return found


def _listed(
    tensor: InputTensor, dtype: np.dtype[np.generic], shape: tuple[int, int]
) -> npt.NDArray[Any]:
    flat = _decoded(tensor, dtype.kind, shape)
    try:
        return np.array(flat, np.float64 if dtype.kind == "f" else dtype)
    except OverflowError as error:
        raise InputError(f"{_named(tensor)}: {error}") from error


def _decoded(tensor: InputTensor, kind: str, shape: tuple[int, int]) -> list[str]:
    """The values of a tensor in JSON, flat; they may stand in rows."""
    raw = bytes(tensor.data).lstrip(b" \t\r\n")
    if not raw:
        raise InputError(f"{_named(tensor)} has neither data nor binary_data_size")
    in_rows = raw[1:].lstrip(b" \t\r\n").startswith(b"[")
    try:
        if not in_rows:
            flat: list[str] = _FLAT[kind].decode(raw)
        else:
            rows: list[list[str]] = _IN_ROWS[kind].decode(raw)
            if {len(row) for row in rows} != {shape[1]}:
                raise InputError(f"{_named(tensor)}: not every row has {shape[1]} values")
            flat = list(chain.from_iterable(rows))
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise InputError(f"{_named(tensor)} is not {tensor.datatype}: {error}") from error
    if len(flat) != shape[0] * shape[1]:
        raise _wrong_count(tensor, len(flat))
    return flat


def _wrong_count(tensor: InputTensor, count: int) -> InputError:
    return InputError(f"{_named(tensor)} has {count} values; its shape is {tensor.shape}")


def _named(tensor: InputTensor) -> str:
    return f"input {tensor.name[:80]!r}"
