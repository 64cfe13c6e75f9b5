"""Makes smaller forms of any dense or convolutional ONNX graph, among which measuring picks.

Weights have 7 bits where they meet int8 of what flows: a processor without VNNI adds two products
of 8 bits in 16, which overflow, and would answer otherwise than the hub has measured.

What is not offered, as it has been measured to do harm: dynamic int8 of convolutions (three times
slower), and static int8 of everything (a Concat of raw columns gets one scale for all of them).
"""

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import (
    AttributeProto,
    ModelProto,
    NodeProto,
    TensorProto,
    helper,
    numpy_helper,
    version_converter,
)
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_dynamic,
    quantize_static,
)

from fleetloop_hub.packaging.weights import to_int8

Rows = npt.NDArray[np.float32]

WEIGHTS = "int8 weights"
STATIC = "static int8"
DYNAMIC = "dynamic int8"
HALVES = "float16 weights"

_PRODUCTS = ("MatMul", "Gemm")
_BESIDE_CONVOLUTIONS = ("Relu", "Clip", "MaxPool")
"""They leave the scale as it is; convolutions on both sides can then stay in int8."""

_WEIGHTED = (*_PRODUCTS, "Conv", "ConvTranspose")
_OPSET = 21
_WORTH_ELEMENTS = 64
_PREPARED = {"onnx.quant.pre_process": "onnxruntime.quant"}
"""Says that nothing is left to be simplified, so that ONNX Runtime does not tell the root log."""

_CANNOT = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    RuntimeError,  # also ONNX Runtime's NotImplementedError
    OSError,
    onnx.checker.ValidationError,
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.NotImplemented,
)


def quantized_variants(data: bytes, calibration_rows: Rows) -> Iterator[tuple[str, bytes]]:
    """Each recipe's name and file, as far as the graph has something that the recipe makes smaller.

    Of files about as large as each other the earlier one is to be preferred: static int8 makes
    convolutions quicker; weights alone change answers least; in dynamic int8 a row's answer depends
    a little on the rows beside it, as they share a scale.

    Args:
        data: A float32 graph with one input.
        calibration_rows: Real rows, from which static int8 learns how large numbers become.
    """
    model = onnx.load_from_string(data)
    operators = {node.op_type for node in model.graph.node}
    recipes: dict[str, Callable[[], bytes]] = {
        STATIC: lambda: _static(model, calibration_rows, operators),
        WEIGHTS: lambda: _with_weights(model, halves=False),
        DYNAMIC: lambda: _dynamic(model, operators),
        HALVES: lambda: _with_weights(model, halves=True),
    }
    if "Conv" not in operators:
        recipes[STATIC] = recipes.pop(STATIC)
    for recipe, make in recipes.items():
        with contextlib.suppress(*_CANNOT):
            made = make()
            if len(made) < len(data):
                yield recipe, made


class _Rows(CalibrationDataReader):  # type: ignore[misc]  # ONNX Runtime ships no types
    """Gives the calibration rows to ONNX Runtime in one batch."""

    def __init__(self, name: str, rows: Rows) -> None:
        """Name the input, and the rows for it."""
        self._batches = iter([{name: rows}])

    def get_next(self) -> dict[str, Rows] | None:
        return next(self._batches, None)


def _static(model: ModelProto, rows: Rows, operators: set[str]) -> bytes:
    chosen = sorted(operators & {*_PRODUCTS, "Conv"})
    if "Conv" in chosen:
        chosen += sorted(operators & set(_BESIDE_CONVOLUTIONS))
    if not chosen or not len(rows):
        return _bytes(model)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "static.onnx"
        quantize_static(
            _modern(model),
            target,
            _Rows(model.graph.input[0].name, rows),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=chosen,
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        return _tidy(target)


def _dynamic(model: ModelProto, operators: set[str]) -> bytes:
    if not operators & set(_PRODUCTS):
        return _bytes(model)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "dynamic.onnx"
        quantize_dynamic(
            _modern(model),
            target,
            op_types_to_quantize=list(_PRODUCTS),
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
        )
        return _tidy(target)


def _modern(model: ModelProto) -> ModelProto:
    """The same graph for the opset that the quantizer is at home in; it may change its argument."""
    versions = {opset.domain: opset.version for opset in model.opset_import}
    copy = ModelProto()
    copy.CopyFrom(model)
    if 0 < versions.get("", 0) < _OPSET and set(versions) <= {""}:
        copy = version_converter.convert_version(copy, _OPSET)
    helper.set_model_props(copy, _PREPARED)
    return copy


def _tidy(path: Path) -> bytes:
    """Without what only tools read; equal graphs give equal bytes."""
    model = onnx.load(path)
    del model.graph.value_info[:]
    del model.metadata_props[:]
    _shorten(model)
    return _bytes(model)


def _shorten(model: ModelProto) -> None:
    """Short names for all that is neither input nor output."""
    graph = model.graph
    if any(
        a.type in {AttributeProto.GRAPH, AttributeProto.GRAPHS}
        for n in graph.node
        for a in n.attribute
    ):
        return  # a branch or loop may use names of what is around it
    fixed = {value.name for value in (*graph.input, *graph.output)}
    names: dict[str, str] = {"": ""}

    def short(name: str) -> str:
        return name if name in fixed else names.setdefault(name, f"q{len(names)}")

    for tensor in graph.initializer:
        tensor.name = short(tensor.name)
    for node in graph.node:
        node.name = node.doc_string = ""
        node.input[:] = [short(name) for name in node.input]
        node.output[:] = [short(name) for name in node.output]


def _bytes(model: ModelProto) -> bytes:
    written: bytes = model.SerializeToString(deterministic=True)
    return written


def _with_weights(model: ModelProto, *, halves: bool) -> bytes:
    """Weights as float16, or as int8 with a scale for each output; made float32 at load."""
    copy = ModelProto()
    copy.CopyFrom(model)
    graph = copy.graph
    kept = {tensor.name: tensor for tensor in graph.initializer}
    added: list[NodeProto] = []
    for name, axis in _weights(model).items():
        tensor = kept[name]
        values = numpy_helper.to_array(tensor)
        graph.initializer.remove(tensor)
        small, nodes = _halved(name, values) if halves else _stepped(name, values, axis)
        graph.initializer.extend(small)
        added += nodes
    old = list(graph.node)
    del graph.node[:]
    graph.node.extend([*added, *old])
    return _bytes(copy)


def _weights(model: ModelProto) -> dict[str, int]:
    """Initializers that are only weights, and their axis of outputs."""
    floats = {
        tensor.name
        for tensor in model.graph.initializer
        if tensor.data_type == TensorProto.FLOAT and np.prod(tensor.dims) >= _WORTH_ELEMENTS
    }
    axes: dict[str, int] = {}
    for node in model.graph.node:
        for place, name in enumerate(node.input):
            if name not in floats:
                continue
            if place == 1 and node.op_type in _WEIGHTED:
                axes.setdefault(name, _axis(node))
            else:
                floats.discard(name)
                axes.pop(name, None)
    return axes


def _axis(node: NodeProto) -> int:
    if node.op_type == "Conv":
        return 0
    if node.op_type == "Gemm":
        turned = any(a.name == "transB" and a.i for a in node.attribute)
        return 0 if turned else 1
    return 1 if node.op_type == "ConvTranspose" else -1


_Small = tuple[list[TensorProto], list[NodeProto]]


def _halved(name: str, values: np.ndarray) -> _Small:
    with np.errstate(over="ignore"):
        half = numpy_helper.from_array(values.astype(np.float16), f"{name}_half")
    return [half], [helper.make_node("Cast", [half.name], [name], to=TensorProto.FLOAT)]


def _stepped(name: str, values: np.ndarray, axis: int) -> _Small:
    outputs = np.moveaxis(values, axis, -1)
    scale, steps = to_int8(outputs.reshape(-1, outputs.shape[-1]))
    whole = np.moveaxis(steps.reshape(outputs.shape), -1, axis)
    shape = [1] * values.ndim
    shape[axis] = -1
    kept = [
        numpy_helper.from_array(np.ascontiguousarray(whole), f"{name}_steps"),
        numpy_helper.from_array(scale.reshape(shape), f"{name}_scale"),
    ]
    floats = f"{name}_floats"
    return kept, [
        helper.make_node("Cast", [kept[0].name], [floats], to=TensorProto.FLOAT),
        helper.make_node("Mul", [floats, kept[1].name], [name]),
    ]
