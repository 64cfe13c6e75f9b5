"""What of a live profile is compared between devices: numbers that are nearly normal in peace.

Means and spreads in the reference's standard deviations; shares on the scale where their variance
does not depend on them; correlations on Fisher's scale. The share out of range is left out: a small
difference of means makes a wild one of it, and values that cannot be show in the spread.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from fleetloop_shared.drift.moments import correlations
from fleetloop_shared.drift.rolled import Profiles
from fleetloop_shared.manifest import Feature
from fleetloop_shared.profile import (
    SCORE_BINS,
    LiveProfile,
    ReferenceFeature,
    ReferenceProfile,
)

Floats = npt.NDArray[np.float64]

KINDS: Final = ("mean", "spread", "missing", "category", "correlation", "score")
"""Each kind has its own scale, and an equal part of the chance of a false word."""

_LEAST_SPREAD = 1e-4
_ROUNDING = 1 / 12
"""What the steps of products add to their variance, at most."""

_NEARLY_ONE = 1.0 - 1e-6
_PLACES = (np.arange(SCORE_BINS) + 0.5) / SCORE_BINS


@dataclass(frozen=True)
class Measure:
    """One number of a profile.

    Attributes:
        kind: One of `KINDS`.
        feature: What it is about.
        other: The second feature of a correlation, the category.
        unit: One of it in the feature's own unit; for kinds that are shares or the like 1.
        origin: What it counts from, in the feature's own unit.
        unit_name: What the feature is measured in, where the size is in its unit.
    """

    kind: str
    feature: str
    other: str = ""
    unit: float = 1.0
    origin: float = 0.0
    unit_name: str = ""

    def plain(self, value: float) -> float:
        """A value of it in plain numbers: the feature's unit, a share, a correlation."""
        match self.kind:
            case "mean":
                return self.origin + value * self.unit
            case "spread":
                return float(np.exp(value)) * self.unit
            case "missing" | "category":
                return float(np.sin(np.clip(value / 2, 0.0, np.pi / 2)) ** 2)
            case "correlation":
                return float(np.tanh(value))
            case _:
                return value


class Measures:
    """The measures of every profile that was taken on one reference.

    Attributes:
        list: What each place of `of` is about.
        kind: The place of its kind in `KINDS`, for each of them.
    """

    def __init__(self, reference: ReferenceProfile, described: Sequence[Feature] = ()) -> None:
        """Choose what can be compared.

        A category's numbers and those of a feature that did not vary say nothing as numbers: the
        shares of their bins are compared instead.

        Args:
            reference: What the profiles were taken on.
            described: The model's features, for the names of units and categories.
        """
        units = {f.name: f.unit for f in described}
        names = {f.name: f.categories for f in described}
        features = reference.features
        varies = [sum(count > 0 for count in f.counts) > 1 for f in features]
        self._numbers = [k for k, f in enumerate(features) if varies[k] and not f.category]
        self._names = [k for k in range(len(features)) if k not in set(self._numbers)]
        first, second = np.triu_indices(len(features), 1)
        self._both = np.isin(first, self._numbers) & np.isin(second, self._numbers)
        numbers = [features[k] for k in self._numbers]
        total = max(sum(reference.score_counts), 1)
        self.list = [
            *(
                Measure("mean", f.name, unit=f.sd, origin=f.mean, unit_name=units.get(f.name, ""))
                for f in numbers
            ),
            *(
                Measure("spread", f.name, unit=f.sd, unit_name=units.get(f.name, ""))
                for f in numbers
            ),
            *(Measure("missing", f.name) for f in features),
            *(
                Measure("category", features[k].name, bin_name)
                for k in self._names
                for bin_name in _bin_names(features[k], names.get(features[k].name, []))
            ),
            *(
                Measure("correlation", features[a].name, features[b].name)
                for a, b in zip(first[self._both], second[self._both], strict=True)
            ),
            Measure("score", "the score"),
        ]
        self.kind = np.array([KINDS.index(m.kind) for m in self.list])
        self._place = {
            (m.kind, frozenset([m.feature, m.other][: 2 if m.kind == "correlation" else 1])): j
            for j, m in enumerate(self.list)
            if m.kind != "category"
        }
        shares = np.array(reference.score_counts) / total
        self._score_variance = float(shares @ _PLACES**2 - (shares @ _PLACES) ** 2)
        self._profiles = Profiles(reference)

    def of(self, profile: LiveProfile) -> Floats:
        """The measures of a profile, in the order of `list`; it has rows."""
        rows, missing = max(profile.rows, 1), np.array(profile.missing, np.float64)
        present = np.maximum(profile.rows - missing, 1.0)
        sums, products = np.array(profile.near_sums), self._profiles.near_products(profile)
        mean = np.array(profile.sums) / present
        spread = np.diagonal(products) / present - (sums / present) ** 2
        spread = 0.5 * np.log(np.maximum(spread, _LEAST_SPREAD))
        pairs = correlations(rows, sums, products)[self._both]
        scores = np.array(profile.score_counts, np.float64)
        shares = [np.array(profile.counts[k]) / present[k] for k in self._names]
        return np.concatenate(
            [
                mean[self._numbers],
                spread[self._numbers],
                _stable(missing / rows),
                *(_stable(share) for share in shares),
                np.arctanh(np.clip(pairs, -_NEARLY_ONE, _NEARLY_ONE)),
                [scores @ _PLACES / max(scores.sum(), 1.0)],
            ]
        )

    def variance(self, rows: float) -> Floats:
        """Of each measure among equal devices whose rows are independent: never less than this."""
        rounding = 1 + _ROUNDING
        of_kind = np.array([1.0, 0.5 * rounding, 1.0, 1.0, rounding, self._score_variance])
        variance: Floats = of_kind[self.kind] / max(rows - 3, 1.0)
        return np.maximum(variance, 1e-12)

    def exchanged(self, values: Floats, one: str, other: str) -> Floats:
        """What the measures would be if two features had each other's wire.

        Args:
            values: Measures, in the order of `list`.
            one: A feature with numbers.
            other: Another one.
        """
        names = {one: other, other: one}
        found = values.copy()
        for j, measure in enumerate(self.list):
            pair = [names.get(measure.feature, measure.feature)]
            if measure.kind == "correlation":
                pair.append(names.get(measure.other, measure.other))
            source = self._place.get((measure.kind, frozenset(pair)))
            if source is None or measure.kind == "category":
                continue
            found[j] = values[source]
            if measure.kind == "mean":
                found[j] = (self.list[source].plain(values[source]) - measure.origin) / measure.unit
            elif measure.kind == "spread":
                found[j] += np.log(self.list[source].unit / measure.unit)
        return found


def _bin_names(feature: ReferenceFeature, categories: list[str]) -> list[str]:
    """What falls into each bin of a category, or of a number by the bin's edges."""
    alone = [-0.5 + k for k in range(len(categories))]
    if feature.category and feature.edges == alone:
        return ["no known category", *categories]
    if not feature.edges:
        return ["any value"]
    within = [
        f"{a:.6g}" if np.nextafter(np.float32(a), np.float32(b)) == b else f"{a:.6g} to {b:.6g}"
        for a, b in itertools.pairwise(feature.edges)
    ]
    return [f"below {feature.edges[0]:.6g}", *within, f"{feature.edges[-1]:.6g} or more"]


def _stable(shares: Floats) -> Floats:
    r"""$2 \arcsin \sqrt{p}$: its variance is 1 / rows whatever the share."""
    stable: Floats = 2 * np.arcsin(np.sqrt(np.clip(shares, 0.0, 1.0)))
    return stable
