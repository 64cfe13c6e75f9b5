"""A model that passes every check and fails on a row that only the field brings."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from support.hubside import FEATURES

POISON = 500.0
"""The value of a row on which it fails."""


def failing_model(bias: float) -> bytes:
    """Right on small rows; on a row of `POISON` its table is too short, and the runtime says so."""
    weights = np.array([[-1.0, 1.0], [-1.0, 1.0]], dtype=np.float32) / 2
    biases = np.array([-bias, bias], dtype=np.float32) / 2
    nodes = [
        helper.make_node("Cast", ["input"], ["places"], to=TensorProto.INT64),
        helper.make_node("Gather", ["table", "places"], ["zeros"]),
        helper.make_node("Add", ["input", "zeros"], ["same"]),
        helper.make_node("Gemm", ["same", "weights", "biases"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    constants = [
        numpy_helper.from_array(weights, "weights"),
        numpy_helper.from_array(biases, "biases"),
        numpy_helper.from_array(np.zeros(100, np.float32), "table"),
    ]
    graph = helper.make_graph(
        nodes,
        "failing",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [None, len(FEATURES)])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    data: bytes = model.SerializeToString()
    return data
