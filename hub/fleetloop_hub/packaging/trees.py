"""Families of trees as graphs: one node for the trees, their leaves as few bytes as will do."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

import numpy as np

from fleetloop_hub.errors import UnsupportedModelError
from fleetloop_hub.packaging.fitted import Fitted
from fleetloop_hub.packaging.forest import Doubles, Floats, Forest, shorten
from fleetloop_hub.packaging.graph import GraphBuilder
from fleetloop_hub.packaging.leaf_tables import Table, write_tables
from fleetloop_hub.packaging.sklearn_trees import boosting_of, forest_of, isolation_of
from fleetloop_hub.packaging.tree_ensemble import Sums, rounded, write_ensemble

Write = Callable[[GraphBuilder, str], str]

TREE_FAMILIES = frozenset({"random-forest", "extra-trees", "gradient-boosting", "isolation-forest"})

_LN2 = float(np.log(2.0))


class Leaves(StrEnum):
    """How the numbers of trees are kept; each is float32 when it is added up.

    The short ones also have thresholds with few digits, between known rows.
    """

    SHORT8 = "trees, 8-bit leaves"
    SHORT16 = "trees, 16-bit leaves"
    SHORT = "trees, short thresholds"
    FLOAT32 = "trees, float32"


_BITS = {Leaves.SHORT8: 8, Leaves.SHORT16: 16}
_TABLES = {Leaves.SHORT8: Table.STEPS, Leaves.SHORT16: Table.FLOAT16}


def tree_bodies(fitted: Fitted, learned: Floats | None) -> Iterator[tuple[str, Write]]:
    """Each recipe of a family of trees, and what appends it to a graph.

    The files of several are about as large; the one that compresses best comes first.

    Args:
        fitted: The model.
        learned: Training rows, for thresholds with fewer digits; without them none is shortened.

    Raises:
        UnsupportedModelError: The rows are scaled first: float64 thresholds of scaled values are
            not exact in float32.
    """
    preparation = fitted.preparation
    if preparation.spreads or preparation.mean.any() or (preparation.sd != 1).any():
        raise UnsupportedModelError("trees on standardised or spread columns")
    exact, write = _family(fitted)
    short = exact
    if learned is not None:
        short = shorten(exact, preparation.transform(learned).astype(np.float32))
    for leaves in _BITS:
        yield leaves.value, partial(write, short, leaves)
    if learned is not None:
        yield Leaves.SHORT.value, partial(write, short, Leaves.SHORT)
    yield Leaves.FLOAT32.value, partial(write, exact, Leaves.FLOAT32)


def _family(fitted: Fitted) -> tuple[Forest, Callable[[Forest, Leaves, GraphBuilder, str], str]]:
    model = fitted.estimator
    match fitted.family:
        case "gradient-boosting":
            forest, base = boosting_of(model)
            return forest, _Boosting(fitted, base).write
        case "isolation-forest":
            return isolation_of(model), _isolation
        case _:
            forest = forest_of(model)
            if fitted.task == "regression":
                return forest, _regression
            return forest, _two if forest.leaf_values.shape[1] == 2 else _several  # noqa: PLR2004


def _one_sum(forest: Forest, values: Doubles) -> Sums:
    return Sums(values.astype(np.float32), np.zeros(len(values), np.int64), 1)


def _two(forest: Forest, leaves: Leaves, graph: GraphBuilder, x: str) -> str:
    """The mean of the second class's probability; of pure leaves it is exact, ties too."""
    second = forest.leaf_values[:, 1]
    if leaves in _BITS:
        steps = 2.0 ** _BITS[leaves]
        second = np.rint(second * steps) / steps
    sums = Sums(second.astype(np.float32), np.zeros(len(second), np.int64), 1, average=True)
    return write_ensemble(graph, x, forest, sums)


def _several(forest: Forest, leaves: Leaves, graph: GraphBuilder, x: str) -> str:
    """The mean of the leaves' probabilities."""
    total = write_tables(graph, x, forest, _TABLES.get(leaves, Table.FLOAT32))
    return graph.add("Div", total, graph.keep(np.array([forest.trees], np.float32)))


def _regression(forest: Forest, leaves: Leaves, graph: GraphBuilder, x: str) -> str:
    """The mean of the leaves; what they have in common is added last, for more exact sums."""
    values = forest.leaf_values[:, 0]
    middle = float(np.float32(values.mean()))
    values = values - middle
    if leaves in _BITS:
        values = rounded(values, forest.leaf_tree, _BITS[leaves])
    sums = Sums(values.astype(np.float32), np.zeros(len(values), np.int64), 1, average=True)
    mean = write_ensemble(graph, x, forest, sums)
    return graph.add("Add", mean, graph.keep(np.array([middle], np.float32)))


@dataclass(frozen=True)
class _Boosting:
    """Gradient boosting: sums of leaves and a baseline, and what is made of them."""

    fitted: Fitted
    base: Doubles

    def write(self, forest: Forest, leaves: Leaves, graph: GraphBuilder, x: str) -> str:
        values, outputs = forest.leaf_values[:, 0], len(self.base)
        if leaves in _BITS:
            values = rounded(values, forest.leaf_tree, _BITS[leaves])
        link, regression = _link(self.fitted), self.fitted.task == "regression"
        sums = Sums(
            values.astype(np.float32),
            forest.leaf_tree % outputs,
            outputs,
            base=() if regression else tuple(self.base.tolist()),
        )
        total = write_ensemble(graph, x, forest, sums)
        if regression:
            total = graph.add("Add", total, graph.keep(self.base.astype(np.float32)))
        if link == "Softmax":
            return graph.add(link, total, axis=1)
        return graph.add(link, total) if link else total


def _link(fitted: Fitted) -> str:
    """The operator that makes outputs of the sums; "" if they are the outputs."""
    if fitted.task != "regression":
        return "Softmax" if len(fitted.estimator.classes_) > 2 else "Sigmoid"  # noqa: PLR2004
    loss = fitted.estimator.loss
    if loss in {"squared_error", "absolute_error", "quantile"}:
        return ""
    if loss in {"gamma", "poisson"}:
        return "Exp"
    raise UnsupportedModelError(f"gradient boosting with the loss {loss!r}")


def _isolation(forest: Forest, leaves: Leaves, graph: GraphBuilder, x: str) -> str:
    """2 to the power of minus the mean path; two leaves of the same length are one."""
    values = -_LN2 * forest.leaf_values[:, 0]
    if leaves in _BITS:
        steps = 2.0 ** _BITS[leaves] - 1
        step = np.abs(values).max() / steps or 1.0
        values = np.rint(values / step) * step
    return graph.add("Exp", write_ensemble(graph, x, forest, _one_sum(forest, values)))
