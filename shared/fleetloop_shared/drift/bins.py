"""Counts rows into bins, exactly and many features at once."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fleetloop_shared.profile import SCORE_BINS

Counts = npt.NDArray[np.int64]
Columns = npt.NDArray[np.float32]

_LANE_ROWS = 8 * 255


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
        self._bounds = np.full((self._columns - 1, len(edges), 1), np.nan, np.float32)
        self._bounds[0] = -np.inf
        for feature, inner in enumerate(edges):
            self._bounds[1 : len(inner) + 1, feature, 0] = inner

    def count(self, columns: Columns) -> Counts:
        """Rows in each bin, shape (features, bins + 1); the last column is missing.

        Args:
            columns: Values, shape (features, rows).
        """
        features, rows = columns.shape
        counts = np.zeros((features, self._columns), np.int64)
        for start in range(0, rows, _LANE_ROWS):
            part = columns[:, start : start + _LANE_ROWS]
            padded = _whole_lanes(part) if part.shape[1] % 8 else np.ascontiguousarray(part)
            reaches = np.greater_equal(padded, self._bounds, order="C")
            at_least = reaches.view(np.uint64).sum(axis=-1, dtype=np.uint64)
            lanes = at_least[..., None].view(np.uint8)
            reached = lanes.sum(axis=-1, dtype=np.int64).T
            counts[:, -1] += part.shape[1] - reached[:, 0]
            counts[:, :-2] += reached[:, :-1] - reached[:, 1:]
            counts[:, -2] += reached[:, -1]
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


def _whole_lanes(part: Columns) -> Columns:
    """Filled up with missing values, which no comparison counts, to a multiple of eight rows."""
    padded = np.full((len(part), -(-part.shape[1] // 8) * 8), np.nan, np.float32)
    padded[:, : part.shape[1]] = part
    return padded


def count_scores(scores: npt.NDArray[np.floating]) -> Counts:
    """Scores in `SCORE_BINS` equal bins of [0, 1]; what lies outside falls into the outer bins.

    >>> count_scores(np.array([0.0, 0.5, 1.0]))[[0, 16, 31]].tolist()
    [1, 1, 1]
    """
    places = (np.clip(scores, 0, 1) * SCORE_BINS).astype(np.int64)
    places = np.minimum(places, SCORE_BINS - 1)
    return np.bincount(places, minlength=SCORE_BINS).astype(np.int64)
