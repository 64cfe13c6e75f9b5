"""Answers as tensors: probabilities or values, score, label, name of the class, prediction id."""

import struct
from collections.abc import Sequence
from http import HTTPStatus

import msgspec
import numpy as np
import numpy.typing as npt

from fleetloop_agent.errors import InputError
from fleetloop_agent.serving.open_inference.wire import (
    Answers,
    Asked,
    OutputTensor,
    Parameters,
    WantedOutput,
)
from fleetloop_agent.serving.records import Answered
from fleetloop_agent.serving.responses import BYTES, JSON, Response
from fleetloop_shared.manifest import Signature

SCORE, LABEL, CLASS_NAME, PREDICTION_ID = "score", "label", "class_name", "prediction_id"
_LENGTH = struct.Struct("<I")
_encode = msgspec.json.Encoder().encode


class Outputs:
    """Writes the answers of one model."""

    def __init__(self, signature: Signature) -> None:
        """Take the outputs from a signature.

        Args:
            signature: Of the model that answers.
        """
        self._own, self._columns = signature.score_name, signature.columns
        offered = {SCORE: "FP32", PREDICTION_ID: "BYTES"}
        if signature.classes:
            offered[LABEL] = "INT64"
        if signature.class_names:
            offered[CLASS_NAME] = "BYTES"
        self.offered = {self._own: "FP32"} | {k: v for k, v in offered.items() if k != self._own}
        self._all = [WantedOutput(name) for name in self.offered]

    def shape(self, name: str, rows: int) -> list[int]:
        """The shape of an output."""
        return [rows, self._columns] if name == self._own else [rows]

    def wanted(self, asked: Asked) -> list[tuple[str, bool]]:
        """What a request asks for: names, and whether each is to follow the JSON as bytes.

        Raises:
            InputError: There is no such output, or not in that form.
        """
        binary = bool((asked.parameters or {}).get("binary_data_output", False))
        wanted = []
        for output in asked.outputs or self._all:
            if output.name not in self.offered:
                raise InputError(
                    f"there is no output {output.name[:80]!r}; there is {', '.join(self.offered)}"
                )
            parameters = output.parameters or {}
            if parameters.get("classification"):
                raise InputError("classification is not offered; ask for label and class_name")
            wanted.append((output.name, bool(parameters.get("binary_data", binary))))
        return wanted

    def response(
        self, answered: Answered, wanted: Sequence[tuple[str, bool]], asked: Asked
    ) -> Response:
        """The response with what is wanted."""
        rows, last = len(answered), answered.first + len(answered) - 1
        parameters: Parameters = {
            "artifact": answered.manifest.sha256,
            "first_prediction_id": f"{answered.prefix}{answered.first}",
            "last_prediction_id": f"{answered.prefix}{last}",
        }
        tensors, parts = [], []
        for name, binary in wanted:
            shape, datatype = self.shape(name, rows), self.offered[name]
            if binary:
                part = self._bytes(answered, name)
                parts.append(part)
                size: Parameters = {"binary_data_size": len(part)}
                tensors.append(OutputTensor(name, datatype, shape, size))
            else:
                data = self._values(answered, name)
                tensors.append(OutputTensor(name, datatype, shape, data=data))
        manifest = answered.manifest
        version = str(manifest.version)
        told = _encode(Answers(manifest.model, version, parameters, tensors, asked.id or None))
        if not parts:
            return Response(HTTPStatus.OK, told, (), JSON)
        length = f"Inference-Header-Content-Length: {len(told)}"
        return Response(HTTPStatus.OK, b"".join([told, *parts]), (length,), BYTES)

    def _values(self, answered: Answered, name: str) -> list[float] | list[int] | list[str]:
        if name == CLASS_NAME != self._own:
            said = answered.truths.said
            return [str(said(label)[1]) for label in answered.labels.tolist()]
        if name == PREDICTION_ID != self._own:
            first, prefix = answered.first, answered.prefix
            return [f"{prefix}{n}" for n in range(first, first + len(answered))]
        values: list[float] = self._array(answered, name).ravel().tolist()
        return values

    def _bytes(self, answered: Answered, name: str) -> bytes:
        if name == PREDICTION_ID != self._own:
            return _counted_up(answered.prefix, answered.first, len(answered))
        if self.offered[name] == "BYTES":
            coded = [str(text).encode() for text in self._values(answered, name)]
            return b"".join([_LENGTH.pack(len(text)) + text for text in coded])
        return self._array(answered, name).tobytes()

    def _array(self, answered: Answered, name: str) -> npt.NDArray[np.generic]:
        if name == self._own:
            return answered.outputs.astype("<f4", copy=False)
        if name == SCORE:
            return answered.scores.astype("<f4")
        return answered.labels.astype("<i8")


def _counted_up(prefix: str, first: int, count: int) -> bytes:
    r"""Prediction ids as texts with their lengths; many at once where they are equally long.

    >>> _counted_up("a.", 9, 2)
    b'\x03\x00\x00\x00a.9\x04\x00\x00\x00a.10'
    """
    parts, end = [], first + count
    while first < end:
        digits = len(str(first))
        stop = min(end, 10**digits)
        head = (_LENGTH.pack(len(prefix) + digits) + prefix.encode()).decode("latin-1")
        parts.append(head + head.join(map(str, range(first, stop))))
        first = stop
    return "".join(parts).encode("latin-1")
