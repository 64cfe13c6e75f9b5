"""The float32 file with skl2onnx's graph of the estimator: what artifacts are held against.

The lean graphs are written from the same numbers by another hand, so parity with this file shows
that neither has got the model wrong. What comes before and after the estimator is the same in both.
"""

from onnx import ModelProto
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType

from fleetloop_hub.packaging.files import output_columns
from fleetloop_hub.packaging.fitted import Fitted
from fleetloop_hub.packaging.graph import GraphBuilder
from fleetloop_hub.packaging.head import Head
from fleetloop_hub.packaging.head_graph import write_head
from fleetloop_hub.packaging.preparation_graph import write_preparation

_OPSET = {"": 17, "ai.onnx.ml": 3}


def float_graph(fitted: Fitted, head: Head) -> bytes:
    """The candidate as float32 ONNX with the same input and output as an artifact's."""
    graph, width = GraphBuilder(), fitted.preparation.width
    x = write_preparation(graph, fitted.preparation)
    estimator = fitted.estimator
    model: ModelProto = convert_sklearn(
        estimator,
        initial_types=[("prepared", FloatTensorType([None, width]))],
        options=(
            None
            if fitted.task == "regression"
            else {id(estimator): {"zipmap": False, "output_class_labels": False}}
        ),
        target_opset=_OPSET,
    )
    raw = graph.embed(model, x)[-1]
    outputs = output_columns(fitted)
    if outputs == 2:  # noqa: PLR2004  # yes and no
        raw = graph.column(raw, 1)
    write_head(graph, head, raw, outputs)
    return graph.finish(len(fitted.preparation.fill), outputs)
