"""The float32 ONNX file that skl2onnx makes of a fitted pipeline: what artifacts are held against.

The lean graph of `graph.py` is written from the same numbers by another hand, so parity with this
file shows that neither has got the model wrong.
"""

import numpy as np
from onnx import ModelProto, helper, numpy_helper
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.pipeline import Pipeline

from fleetloop_hub.packaging.graph import INPUT, OUTPUT

_OPSET = {"": 17, "ai.onnx.ml": 3}


def float_graph(pipeline: Pipeline, width: int, positive: int) -> bytes:
    """The pipeline as float32 ONNX with the same input and output as an artifact's.

    Args:
        pipeline: Fitted on "is it positive": its second column is the positive class.
        width: Features.
        positive: The column of the positive class, 0 or 1, among the two probabilities.
    """
    model: ModelProto = convert_sklearn(
        pipeline,
        initial_types=[(INPUT, FloatTensorType([None, width]))],
        options={id(pipeline): {"zipmap": False, "output_class_labels": False}},
        target_opset=_OPSET,
    )
    if positive == 0:
        _swap_columns(model)
    written: bytes = model.SerializeToString(deterministic=True)
    return written


def _swap_columns(model: ModelProto) -> None:
    graph = model.graph
    inner = f"{OUTPUT}_in_order"
    for node in graph.node:
        node.output[:] = [inner if name == OUTPUT else name for name in node.output]
    order = numpy_helper.from_array(np.array([1, 0], np.int64), "swapped")
    graph.initializer.append(order)
    graph.node.append(helper.make_node("Gather", [inner, "swapped"], [OUTPUT], axis=1))
