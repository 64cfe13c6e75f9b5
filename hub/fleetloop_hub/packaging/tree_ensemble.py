"""Writes a forest as one TreeEnsemble (ai.onnx.ml 5): nothing in it that is not looked at.

Leaves that say the same are kept once; a tree that is only a leaf gets a test that decides nothing.
The node's own softmax and logistic are not used: ONNX and ONNX Runtime number them differently.
"""

from dataclasses import dataclass, replace

import numpy as np
from onnx import numpy_helper

from fleetloop_hub.packaging.forest import Doubles, Floats, Forest, Ints
from fleetloop_hub.packaging.graph import TREES, GraphBuilder

_AVERAGE, _SUM = 0, 1
_LESS_OR_EQUAL, _EQUAL = 0, 4


@dataclass(frozen=True)
class Sums:
    """What is added up over the trees.

    Attributes:
        weights: What each leaf adds.
        targets: The sum that it is added to.
        count: How many sums there are.
        average: Divide by the number of trees.
        base: Added to each sum; empty for nothing.
    """

    weights: Floats
    targets: Ints
    count: int
    average: bool = False
    base: tuple[float, ...] = ()


def write_ensemble(graph: GraphBuilder, x: str, forest: Forest, sums: Sums) -> str:
    """Append the trees, and return the name of their sums, shape (rows, count)."""
    forest, weights, targets = _share(forest, sums.weights, sums.targets)
    forest, weights, targets = _with_base(forest, weights, targets, sums.base)
    forest = _with_tests(forest)
    modes = np.where(forest.equal, _EQUAL, _LESS_OR_EQUAL).astype(np.uint8)
    optional: dict[str, Ints] = {}
    if forest.missing_left.any():
        optional["nodes_missing_value_tracks_true"] = forest.missing_left.astype(np.int64)
    return graph.add(
        "TreeEnsemble",
        x,
        domain=TREES,
        aggregate_function=_AVERAGE if sums.average else _SUM,
        leaf_targetids=targets,
        leaf_weights=numpy_helper.from_array(weights),
        n_targets=sums.count,
        nodes_falseleafs=(forest.right < 0).astype(np.int64),
        nodes_falsenodeids=np.where(forest.right < 0, ~forest.right, forest.right),
        nodes_featureids=forest.feature,
        nodes_modes=numpy_helper.from_array(modes),
        nodes_splits=numpy_helper.from_array(forest.threshold),
        nodes_trueleafs=(forest.left < 0).astype(np.int64),
        nodes_truenodeids=np.where(forest.left < 0, ~forest.left, forest.left),
        tree_roots=forest.roots,
        output="",
        **optional,
    )


def _share(forest: Forest, weights: Floats, targets: Ints) -> tuple[Forest, Floats, Ints]:
    """Keep one leaf of each target and weight; the oftenest first: its number is the shortest."""
    kinds = np.column_stack([targets.astype(np.float64), weights.astype(np.float64)])
    _, first, kind, often = np.unique(
        kinds, axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    order = np.lexsort([first, -often]) if len(first) < len(kinds) else np.argsort(first)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    leaf = place[kind.ravel()]

    def moved(places: Ints) -> Ints:
        return np.where(places < 0, ~leaf[~np.minimum(places, -1)], places)

    shared = replace(
        forest, roots=moved(forest.roots), left=moved(forest.left), right=moved(forest.right)
    )
    return shared, weights[first[order]], targets[first[order]]


def _with_base(
    forest: Forest, weights: Floats, targets: Ints, base: tuple[float, ...]
) -> tuple[Forest, Floats, Ints]:
    """A tree of one leaf for what is added to a sum."""
    added = np.flatnonzero(base)
    leaves = len(weights) + np.arange(len(added))
    grown = replace(forest, roots=np.concatenate([forest.roots, ~leaves]))
    weights = np.concatenate([weights, np.array(base, np.float32)[added]])
    return grown, weights, np.concatenate([targets, added])


def _with_tests(forest: Forest) -> Forest:
    """Put a test that leads to one leaf either way where a tree has no test."""
    bare = forest.roots < 0
    if not bare.any():
        return forest
    number, none = int(bare.sum()), np.zeros(int(bare.sum()), bool)
    roots = forest.roots.copy()
    roots[bare] = len(forest.feature) + np.arange(number)
    places = forest.roots[bare]
    return replace(
        forest,
        roots=roots,
        feature=np.concatenate([forest.feature, np.zeros(number, np.int64)]),
        threshold=np.concatenate([forest.threshold, np.zeros(number, np.float32)]),
        left=np.concatenate([forest.left, places]),
        right=np.concatenate([forest.right, places]),
        equal=np.concatenate([forest.equal, none]),
        missing_left=np.concatenate([forest.missing_left, none]),
    )


def rounded(values: Doubles, leaf_tree: Ints, bits: int) -> Doubles:
    """Values as whole steps of a power of two for each tree: the finest that `bits` can hold.

    One scale for all trees would be as coarse as the tree with the largest leaf needs it: a first
    tree that carries the mean would drown all others.
    """
    largest = np.zeros(int(leaf_tree.max(initial=0)) + 1)
    np.maximum.at(largest, leaf_tree, np.abs(values))
    limit = 2.0 ** (bits - 1) - 1
    with np.errstate(divide="ignore"):
        exponent = np.ceil(np.log2(largest / limit))
    step = np.where(np.isfinite(exponent), 2.0**exponent, 1.0)[leaf_tree]
    steps: Doubles = np.rint(values / step) * step
    return steps


def tree_middles(values: Doubles, leaf_tree: Ints) -> Doubles:
    """Half-way between the smallest and the largest leaf of each tree."""
    trees = int(leaf_tree.max(initial=0)) + 1
    low, high = np.full(trees, np.inf), np.full(trees, -np.inf)
    np.minimum.at(low, leaf_tree, values)
    np.maximum.at(high, leaf_tree, values)
    middles: Doubles = (low + high) / 2
    return middles
