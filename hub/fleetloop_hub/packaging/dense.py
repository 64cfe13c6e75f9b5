"""Linear models and dense networks as graphs: matrices with a ReLU between them."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from fleetloop_hub.errors import UnsupportedModelError
from fleetloop_hub.packaging.fitted import Fitted
from fleetloop_hub.packaging.forest import Floats
from fleetloop_hub.packaging.graph import GraphBuilder
from fleetloop_hub.packaging.weights import Kept, keep_weights

Layers = list[tuple[np.ndarray, np.ndarray]]

_BETWEEN = {"relu": "Relu", "tanh": "Tanh", "logistic": "Sigmoid"}


def dense_bodies(
    fitted: Fitted, learned: Floats | None
) -> Iterator[tuple[str, Callable[[GraphBuilder, str], str]]]:
    """Each recipe of a linear model or network, and what appends it to a graph.

    Raises:
        UnsupportedModelError: Between its layers is a function that is not known here.
    """
    if fitted.family == "mlp" and fitted.estimator.activation not in _BETWEEN:
        raise UnsupportedModelError(f"a network with {fitted.estimator.activation!r} units")
    for kept in reversed(Kept):
        yield kept.value, partial(_write, fitted, kept)


def layers_of(fitted: Fitted) -> Layers:
    """Weights (inputs, outputs) and bias of each layer, in float32."""
    model: Any = fitted.estimator
    if fitted.family == "mlp":
        pairs = zip(model.coefs_, model.intercepts_, strict=True)
    else:
        weights = np.atleast_2d(model.coef_).T
        pairs = zip([weights], [np.atleast_1d(model.intercept_)], strict=True)
    return [(np.array(w, np.float32), np.array(b, np.float32)) for w, b in pairs]


def _write(fitted: Fitted, kept: Kept, graph: GraphBuilder, x: str) -> str:
    for index, (weights, bias) in enumerate(layers_of(fitted)):
        if index:
            x = graph.add(_BETWEEN[fitted.estimator.activation], x)
        x = graph.add("Gemm", x, keep_weights(graph, weights, kept), graph.keep(bias))
    return finish(graph, fitted, x)


def finish(graph: GraphBuilder, fitted: Fitted, x: str) -> str:
    """What makes raw outputs of the last layer's.

    Of two classes that is the probability of the second, of several their softmax, of a regression
    the value.
    """
    if fitted.task == "regression":
        return x
    if len(fitted.estimator.classes_) > 2:  # noqa: PLR2004  # more than yes and no
        return graph.add("Softmax", x, axis=1)
    return graph.add("Sigmoid", x)
