"""Decision trees of any origin as plain arrays: tests at inner nodes, values at leaves."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


_FARTHEST = 0.25


@dataclass(frozen=True)
class Forest:
    """Trees one after the other; a row goes left where `x[feature] <= threshold`.

    A place in the tree is an inner node's index, or `~leaf` (negative) for a leaf's.

    Attributes:
        roots: The place where each tree begins.
        feature: The column that each inner node looks at.
        threshold: What it is compared with, as float32.
        left: The place it leads to where the test holds.
        right: The place it leads to otherwise.
        equal: Whether the test is `==`, as for categories, and not `<=`.
        missing_left: Whether NaN goes left; it goes right otherwise.
        leaf_tree: The tree of each leaf.
        leaf_values: What each leaf says, shape (leaves, values).
    """

    roots: Ints
    feature: Ints
    threshold: Floats
    left: Ints
    right: Ints
    equal: Bools
    missing_left: Bools
    leaf_tree: Ints
    leaf_values: Doubles

    @property
    def trees(self) -> int:
        """How many trees there are."""
        return len(self.roots)

    def with_values(self, leaf_values: Doubles) -> "Forest":
        """The same trees with other values at their leaves."""
        return replace(self, leaf_values=leaf_values)

    def leaves(self, x: Floats) -> Ints:
        """The leaf that each row reaches in each tree, shape (rows, trees)."""
        place = np.repeat(self.roots[None], len(x), axis=0)
        while (inner := place >= 0).any():
            rows, _ = np.nonzero(inner)
            node = place[inner]
            value, limit = x[rows, self.feature[node]], self.threshold[node]
            holds = np.where(self.equal[node], value == limit, value <= limit)
            left = np.where(np.isnan(value), self.missing_left[node], holds)
            place[inner] = np.where(left, self.left[node], self.right[node])
        return ~place


@dataclass(frozen=True)
class Tree:
    """One tree as its library keeps it: leaves and inner nodes in one numbering, the root first.

    Attributes:
        is_leaf: Whether a node is a leaf.
        feature: The column an inner node looks at.
        threshold: Of the test `x <= threshold`, in the library's precision.
        left: The node where the test holds.
        right: The node where it does not.
        values: What a node says, shape (nodes, values); only leaves count.
    """

    is_leaf: Bools
    feature: Ints
    threshold: Doubles
    left: Ints
    right: Ints
    values: Doubles


def plant(trees: Sequence[Tree]) -> Forest:
    """A forest of these trees, their thresholds rounded so that float32 rows go the same way."""
    roots, parts, nodes, leaves = [], [], 0, 0
    for number, tree in enumerate(trees):
        inner = ~tree.is_leaf
        place = np.where(
            inner, nodes + np.cumsum(inner) - 1, ~(leaves + np.cumsum(tree.is_leaf) - 1)
        )
        roots.append(place[0])
        parts.append(
            (
                tree.feature[inner],
                round_down(tree.threshold[inner]),
                place[tree.left[inner]],
                place[tree.right[inner]],
                np.full(tree.is_leaf.sum(), number),
                tree.values[tree.is_leaf],
            )
        )
        nodes, leaves = nodes + int(inner.sum()), leaves + int(tree.is_leaf.sum())
    feature, threshold, left, right, leaf_tree, values = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    none = np.zeros(nodes, bool)
    return Forest(np.array(roots), feature, threshold, left, right, none, none, leaf_tree, values)


def round_down(thresholds: Doubles) -> Floats:
    """The largest float32 that is no larger: `x <= t` is then the same for every float32 x."""
    with np.errstate(over="ignore"):
        nearest = thresholds.astype(np.float32)
        below = np.nextafter(nearest, np.float32(-np.inf))
    return np.where(nearest > thresholds, below, nearest)


def shorten(forest: Forest, rows: Floats) -> Forest:
    """Thresholds with as few digits as the gaps between known rows allow: no row changes its leaf.

    Numbers with trailing zeros compress better. A threshold moves at most a quarter of the way to
    the next row, so that new rows rarely change theirs either; where no row is on one side, it
    stays.

    Args:
        forest: What is shortened.
        rows: As the trees see them, shape (rows, features).
    """
    threshold = forest.threshold.copy()
    for feature in np.unique(forest.feature[~forest.equal]):
        chosen = (forest.feature == feature) & ~forest.equal
        known = np.unique(rows[:, feature][np.isfinite(rows[:, feature])])
        threshold[chosen] = _shortest(threshold[chosen], known)
    return replace(forest, threshold=threshold)


def _shortest(thresholds: Floats, known: Floats) -> Floats:
    above = np.searchsorted(known, thresholds, side="right")
    open_ended = (above == 0) | (above == len(known)) | ~np.isfinite(thresholds)
    if not len(known):
        return thresholds
    low = _towards(thresholds, known[np.maximum(above - 1, 0)])
    high = _towards(thresholds, known[np.minimum(above, len(known) - 1)])
    best, done = thresholds.copy(), open_ended
    for digits in range(24):
        short = _rounded(thresholds, digits)
        fits = ~done & (low <= short) & (short < high)
        best[fits] = short[fits]
        done = done | fits
    return best


def _towards(thresholds: Floats, rows: Floats) -> Floats:
    """A quarter of the way from each threshold to a row; never past it."""
    start = thresholds.astype(np.float64)
    moved: Floats = (start + _FARTHEST * (rows.astype(np.float64) - start)).astype(np.float32)
    return moved


def _rounded(numbers: Floats, digits: int) -> Floats:
    """The nearest float32 with so many binary digits after the first."""
    spare = np.uint32(23 - digits)
    bits = np.ascontiguousarray(numbers).view(np.uint32).copy()
    if spare:
        bits += np.uint32(1) << (spare - np.uint32(1))
        bits &= ~((np.uint32(1) << spare) - np.uint32(1))
    return bits.view(np.float32)
