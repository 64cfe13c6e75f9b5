"""Labelled rows of one version, weighed until they look as the rows of a profile do.

First the shares of every feature's bins and of the scores are met (`raking`), then the few means of
squares and products that are still clearly off (`tilting`), in turns. What cannot be met is said.
"""

from dataclasses import dataclass

import numpy as np

from fleetloop_hub.monitoring.raking import SWEEPS, Floats, Places, effective, rake
from fleetloop_hub.monitoring.tilting import tilt
from fleetloop_shared.drift.bins import score_places
from fleetloop_shared.drift.moments import scales, standardise
from fleetloop_shared.drift.rolled import Profiles
from fleetloop_shared.manifest import Signature
from fleetloop_shared.profile import SCORE_BINS, LiveProfile, ReferenceProfile

FEWEST_ROWS = 100
"""Rows in a profile, below which nothing is estimated."""

FEWEST_EFFECTIVE = 50
"""Labelled rows, of equal weight, that must be left."""

LARGEST_UNSEEN = 0.05
"""Share of a profile's rows in bins without labelled rows, above which nothing is estimated."""

FARTHEST = 0.25
"""How far a mean square or product may stay off, in the reference's standard deviations."""

_MOMENTS = 6
_CLEAR = 4.0
_TURNS = 5
_FIRST_SWEEPS = 3


@dataclass(frozen=True)
class Weighed:
    """Weights, or why there are none.

    Attributes:
        weights: One a labelled row, adding up to 1.
        effective: How many rows of equal weight they are worth.
        refused: Why they must not be used, in words; "" if they may.
    """

    weights: Floats
    effective: float
    refused: str = ""


class Scales:
    """The labelled rows of one version, ready to be weighed."""

    def __init__(
        self,
        reference: ReferenceProfile,
        signature: Signature,
        values: np.ndarray[tuple[int, int], np.dtype[np.float32]],
        scores: Floats,
    ) -> None:
        """Put every row into the bins that devices count by.

        Args:
            reference: The bins, and the scales of moments.
            signature: Names of the features, and the range of scores.
            values: The labelled rows, shape (rows, features).
            scores: What the model says about each.
        """
        self._names = [*(feature.name for feature in reference.features), "the score"]
        self._bins = [len(feature.counts) + 1 for feature in reference.features] + [SCORE_BINS]
        self._places = np.empty((len(self._bins), len(values)), np.int64)
        for k, feature in enumerate(reference.features):
            self._places[k] = _bins(values[:, k], feature.edges)
        self._places[-1] = score_places(scores, signature.score_low, signature.score_high)
        self._held = [
            np.bincount(place, minlength=bins) / len(values)
            for place, bins in zip(self._places, self._bins, strict=True)
        ]
        self._u = standardise(values, *scales(reference.features))
        self._profiles = Profiles(reference)
        self._first, self._second = np.triu_indices(len(reference.features))

    def weigh(self, profile: LiveProfile) -> Weighed:
        """Weights under which the labelled rows look as a profile's rows do."""
        rows = self._places.shape[1]
        even = np.full(rows, 1 / rows)
        if [len(counts) + 1 for counts in profile.counts] != self._bins[:-1]:
            return Weighed(even, rows, "these rows were counted by the bins of another model")
        if profile.rows < FEWEST_ROWS:
            why = f"{profile.rows:,} rows are too few: {FEWEST_ROWS} are needed"
            return Weighed(even, rows, why)
        seen = [[*c, m] for c, m in zip(profile.counts, profile.missing, strict=True)]
        counts = [np.array(c, np.float64) for c in [*seen, profile.score_counts]]
        if unseen := self._unseen(counts, profile.rows):
            return Weighed(even, rows, unseen)
        shares = [self._smooth(c, held) for c, held in zip(counts, self._held, strict=True)]
        weights, off = self._balance(even, shares, profile)
        left = effective(weights)
        if left < FEWEST_EFFECTIVE:
            off = (
                f"of {rows:,} labelled rows {left:.0f} are left that look like these: "
                f"{FEWEST_EFFECTIVE} are needed"
            )
        return Weighed(weights, left, off)

    def _unseen(self, counts: list[Floats], rows: int) -> str:
        """The first feature too many of whose values no labelled row has; "" if there is none."""
        for name, count, held in zip(self._names, counts, self._held, strict=True):
            unseen = float(count[held == 0].sum() / rows)
            if unseen > LARGEST_UNSEEN:
                return f"{unseen:.0%} of the rows have values of {name} that no labelled row has"
        return ""

    def _smooth(self, count: Floats, held: Floats) -> Floats:
        """Wanted shares: as if some rows more had been seen, half a row a bin, spread as labelled.

        So a bin that a short profile happens not to hold does not void its labelled rows.
        """
        known = np.where(held > 0, count, 0.0) + held * len(held) / 2
        shares: Floats = known / known.sum()
        return shares

    def _balance(
        self, even: Floats, shares: list[Floats], profile: LiveProfile
    ) -> tuple[Floats, str]:
        """Weights, and what they could not be brought to, in words."""
        weights = rake(even, self._places, shares, _FIRST_SWEEPS)
        wanted = self._profiles.near_products(profile)[self._first, self._second] / profile.rows
        off = self._clearly_off(weights, wanted, profile.rows)
        if not off:
            return rake(weights, self._places, shares, SWEEPS - _FIRST_SWEEPS), ""
        for _ in range(_TURNS):
            for k in off:
                weights = tilt(weights, self._moment(k), wanted[k])
            weights = rake(weights, self._places, shares, 1)
        return weights, self._left_over(weights, wanted, off)

    def _clearly_off(self, weights: Floats, wanted: Floats, rows: int) -> list[int]:
        """Mean squares and products that chance does not explain, the clearest first."""
        mean, square = self._moments(weights)
        variance = np.maximum(square - mean**2, 1e-12)
        noise = np.sqrt(variance * (1 / rows + (weights**2).sum()))
        clear = np.abs(wanted - mean) / noise
        return [int(k) for k in np.argsort(-clear)[:_MOMENTS] if clear[k] > _CLEAR]

    def _moments(self, weights: Floats) -> tuple[Floats, Floats]:
        """Weighted means of all squares and products of two features, and of their squares."""
        weighted = self._u * weights[:, None]
        mean = weighted.T @ self._u
        square = (weighted * self._u).T @ self._u**2
        return mean[self._first, self._second], square[self._first, self._second]

    def _moment(self, k: int) -> Floats:
        moment: Floats = self._u[:, self._first[k]] * self._u[:, self._second[k]]
        return moment

    def _left_over(self, weights: Floats, wanted: Floats, off: list[int]) -> str:
        mean, _ = self._moments(weights)
        for k in off:
            limit = FARTHEST * max(1.0, abs(float(wanted[k])))
            if abs(float(wanted[k] - mean[k])) > limit:
                one, other = self._names[self._first[k]], self._names[self._second[k]]
                what = (
                    f"values of {one} go farther" if one == other else f"{one} and {other} differ"
                )
                return f"{what} than any weighing of the labelled rows does"
        return ""


def _bins(column: np.ndarray[tuple[int], np.dtype[np.float32]], edges: list[float]) -> Places:
    """The bin of each value; a missing one has the last."""
    places = np.searchsorted(np.array(edges, np.float32), column, side="right")
    places[np.isnan(column)] = len(edges) + 1
    return places.astype(np.int64)
