"""Trees whose leaves say several numbers each: the trees name rows of a table, which are added."""

from enum import StrEnum

import numpy as np
from onnx import TensorProto

from fleetloop_hub.packaging.forest import Doubles, Forest
from fleetloop_hub.packaging.graph import GraphBuilder
from fleetloop_hub.packaging.tree_ensemble import Sums, write_ensemble

_STEPS = 255


class Table(StrEnum):
    """How the numbers of a table are kept.

    Steps are whole 255ths, for shares that add up to 1: their sums are exact, ties too.
    """

    FLOAT32 = "float32"
    FLOAT16 = "float16"
    STEPS = "8 bits"


def write_tables(graph: GraphBuilder, x: str, forest: Forest, kept: Table) -> str:
    """Append the trees, and return the name of the sum of what they say, shape (rows, numbers).

    A leaf of a TreeEnsemble says one number: here its place in the table, whose equal rows are one.
    """
    values = _whole_steps(forest.leaf_values) if kept is Table.STEPS else forest.leaf_values
    rows, place = np.unique(values, axis=0, return_inverse=True)
    numbers = Sums(place.ravel().astype(np.float32), forest.leaf_tree, forest.trees)
    chosen = graph.add("Cast", write_ensemble(graph, x, forest, numbers), to=TensorProto.INT32)
    table = _table(graph, rows, kept)
    axis = graph.keep(np.array([1]))
    total = graph.add("ReduceSum", graph.add("Gather", table, chosen), axis, keepdims=0)
    if kept is not Table.STEPS:
        return total
    return graph.add("Mul", total, graph.keep(np.array([1.0 / _STEPS], np.float32)))


def _table(graph: GraphBuilder, rows: Doubles, kept: Table) -> str:
    if kept is Table.FLOAT32:
        return graph.keep(rows.astype(np.float32))
    small = rows.astype(np.float16 if kept is Table.FLOAT16 else np.uint8)
    return graph.add("Cast", graph.keep(small), to=TensorProto.FLOAT)


def _whole_steps(shares: Doubles) -> Doubles:
    """Shares as whole numbers with a sum of 255: the largest remainders are rounded up."""
    exact = shares * _STEPS
    whole = np.floor(exact)
    missing = np.rint(exact.sum(axis=1) - whole.sum(axis=1)).astype(int)
    order = np.argsort(-(exact - whole), axis=1, kind="stable")
    rank = np.argsort(order, axis=1, kind="stable")
    steps: Doubles = whole + (rank < missing[:, None])
    return steps
