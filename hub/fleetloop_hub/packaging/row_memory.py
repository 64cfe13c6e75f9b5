"""Measures how much each row resembles the rows before it, and what that does to bin shares."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Places = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

MEASURED_ROWS = 32_768
"""The newest rows; more of them would cost time and tell nothing new about lags."""

_LONGEST_LAG = 512
_LAGS_A_TIME = 3
"""A memory of tau rows is summed over three tau lags: what is beyond is noise (Sokal's window)."""


_MOST_LOST = 0.5


@dataclass(frozen=True)
class Memory:
    """Joint shares of the bins of two rows, by how far apart they are.

    Attributes:
        shares: Of each bin, shape (features, bins).
        lagged: For each lag from 1 on, the features whose memory lasts so long, and the covariances
            of the bins of two rows so far apart, both ways added, shape (features, bins, bins).
        lags: How many lags count, a feature.
        rows: Rows it was measured on.
    """

    shares: Floats
    lagged: list[tuple[Places, Floats]]
    lags: Places
    rows: int

    @property
    def independent_rows(self) -> Floats:
        """What the rows are worth when a spread is measured on them, a feature."""
        worth: Floats = self.rows / (2 * self.lags + 1)
        return worth

    def covariance(self, rows: int) -> Floats:
        """Covariances of the bin shares of so many rows in sequence, times the rows.

        Args:
            rows: In sequence.

        Returns:
            Shape (features, bins, bins); of independent rows diag(p) - p p'.
        """
        total = independent(self.shares)
        for lag, (which, both) in enumerate(self.lagged, start=1):
            if lag < rows:
                total[which] += (1 - lag / rows) * both
        # The mean is that of the same rows, which makes every lag a little too small.
        lost = np.minimum(1 / self.independent_rows, _MOST_LOST)
        corrected: Floats = total / (1 - lost)[:, None, None]
        return corrected


def independent(shares: Floats) -> Floats:
    """The same of rows that do not resemble each other: diag(p) - p p'."""
    own: Floats = shares[:, :, None] * np.eye(shares.shape[1]) - _outer(shares)
    return own


def measure(places: Places, shares: Floats, forms: Floats, ordered: Flags) -> Memory:
    """Memory of each feature, over as many lags as it lasts.

    Args:
        places: The bin of each value, shape (rows, features), rows in order of time.
        shares: Of each bin among them, shape (features, bins).
        forms: What weighs bins against each other, shape (features, bins, bins): the memory of
            d' form d is looked at. It must count slow movements most.
        ordered: Which features these forms are for; of the others what changes most slowly from
            row to row is looked at.
    """
    places = places[-MEASURED_ROWS:]
    rows, width = places.shape
    bins = shares.shape[1]
    longest = min(_LONGEST_LAG, rows // 8)
    times = np.ones(width)
    lags, lagged = np.zeros(width, np.int64), []
    still = np.arange(width if longest else 0)
    own = times
    for lag in range(1, longest + 1):
        both = _joint(places[:, still], lag, bins) - 2 * _outer(shares[still])
        if lag == 1:
            forms = np.where(ordered[:, None, None], forms, _slowest(both, shares))
            own = (forms * independent(shares)).sum(axis=(1, 2))
        lagged.append((still, both))
        lags[still] = lag
        seen = (forms[still] * both).sum(axis=(1, 2))
        times[still] += np.divide(seen, own[still], out=np.zeros_like(seen), where=own[still] > 0)
        still = still[lag < _LAGS_A_TIME * np.maximum(times[still], 1.0)]
        if not len(still):
            break
    return Memory(shares, lagged, lags, rows)


def _slowest(both: Floats, shares: Floats) -> Floats:
    """The form of the values of bins that resemble those of the next row most."""
    scale = np.sqrt(np.divide(1.0, shares, out=np.zeros_like(shares), where=shares > 0))
    _, vectors = np.linalg.eigh(scale[:, :, None] * both * scale[:, None, :])
    return _outer(vectors[:, :, -1] * scale)


def _outer(values: Floats) -> Floats:
    outer: Floats = values[:, :, None] * values[:, None, :]
    return outer


def _joint(places: Places, lag: int, bins: int) -> Floats:
    """Shares of pairs of bins, of rows `lag` apart, both ways added."""
    width = places.shape[1]
    codes = places[:-lag] * bins + places[lag:] + np.arange(width) * bins**2
    counts = np.bincount(codes.ravel(), minlength=width * bins**2).reshape(width, bins, bins)
    both: Floats = (counts + counts.transpose(0, 2, 1)) / len(codes)
    return both
