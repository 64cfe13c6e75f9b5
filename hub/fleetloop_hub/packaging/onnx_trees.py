"""Reads the trees of a TreeEnsembleClassifier or -Regressor (ai.onnx.ml 1 to 3)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper

from fleetloop_hub.errors import UnsupportedModelError
from fleetloop_hub.packaging.forest import Bools, Floats, Forest, Ints

KINDS = ("TreeEnsembleClassifier", "TreeEnsembleRegressor")


@dataclass(frozen=True)
class Ensemble:
    """A node's trees, and what becomes of what their leaves say.

    Attributes:
        forest: The trees; leaves say a value for each target.
        base: Added to each target's sum; empty for nothing.
        average: Whether sums are divided by the number of trees.
        after: "NONE", "LOGISTIC" or "SOFTMAX".
        labels: A classifier's classes, as the file names them; None of a regressor.
        single: The one class that leaves of a classifier of two speak of; -1 if they speak of more.
    """

    forest: Forest
    base: tuple[float, ...]
    average: bool
    after: str
    labels: np.ndarray | None
    single: int


def read_ensemble(node: NodeProto) -> Ensemble:
    """The trees of a node.

    Raises:
        UnsupportedModelError: It holds float64 numbers, or does with them what is not known here.
    """
    given = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    if any(name.endswith("_as_tensor") for name in given):
        _refuse_doubles(given)
    classifier = node.op_type == KINDS[0]
    kind = "class" if classifier else "target"
    labels = _labels(given) if classifier else None
    after = given.get("post_transform", b"NONE").decode()
    aggregate = given.get("aggregate_function", b"SUM").decode()
    if after not in {"NONE", "LOGISTIC", "SOFTMAX"} or aggregate not in {"SUM", "AVERAGE"}:
        raise UnsupportedModelError(f"a tree ensemble with {after} after {aggregate}")
    targets = len(labels) if labels is not None else int(given.get("n_targets", 1))
    ids = np.unique(np.array(given[f"{kind}_ids"], np.int64))
    alone = classifier and targets == 2 and len(ids) == 1  # noqa: PLR2004  # yes and no
    return Ensemble(
        forest=_forest(given, kind, targets),
        base=tuple(_numbers(given, "base_values").astype(float).tolist()),
        average=aggregate == "AVERAGE",
        after=after,
        labels=labels,
        single=int(ids[0]) if alone else -1,
    )


def _refuse_doubles(given: dict[str, Any]) -> None:
    for value in given.values():
        if isinstance(value, TensorProto) and value.data_type != TensorProto.FLOAT:
            raise UnsupportedModelError("trees in float64: no float32 row follows them exactly")


def _labels(given: dict[str, Any]) -> np.ndarray:
    if names := given.get("classlabels_strings"):
        return np.array([name.decode() for name in names], object)
    return np.array(given["classlabels_int64s"], np.int64)


def _numbers(given: dict[str, Any], name: str) -> np.ndarray:
    if f"{name}_as_tensor" in given:
        return numpy_helper.to_array(given[f"{name}_as_tensor"])
    return np.array(given.get(name, []), np.float32)


def _forest(given: dict[str, Any], kind: str, targets: int) -> Forest:
    trees = np.array(given["nodes_treeids"], np.int64)
    keys = _Keys(trees, np.array(given["nodes_nodeids"], np.int64))
    modes = np.array([mode.decode() for mode in given["nodes_modes"]])
    leaf = modes == "LEAF"
    place = np.where(leaf, ~(np.cumsum(leaf) - 1), np.cumsum(~leaf) - 1)
    inner = np.flatnonzero(~leaf)
    left = place[keys.find(trees[inner], np.array(given["nodes_truenodeids"], np.int64)[inner])]
    right = place[keys.find(trees[inner], np.array(given["nodes_falsenodeids"], np.int64)[inner])]
    tracks = np.array(given.get("nodes_missing_value_tracks_true") or np.zeros(len(trees)), bool)
    threshold = _numbers(given, "nodes_values").astype(np.float32)[inner]
    test = _as_less_or_equal(modes[inner], threshold, tracks[inner])
    values = np.zeros((int(leaf.sum()), targets))
    said_by = keys.find(
        np.array(given[f"{kind}_treeids"], np.int64), np.array(given[f"{kind}_nodeids"], np.int64)
    )
    said = _numbers(given, f"{kind}_weights").astype(np.float64)
    np.add.at(values, (~place[said_by], np.array(given[f"{kind}_ids"], np.int64)), said)
    _, first, number = np.unique(trees, return_index=True, return_inverse=True)
    return Forest(
        roots=place[first],
        feature=np.array(given["nodes_featureids"], np.int64)[inner],
        threshold=test.threshold,
        left=np.where(test.swapped, right, left),
        right=np.where(test.swapped, left, right),
        equal=test.equal,
        missing_left=test.missing_left,
        leaf_tree=number[leaf],
        leaf_values=values,
    )


class _Keys:
    """Finds a node by its tree's number and its own."""

    def __init__(self, trees: Ints, nodes: Ints) -> None:
        self._width = int(nodes.max(initial=0)) + 1
        keys = trees * self._width + nodes
        self._order = np.argsort(keys, kind="stable")
        self._sorted = keys[self._order]

    def find(self, trees: Ints, nodes: Ints) -> Ints:
        keys = trees * self._width + nodes
        at = np.minimum(np.searchsorted(self._sorted, keys), len(self._sorted) - 1)
        if (self._sorted[at] != keys).any():
            raise UnsupportedModelError("a tree ensemble that names nodes it does not have")
        return self._order[at]


@dataclass(frozen=True)
class _Tests:
    threshold: Floats
    swapped: Bools
    equal: Bools
    missing_left: Bools


def _as_less_or_equal(modes: np.ndarray, threshold: Floats, tracks: Bools) -> _Tests:
    """The same tests with `<=` and `==` alone; of a swapped one NaN goes the other way."""
    known = {"BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"}
    if unknown := set(modes.tolist()) - known:
        raise UnsupportedModelError(f"a tree ensemble with tests {sorted(unknown)}")
    lower = np.isin(modes, ["BRANCH_LT", "BRANCH_GTE"])
    swapped = np.isin(modes, ["BRANCH_GTE", "BRANCH_GT", "BRANCH_NEQ"])
    below = np.nextafter(threshold, np.float32(-np.inf))
    return _Tests(
        threshold=np.where(lower, below, threshold),
        swapped=swapped,
        equal=np.isin(modes, ["BRANCH_EQ", "BRANCH_NEQ"]),
        missing_left=tracks ^ swapped,
    )
