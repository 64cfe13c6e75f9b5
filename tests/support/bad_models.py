"""ONNX files that nobody should load: each one an attack on whoever does."""

from collections.abc import Sequence

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

from support.hubside import FEATURES, tiny_model

Weights = dict[str, np.ndarray]


def _model(
    nodes: Sequence[NodeProto],
    weights: Weights | None = None,
    domains: Sequence[str] = (),
) -> ModelProto:
    """A model with the inputs and outputs that the test's manifest names."""
    graph = helper.make_graph(
        list(nodes),
        "bad",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [None, len(FEATURES)])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2])],
        [numpy_helper.from_array(array, name) for name, array in (weights or {}).items()],
    )
    opsets = [helper.make_opsetid("", 17), *(helper.make_opsetid(d, 1) for d in domains)]
    made: ModelProto = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    return made


def _bytes(made: ModelProto) -> bytes:
    data: bytes = made.SerializeToString()
    return data


def weights_in_another_file(location: str, *, in_a_node: bool = False) -> bytes:
    """Weights that the runtime is to read from a file of the device."""
    tensor = numpy_helper.from_array(np.eye(2, dtype=np.float32), "weights")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    multiply = helper.make_node("MatMul", ["input", "weights"], ["probabilities"])
    if in_a_node:
        return _bytes(
            _model([helper.make_node("Constant", [], ["weights"], value=tensor), multiply])
        )
    made = _model([multiply])
    made.graph.initializer.append(tensor)
    return _bytes(made)


def operator(domain: str, kind: str) -> bytes:
    """A node whose code is not the runtime's."""
    node = helper.make_node(kind, ["input"], ["probabilities"], domain=domain)
    return _bytes(_model([node], domains=[domain] if domain else []))


def endless_loop() -> bytes:
    """A loop of 10^12 turns."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["on"]),
            helper.make_node("Add", ["sum", "input"], ["more"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("sum", TensorProto.FLOAT, [None, 2]),
        ],
        [
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("more", TensorProto.FLOAT, [None, 2]),
        ],
    )
    loop = helper.make_node("Loop", ["turns", "go", "input"], ["probabilities"], body=body)
    return _bytes(_model([loop], {"turns": np.array(10**12), "go": np.array(True)}))  # noqa: FBT003  # ONNX's bool


def minutes() -> bytes:
    """A few hundred bytes that multiply matrices of 3,000 rows and columns, again and again."""
    size = np.array([3_000, 3_000], np.int64)
    nodes = [
        helper.make_node("ReduceSum", ["input"], ["total"], keepdims=0),
        helper.make_node("Expand", ["total", "size"], ["m0"]),
        *(helper.make_node("MatMul", [f"m{n}", f"m{n}"], [f"m{n + 1}"]) for n in range(1_000)),
        helper.make_node("ReduceSum", ["m1000"], ["sum"], keepdims=0),
        helper.make_node("Mul", ["input", "sum"], ["probabilities"]),
    ]
    return _bytes(_model(nodes, {"size": size}))


def gigabytes(count: int = 3 * 10**9) -> bytes:
    """A few hundred bytes that ask for 12 GB."""
    nodes = [
        helper.make_node("Expand", ["one", "size"], ["huge"]),
        helper.make_node("ReduceSum", ["huge"], ["sum"], keepdims=0),
        helper.make_node("Mul", ["input", "sum"], ["probabilities"]),
    ]
    weights: Weights = {"one": np.ones(1, np.float32), "size": np.array([count], np.int64)}
    return _bytes(_model(nodes, weights))


def huge_reshape() -> bytes:
    """A reshape to a form of 10^18 values."""
    nodes = [helper.make_node("Reshape", ["input", "form"], ["probabilities"])]
    return _bytes(_model(nodes, {"form": np.array([10**9, 10**9], np.int64)}))


def tensor_that_lies() -> bytes:
    """Weights that say they are 4 TB, of which nothing is there."""
    made = _model([helper.make_node("MatMul", ["input", "weights"], ["probabilities"])])
    tensor = made.graph.initializer.add()
    tensor.name, tensor.data_type = "weights", TensorProto.FLOAT
    tensor.dims.extend([2, 5 * 10**11])
    tensor.raw_data = b"\0" * 16
    return _bytes(made)


def cycle() -> bytes:
    """Two nodes that wait for each other."""
    nodes = [
        helper.make_node("Add", ["input", "b"], ["a"]),
        helper.make_node("Identity", ["a"], ["b"]),
        helper.make_node("Identity", ["b"], ["probabilities"]),
    ]
    return _bytes(_model(nodes))


def branches(depth: int) -> bytes:
    """Branches within branches, deeper than a stack."""
    out = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2])
    inner = helper.make_graph(
        [helper.make_node("Identity", ["input"], ["probabilities"])], "g", [], [out]
    )
    data: bytes = inner.SerializeToString()
    for _ in range(depth):
        # By hand: onnx's own library copies each level, and refuses some hundreds of them.
        attribute = _field(1, b"then_branch") + _field(6, data) + b"\xa0\x01\x05"
        data = _field(1, _field(4, b"If") + _field(5, attribute))
    return b"\x08\x09" + _field(7, data) + _field(8, b"\x0a\x00\x10\x11")


def bomb(length_bytes: int) -> bytes:
    """The tiny model with a table of zeros in its way, which nearly vanishes on the journey."""
    made = ModelProto()
    made.ParseFromString(tiny_model(1.0))
    graph: GraphProto = made.graph
    graph.node[-1].output[0] = "tiny"
    graph.node.extend(
        [
            helper.make_node("Cast", ["input"], ["places"], to=TensorProto.INT64),
            helper.make_node("Gather", ["zeros", "places"], ["nothing"]),
            helper.make_node("Add", ["tiny", "nothing"], ["probabilities"]),
        ]
    )
    zeros = np.zeros(length_bytes // 4, np.float32)
    graph.initializer.append(numpy_helper.from_array(zeros, "zeros"))
    return _bytes(made)


def _field(number: int, value: bytes) -> bytes:
    """A length-delimited protobuf field."""
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    parts = []
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])
