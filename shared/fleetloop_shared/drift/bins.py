"""Counts rows into bins, exactly and many features at once."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fleetloop_shared.profile import SCORE_BINS

Counts = npt.NDArray[np.int64]
Columns = npt.NDArray[np.float32]
Scores = npt.NDArray[np.float64]

_LANE_ROWS = 8 * 255
"""Rows that are added up in bytes before one can run over."""

_BYTE = np.uint64(8)
_EVEN_BYTES = np.uint64(0x00FF00FF00FF00FF)
_EACH_PAIR = np.uint64(0x0001000100010001)
_LAST_PAIR = np.uint64(48)

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
        if columns.shape[1] <= _LANE_ROWS:
            only: Counts = self._count(columns, 1)[0]
            return only
        counts = np.zeros((len(columns), self._columns), np.int64)
        for start in range(0, columns.shape[1], _LANE_ROWS):
            counts += self._count(columns[:, start : start + _LANE_ROWS], 1)[0]
        return counts

    def count_parts(self, columns: Columns, parts: int) -> Counts:
        """The same of each of several equal parts, shape (parts, features, bins + 1).

        Args:
            columns: Values, shape (features, parts * rows).
            parts: How many, each of at most 2,040 rows.
        """
        if columns.shape[1] % (8 * parts):
            return np.stack([self.count(part) for part in np.split(columns, parts, axis=1)])
        return self._count(columns, parts)

    def _count(self, columns: Columns, parts: int) -> Counts:
        rows = columns.shape[1] // parts
        counts = np.zeros((parts, len(columns), self._columns), np.int64)
        for which, bounds in self._groups:
            reached = _reached(columns[which], bounds, parts)
            last = len(bounds) - 1
            counts[:, which, -1] = rows - reached[..., 0]
            counts[:, which, :last] = reached[..., :-1] - reached[..., 1:]
            counts[:, which, last] = reached[..., -1]
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


def _reached(columns: Columns, bounds: Columns, parts: int) -> Counts:
    """How many values of each part reach each bound, shape (parts, features, bounds)."""
    padded = _whole_lanes(columns) if columns.shape[1] % 8 else np.ascontiguousarray(columns)
    reaches = np.greater_equal(padded, bounds, order="C").view(np.uint64)
    lanes = reaches.reshape(bounds.size * parts, -1)
    added = _lane_sums(np.einsum("il->i", lanes))  # adds up short rows twice as fast as sum
    return added.reshape(len(bounds), len(columns), parts).T


def _lane_sums(lanes: npt.NDArray[np.uint64]) -> Counts:
    """The sum of the eight bytes of each number: four pairs side by side, then all at once."""
    pairs = lanes & _EVEN_BYTES
    lanes >>= _BYTE
    lanes &= _EVEN_BYTES
    pairs += lanes
    pairs *= _EACH_PAIR
    pairs >>= _LAST_PAIR
    return pairs.view(np.int64)


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
    scaled: Scores = scores.clip(low, high)
    scaled -= low
    scaled /= high - low
    return scaled


def score_places(scores: Scores, low: float = 0.0, high: float = 1.0) -> Counts:
    """The bin of each score among `SCORE_BINS` equal ones; see `count_scores`."""
    scaled = scaled_scores(scores, low, high)
    scaled *= SCORE_BINS
    places = scaled.astype(np.int64)
    return np.minimum(places, SCORE_BINS - 1, out=places)


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
    return np.bincount(places, minlength=SCORE_BINS).astype(np.int64, copy=False)


def count_scores_of_parts(scores: Scores, parts: int, low: float, high: float) -> Counts:
    """The same of each of several equal parts, shape (parts, `SCORE_BINS`).

    Examples:
        >>> parts = count_scores_of_parts(np.array([0.0, 0.1, 1.0, 1.0]), 2, 0.0, 1.0)
        >>> parts[:, [0, 3, 31]].tolist()
        [[1, 1, 0], [0, 0, 2]]
    """
    places = score_places(scores, low, high).reshape(parts, -1)
    places += SCORE_BINS * np.arange(parts)[:, None]
    counts = np.bincount(places.reshape(-1), minlength=parts * SCORE_BINS)
    return counts.reshape(parts, SCORE_BINS).astype(np.int64, copy=False)
