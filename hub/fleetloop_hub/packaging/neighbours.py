"""Nearest neighbours as a product of matrices and TopK; the nearest of equals is the first row."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from onnx import TensorProto

from fleetloop_hub.errors import UnsupportedModelError
from fleetloop_hub.packaging.fitted import Fitted
from fleetloop_hub.packaging.graph import GraphBuilder
from fleetloop_hub.packaging.weights import Kept, keep_weights


def neighbour_bodies(fitted: Fitted) -> Iterator[tuple[str, Callable[[GraphBuilder, str], str]]]:
    """Each recipe of a nearest-neighbour model, and what appends it to a graph.

    Raises:
        UnsupportedModelError: Neighbours are weighted, or far by another measure.
    """
    model: Any = fitted.estimator
    if model.weights != "uniform" or model.effective_metric_ != "euclidean":
        raise UnsupportedModelError(
            f"neighbours with {model.weights} weights by the metric {model.effective_metric_}"
        )
    for kept in reversed(Kept):
        yield kept.value, partial(_write, fitted, kept)


def _write(fitted: Fitted, kept: Kept, graph: GraphBuilder, x: str) -> str:
    """Of the distance |x|² - 2 x·s + |s|², |x|² is left out: it is the same for all."""
    model: Any = fitted.estimator
    table = _table(graph, np.asarray(model._fit_X), kept)  # noqa: SLF001  # the only way to them
    lengths = graph.add("ReduceSumSquare", table, axes=[0], keepdims=1)
    doubled = graph.add("Mul", table, graph.keep(np.array([2], np.float32)))
    nearness = graph.add("Sub", graph.add("MatMul", x, doubled), lengths)
    nearest = graph.nearest(nearness, int(model.n_neighbors))
    votes = _votes(graph, fitted, kept, nearest)
    return graph.add("ReduceMean", votes, axes=[1], keepdims=0)


def _table(graph: GraphBuilder, rows: np.ndarray, kept: Kept) -> str:
    """The rows as columns; as int8 with a scale for each feature."""
    if kept is not Kept.INT8:
        return keep_weights(graph, rows.T, kept)
    return graph.add("Transpose", keep_weights(graph, rows, kept), perm=[1, 0])


def _votes(graph: GraphBuilder, fitted: Fitted, kept: Kept, nearest: str) -> str:
    """What the nearest rows say: (rows, neighbours, outputs)."""
    y = np.asarray(fitted.estimator._y).ravel()  # noqa: SLF001  # the only way to them
    if fitted.task == "regression":
        values = keep_weights(graph, y[:, None], Kept.FLOAT32 if kept is Kept.INT8 else kept)
        return graph.add("Gather", values, nearest)
    classes = len(fitted.estimator.classes_)
    form = np.uint8 if classes <= np.iinfo(np.uint8).max else np.int32
    labels = graph.add("Cast", graph.keep(y.astype(form)[:, None]), to=TensorProto.FLOAT)
    chosen = graph.add("Gather", labels, nearest)
    if classes == 2:  # noqa: PLR2004  # the share of the second
        return chosen
    each = graph.keep(np.arange(classes, dtype=np.float32))
    return graph.add("Cast", graph.add("Equal", chosen, each), to=TensorProto.FLOAT)
