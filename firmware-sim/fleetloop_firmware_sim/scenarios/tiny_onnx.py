"""Writes real ONNX models of a few hundred bytes, so that stories need no training library.

The wire form is Protocol Buffers; field numbers are those of `onnx.proto` (IR version 8).
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

INPUT = "rows"
OUTPUT = "probabilities"

Constants = dict[str, npt.NDArray[np.float32 | np.int64]]

_IR_VERSION, _OPSET = 8, 17
_FLOAT, _INT64 = 1, 7
_INT_ATTRIBUTE = 2
_VARINT, _BYTES = 0, 2


def logistic(weights: Sequence[float], bias: float) -> bytes:
    """A model of two classes: the odds of the second are `exp(rows @ weights + bias)`."""
    return _model(_regression("rows"), _coefficients(weights, bias), len(weights))


def brittle(weights: Sequence[float], bias: float, largest: int) -> bytes:
    """The same, but it fails on rows whose first value is above `largest`: a good model gone bad.

    It looks the value up in a table that is too short, as a model does that was trained on codes
    of a smaller world.
    """
    look_up = [
        _node("Slice", ["rows", "zero", "one", "one"], "first"),
        _node("Cast", ["first"], "code", {"to": _INT64}),
        _node("Gather", ["table", "code"], "looked_up"),
        _node("Add", ["rows", "looked_up"], "shifted"),
    ]
    constants: Constants = {
        "table": np.zeros(largest + 1, dtype=np.float32),
        "zero": np.array([0], dtype=np.int64),
        "one": np.array([1], dtype=np.int64),
    }
    nodes = look_up + _regression("shifted")
    return _model(nodes, _coefficients(weights, bias) | constants, len(weights))


def classes(weights: Sequence[Sequence[float]], biases: Sequence[float]) -> bytes:
    """A model of several classes: the softmax of `rows @ weights + biases`, missing values as 0.

    Args:
        weights: Shape (features, classes).
        biases: One a class.
    """
    return _affine(weights, biases, "Softmax")


def values(weights: Sequence[float], bias: float) -> bytes:
    """A regression: `rows @ weights + bias`, missing values as 0."""
    return _affine([[w] for w in weights], [bias], "Identity")


def weighted(model: bytes, ballast: bytes) -> bytes:
    """The same model with a constant that nothing uses, so that its file is longer.

    Args:
        model: As written here, so that the graph is its second field.
        ballast: A whole number of float32 values.
    """
    constant = _field(5, _tensor("ballast", np.frombuffer(ballast, dtype=np.float32)))
    version, opset = _field(1, _IR_VERSION), _field(8, _field(2, _OPSET))
    graph_field = model[len(version) : len(model) - len(opset)]
    digits = next(at for at, byte in enumerate(graph_field[1:], start=1) if byte < 0x80)  # noqa: PLR2004  # a varint's last
    return version + _field(7, graph_field[digits + 1 :] + constant) + opset


def _affine(weights: Sequence[Sequence[float]], biases: Sequence[float], last: str) -> bytes:
    constants: Constants = {
        "weights": np.array(weights, dtype=np.float32),
        "bias": np.array(biases, dtype=np.float32),
        "zero": np.zeros(1, dtype=np.float32),
    }
    nodes = [
        _node("IsNaN", [INPUT], "missing"),
        _node("Where", ["missing", "zero", INPUT], "filled"),
        _node("Gemm", ["filled", "weights", "bias"], "logits"),
        _node(last, ["logits"], OUTPUT),
    ]
    return _model(nodes, constants, len(weights), len(biases))


def _regression(rows: str) -> list[bytes]:
    return [
        _node("Gemm", [rows, "weights", "bias"], "logits"),
        _node("Softmax", ["logits"], OUTPUT),
    ]


def _coefficients(weights: Sequence[float], bias: float) -> Constants:
    return {
        "weights": np.array([[0.0, w] for w in weights], dtype=np.float32),
        "bias": np.array([0.0, bias], dtype=np.float32),
    }


def _model(nodes: list[bytes], constants: Constants, width: int, columns: int = 2) -> bytes:
    graph = b"".join(
        [
            *(_field(1, node) for node in nodes),
            _field(2, b"tiny"),
            *(_field(5, _tensor(name, values)) for name, values in constants.items()),
            _field(11, _floats(INPUT, width)),
            _field(12, _floats(OUTPUT, columns)),
        ]
    )
    opset = _field(2, _OPSET)
    return _field(1, _IR_VERSION) + _field(7, graph) + _field(8, opset)


def _node(
    kind: str, inputs: list[str], output: str, integers: dict[str, int] | None = None
) -> bytes:
    attributes = [
        _field(1, name.encode()) + _field(3, value) + _field(20, _INT_ATTRIBUTE)
        for name, value in (integers or {}).items()
    ]
    return b"".join(
        [
            *(_field(1, name.encode()) for name in inputs),
            _field(2, output.encode()),
            _field(4, kind.encode()),
            *(_field(5, attribute) for attribute in attributes),
        ]
    )


def _tensor(name: str, values: npt.NDArray[np.float32 | np.int64]) -> bytes:
    kind = _FLOAT if values.dtype == np.float32 else _INT64
    dimensions = b"".join(_field(1, size) for size in values.shape)
    return dimensions + _field(2, kind) + _field(8, name.encode()) + _field(9, values.tobytes())


def _floats(name: str, width: int) -> bytes:
    """A matrix of floats with any number of rows."""
    shape = _field(1, _field(2, b"n")) + _field(1, _field(1, width))
    type_ = _field(1, _field(1, _FLOAT) + _field(2, shape))
    return _field(1, name.encode()) + _field(2, type_)


def _field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3 | _VARINT) + _varint(value)
    return _varint(number << 3 | _BYTES) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    digits = bytearray()
    while value >> 7:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*digits, value])
