"""Judges one window against the reference and the calibrated thresholds."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fleetloop_shared.drift.anderson_darling import anderson_darling
from fleetloop_shared.drift.bins import Bins
from fleetloop_shared.drift.fisher_z import fisher_z
from fleetloop_shared.drift.jensen_shannon import jensen_shannon
from fleetloop_shared.drift.moments import correlations
from fleetloop_shared.drift.psi import population_stability_index
from fleetloop_shared.drift.rare_bins import rare_bins
from fleetloop_shared.drift.triangular import triangular_discrimination
from fleetloop_shared.profile import LiveProfile, ReferenceProfile, ScaleThresholds
from fleetloop_shared.reports import CorrelationDrift, FeatureDrift

Floats = npt.NDArray[np.float64]

SHOWN_PAIRS = 5
"""How many pairs of features a verdict names at most."""


@dataclass(frozen=True)
class Verdict:
    """What the statistics say about one window.

    Attributes:
        rows: Rows in the window.
        alarm: Whether any statistic has reached its threshold.
        ratio: The largest statistic / threshold.
        features: Every feature, largest ratio first.
        correlations: The pairs at or over their threshold, largest first, five at most.
        score_ratio: Triangular discrimination of the scores / threshold.
    """

    rows: int
    alarm: bool
    ratio: float
    features: list[FeatureDrift]
    correlations: list[CorrelationDrift]
    score_ratio: float


def judge(
    reference: ReferenceProfile, thresholds: ScaleThresholds, profile: LiveProfile
) -> Verdict:
    """The verdict on a window's profile.

    The thresholds keep their false-alarm budget for windows of `thresholds.rows`; with other rows
    the statistics are still right, the alarm is not calibrated.
    """
    features = _features(reference, thresholds, profile)
    pair_ratios, pairs = _pairs(reference, thresholds, profile)
    score = triangular_discrimination(
        np.array(reference.score_counts), np.array(profile.score_counts)
    )
    score_ratio = float(score) / thresholds.score
    ratio = max(
        score_ratio,
        float(pair_ratios.max(initial=0.0)),
        max((f.ratio for f in features), default=0.0),
    )
    return Verdict(
        rows=profile.rows,
        alarm=ratio >= 1.0,
        ratio=ratio,
        features=features,
        correlations=pairs,
        score_ratio=score_ratio,
    )


def _features(
    reference: ReferenceProfile, thresholds: ScaleThresholds, profile: LiveProfile
) -> list[FeatureDrift]:
    bins = Bins([f.edges for f in reference.features])
    expected = bins.fill(
        [f.counts for f in reference.features], [f.missing for f in reference.features]
    )
    seen = bins.fill(profile.counts, profile.missing)
    ordered = np.array([not f.category for f in reference.features])
    order = anderson_darling(expected, seen) * ordered
    share = triangular_discrimination(expected, seen)
    rare = rare_bins(expected, seen)
    ratios = np.maximum(
        order / np.array(thresholds.anderson_darling), share / np.array(thresholds.triangular)
    )
    ratios = np.maximum(ratios, rare / np.array(thresholds.rare))
    psi = population_stability_index(expected, seen)
    js = jensen_shannon(expected, seen)
    present = np.maximum(profile.rows - np.array(profile.missing), 1)
    shift_sd = np.array(profile.sums) / present
    return [
        FeatureDrift(
            name=reference.features[k].name,
            ratio=float(ratios[k]),
            anderson_darling=float(order[k]),
            triangular=float(share[k]),
            rare=float(rare[k]),
            psi=float(psi[k]),
            js=float(js[k]),
            shift=float(shift_sd[k]) * reference.features[k].sd,
            shift_sd=float(shift_sd[k]),
            missing_ratio=profile.missing[k] / max(profile.rows, 1),
        )
        for k in np.argsort(-ratios, kind="stable")
    ]


def _pairs(
    reference: ReferenceProfile, thresholds: ScaleThresholds, profile: LiveProfile
) -> tuple[Floats, list[CorrelationDrift]]:
    width = len(reference.features)
    upper = np.zeros((width, width))
    upper[np.triu_indices(width)] = profile.products
    products = np.where(upper == 0, upper.T, upper)
    live = correlations(profile.rows, np.array(profile.sums), products)
    before = np.array(reference.correlations, np.float64)
    z = fisher_z(before, live, reference.rows, profile.rows)
    ratios = np.abs(z) / thresholds.correlation
    first, second = np.triu_indices(width, 1)
    loud = [k for k in np.argsort(-ratios, kind="stable")[:SHOWN_PAIRS] if ratios[k] >= 1.0]
    return ratios, [
        CorrelationDrift(
            a=reference.features[first[k]].name,
            b=reference.features[second[k]].name,
            reference=float(before[k]),
            live=float(live[k]),
            ratio=float(ratios[k]),
        )
        for k in loud
    ]
