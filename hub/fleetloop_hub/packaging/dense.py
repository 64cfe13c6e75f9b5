"""Linear models and dense networks as graphs: matrices with a ReLU between them."""

from enum import StrEnum
from typing import Any

import numpy as np
from onnx import TensorProto

from fleetloop_hub.packaging.fitted import Fitted
from fleetloop_hub.packaging.graph import GraphBuilder

_LARGEST_INT8 = 127

Layers = list[tuple[np.ndarray, np.ndarray]]


class Recipe(StrEnum):
    """How weights are kept in the file; the arithmetic is float32 in each of them.

    int8 has a scale for each output. ONNX Runtime makes float32 of the weights once, when it loads
    the file, so that no answer takes longer. (`DequantizeLinear` would be worked out anew for each
    answer: three times slower. Quantizing what flows between the layers as well makes the file no
    smaller, changes a tenth of the answers, and lets a row's answer depend on its batch.)
    """

    FLOAT32 = "float32"
    FLOAT16 = "float16 weights"
    INT8 = "int8 weights"


def layers_of(fitted: Fitted) -> Layers:
    """Weights (inputs, outputs) and bias of each layer, in float32."""
    model: Any = fitted.estimator
    if fitted.family == "mlp":
        pairs = zip(model.coefs_, model.intercepts_, strict=True)
    else:
        weights = np.atleast_2d(model.coef_).T
        pairs = zip([weights], [np.atleast_1d(model.intercept_)], strict=True)
    return [(np.array(w, np.float32), np.array(b, np.float32)) for w, b in pairs]


def write_dense(graph: GraphBuilder, fitted: Fitted, x: str, recipe: Recipe) -> str:
    """Append the layers and what makes probabilities of the last; return the name of the result.

    Of two classes that is the probability of the second, of several their softmax, of a regression
    the value.
    """
    for index, (weights, bias) in enumerate(layers_of(fitted)):
        x = graph.add("Relu", x) if index else x
        x = graph.add("Add", _product(graph, x, weights, recipe), graph.keep(bias))
    if fitted.task == "regression":
        return x
    if len(fitted.estimator.classes_) > 2:  # noqa: PLR2004  # more than yes and no
        return graph.add("Softmax", x, axis=1)
    return graph.add("Sigmoid", x)


def _product(graph: GraphBuilder, x: str, weights: np.ndarray, recipe: Recipe) -> str:
    match recipe:
        case Recipe.FLOAT32:
            return graph.add("MatMul", x, graph.keep(weights))
        case Recipe.FLOAT16:
            halves = graph.keep(weights.astype(np.float16))
            return graph.add("MatMul", x, graph.add("Cast", halves, to=TensorProto.FLOAT))
        case Recipe.INT8:
            scale, steps = _to_int8(weights)
            floats = graph.add("Cast", graph.keep(steps), to=TensorProto.FLOAT)
            return graph.add("MatMul", x, graph.add("Mul", floats, graph.keep(scale)))


def _to_int8(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scale of each output and the weights as whole steps of it."""
    smallest = np.finfo(np.float32).tiny
    scale = np.maximum(np.abs(weights).max(axis=0) / _LARGEST_INT8, smallest)
    return scale.astype(np.float32), np.rint(weights / scale).astype(np.int8)
