"""The reference's rows by the bins they fall into, scores included."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fleetloop_shared.drift.bins import Bins, score_places
from fleetloop_shared.drift.moments import scales, standardise
from fleetloop_shared.profile import SCORE_BINS, ReferenceProfile

Rows = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Binned:
    """Rows of a reference, counted one by one; the score is one more feature, the last.

    Attributes:
        places: The bin of each value, shape (rows, features + 1); missing is the last bin.
        counts: Rows in each bin, shape (features + 1, bins).
        ordered: Whether a feature's bins have an order; the score's are not judged by it.
        moved: Distances from the mean in standard deviations, shape (rows, features).
    """

    places: Places
    counts: Places
    ordered: npt.NDArray[np.bool_]
    moved: Floats

    @property
    def rows(self) -> int:
        """How many."""
        return len(self.places)

    @property
    def shares(self) -> Floats:
        """Of the bins, shape (features + 1, bins)."""
        return self.counts / self.rows


def binned(reference: ReferenceProfile, rows: Rows, scores: Floats) -> Binned:
    """Find the bin of every value.

    Args:
        reference: The profile of the rows.
        rows: In order of time, NaN where missing, shape (rows, features).
        scores: Of 0 to 1, see `scaled_scores`.
    """
    features = reference.features
    shape = Bins([f.edges for f in features]).fill([], [0] * len(features)).shape
    bins = max(shape[1], SCORE_BINS)
    places = np.empty((len(rows), len(features) + 1), np.int64)
    for k, feature in enumerate(features):
        places[:, k] = bins_of(feature.edges, rows[:, k], bins - 1)
    places[:, -1] = score_places(scores)
    return Binned(
        places,
        count_places(places[None], bins)[0],
        np.array([not f.category for f in features] + [False]),
        standardise(rows, *scales(features)),
    )


def bins_of(edges: list[float], column: Rows, missing: int) -> Places:
    """The bin of each value, as `Bins` counts them.

    Args:
        edges: Inner edges of the bins.
        column: The values, NaN where missing.
        missing: The bin of a missing value.
    """
    places = np.searchsorted(np.array(edges, np.float32), column, side="right")
    return np.where(np.isnan(column), missing, places)


def count_places(places: Places, bins: int) -> Places:
    """Rows in each bin, by window.

    Args:
        places: Shape (windows, rows, features).
        bins: How many bins there are.

    Returns:
        Shape (windows, features, bins).
    """
    windows, _, width = places.shape
    first = np.arange(windows * width).reshape(windows, 1, width) * bins
    counts = np.bincount((places + first).ravel(), minlength=windows * width * bins)
    return counts.reshape(windows, width, bins)
