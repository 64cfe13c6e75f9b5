"""Counts rows into bins, exactly and many features at once."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fleetloop_shared.profile import SCORE_BINS

Counts = npt.NDArray[np.int64]
Columns = npt.NDArray[np.float32]
Scores = npt.NDArray[np.float64]

_LANE_ROWS = 8 * 255

_NARROW = 32
"""Features with more bins (categories) are compared apart, so that they do not slow the others."""


class Bins:
    """The bins of all features of a reference, filled out to the same number with empty ones.

    Bin k of a feature holds `edges[k-1] <= x < edges[k]`, compared as float32; minus infinity falls
    into its first bin and infinity into its last; missing (NaN) is a bin of its own, the last
    column. A comparison gives a byte, eight bytes are added at a time as one 64-bit number: exact,
    and fast without any special instructions of the processor.

    Examples:
        >>> bins = Bins([[0.0, 1.0], [10.0]])
        >>> bins.count(np.array([[-1, 0, 0.5, np.inf], [9, np.nan, 10, 11]], np.float32)).tolist()
        [[1, 2, 1, 0], [1, 2, 0, 1]]
    """

    def __init__(self, edges: Sequence[Sequence[float]]) -> None:
        self._used = [len(e) + 1 for e in edges]
        self._columns = max(self._used, default=1) + 1
        narrow = [k for k, used in enumerate(self._used) if used <= _NARROW]
        wide = [k for k, used in enumerate(self._used) if used > _NARROW]
        self._groups: list[tuple[slice | list[int], Columns]] = [
            (which, _bounds([edges[k] for k in which])) for which in (narrow, wide) if which
        ]
        if len(self._groups) == 1:
            self._groups = [(slice(None), _bounds(edges))]

    def count(self, columns: Columns) -> Counts:
        """Rows in each bin, shape (features, bins + 1); the last column is missing.

        Args:
            columns: Values, shape (features, rows).
        """
        counts = np.zeros((len(columns), self._columns), np.int64)
        for which, bounds in self._groups:
            reached = _reached(columns[which], bounds)
            last = len(bounds) - 1
            counts[which, -1] = columns.shape[1] - reached[:, 0]
            counts[which, :last] = reached[:, :-1] - reached[:, 1:]
            counts[which, last] = reached[:, -1]
        return counts

    def fill(self, counts: Sequence[Sequence[int]], missing: Sequence[int]) -> Counts:
        """Counts as a profile keeps them, in the shape that `count` gives."""
        filled = np.zeros((len(self._used), self._columns), np.int64)
        for feature, row in enumerate(counts):
            filled[feature, : len(row)] = row
        filled[:, -1] = missing
        return filled

    def strip(self, counts: Counts) -> tuple[list[list[int]], list[int]]:
        """Counts and missing as a profile keeps them, without the empty bins of filling."""
        rows = counts.tolist()
        return [row[:used] for row, used in zip(rows, self._used, strict=True)], [
            row[-1] for row in rows
        ]


def _bounds(edges: Sequence[Sequence[float]]) -> Columns:
    """The lower bound of each bin, shape (bins, features, 1); NaN, which nothing reaches, fills."""
    bounds = np.full((max(map(len, edges), default=0) + 1, len(edges), 1), np.nan, np.float32)
    bounds[0] = -np.inf
    for feature, inner in enumerate(edges):
        bounds[1 : len(inner) + 1, feature, 0] = inner
    return bounds


def _reached(columns: Columns, bounds: Columns) -> Counts:
    """How many values reach each bound, shape (features, bounds)."""
    reached = np.zeros((len(columns), len(bounds)), np.int64)
    for start in range(0, columns.shape[1], _LANE_ROWS):
        part = columns[:, start : start + _LANE_ROWS]
        padded = _whole_lanes(part) if part.shape[1] % 8 else np.ascontiguousarray(part)
        reaches = np.greater_equal(padded, bounds, order="C")
        at_least = reaches.view(np.uint64).sum(axis=-1, dtype=np.uint64)
        reached += at_least[..., None].view(np.uint8).sum(axis=-1, dtype=np.int64).T
    return reached


def _whole_lanes(part: Columns) -> Columns:
    """Filled up with missing values, which no comparison counts, to a multiple of eight rows."""
    padded = np.full((len(part), -(-part.shape[1] // 8) * 8), np.nan, np.float32)
    padded[:, : part.shape[1]] = part
    return padded


def scaled_scores(scores: Scores, low: float, high: float) -> Scores:
    """Scores as their places within [low, high], 0 to 1; what lies outside is 0 or 1.

    Args:
        scores: One a row, finite.
        low: Where the score histogram begins, `Signature.score_low`.
        high: Where it ends, `Signature.score_high`.
    """
    scaled: Scores = (np.clip(scores, low, high) - low) / (high - low)
    return scaled


def score_places(scores: Scores, low: float = 0.0, high: float = 1.0) -> Counts:
    """The bin of each score among `SCORE_BINS` equal ones; see `count_scores`."""
    places = (scaled_scores(scores, low, high) * SCORE_BINS).astype(np.int64)
    return np.minimum(places, SCORE_BINS - 1)


def count_scores(scores: Scores, low: float = 0.0, high: float = 1.0) -> Counts:
    """Scores in `SCORE_BINS` equal bins of [low, high]; what lies outside is in the outer bins.

    Args:
        scores: One a row, finite.
        low: Where the first bin begins.
        high: Where the last one ends.

    Examples:
        >>> count_scores(np.array([0.0, 0.5, 1.0]))[[0, 16, 31]].tolist()
        [1, 1, 1]
        >>> count_scores(np.array([-1e300, 150.0, 1e300]), 100, 200)[[0, 16, 31]].tolist()
        [1, 1, 1]
    """
    places = score_places(scores, low, high)
    return np.bincount(places, minlength=SCORE_BINS).astype(np.int64)
