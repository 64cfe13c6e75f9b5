"""A model that passes every check and takes as much time and memory as a row tells it to."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from support.hubside import FEATURES

SLOW = 2e7
"""A row of this value takes many seconds."""

HUNGRY = 1e15
"""A row of this value wants more memory than there is."""

_STEPS = 300


def greedy_model() -> bytes:
    """Logistic in the sum of its features; on the way, works through as many numbers as that is."""
    nodes = [
        helper.make_node("ReduceMax", ["input", "axes"], ["most"], keepdims=0),
        helper.make_node("Cast", ["most"], ["many"], to=TensorProto.INT64),
        helper.make_node("Max", ["many", "one"], ["size"]),
        helper.make_node("ConstantOfShape", ["size"], ["s0"]),
        *(helper.make_node("Sin", [f"s{k}"], [f"s{k + 1}"]) for k in range(_STEPS)),
        helper.make_node("ReduceSum", [f"s{_STEPS}"], ["zero"], keepdims=0),
        helper.make_node("Gemm", ["input", "weights"], ["products"]),
        helper.make_node("Add", ["products", "zero"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    weights = np.array([[-0.5, 0.5]] * len(FEATURES), np.float32)
    graph = helper.make_graph(
        nodes,
        "greedy",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [None, len(FEATURES)])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2])],
        [
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(np.array([1], np.int64), "axes"),
            numpy_helper.from_array(np.array([1], np.int64), "one"),
        ],
    )
    opsets = [helper.make_opsetid("", 18)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    onnx.checker.check_model(model)
    data: bytes = model.SerializeToString()
    return data
