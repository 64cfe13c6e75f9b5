"""How features have left training, in words: by their values, or by their shares of the rows."""

from fleetloop_hub.monitoring.drift_words import number
from fleetloop_shared.profile import (
    UNLISTED_EDGE,
    LiveProfile,
    ReferenceFeature,
    ReferenceProfile,
)
from fleetloop_shared.reports import FeatureDrift

_CLEAR_SD = 0.05
_CLEAR_SHARE = 0.005


def strayed(drift: FeatureDrift, reference: ReferenceProfile, live: LiveProfile) -> str:
    """What has moved in a feature, and how far.

    Args:
        drift: Of the feature.
        reference: The training rows.
        live: The rows that have moved.
    """
    [k] = [k for k, feature in enumerate(reference.features) if feature.name == drift.name]
    feature = reference.features[k]
    here, there = live.missing[k] / max(live.rows, 1), feature.missing / max(reference.rows, 1)
    if feature.category:
        moved, words = _category(feature, live.counts[k])
    else:
        moved, words = 0.0, "has another distribution than in training"
        if abs(drift.shift_sd) >= _CLEAR_SD:
            way = "higher" if drift.shift > 0 else "lower"
            return f"{drift.name} reads {number(abs(drift.shift))} {way} than in training"
    if abs(here - there) >= max(_CLEAR_SHARE, moved):
        words = f"is missing in {here:.1%} of the rows, {there:.1%} in training"
    return f"{drift.name} {words}"


def _category(feature: ReferenceFeature, counts: list[int]) -> tuple[float, str]:
    """The bin whose share has moved furthest, unlisted values first among equals."""
    rows, before = max(sum(counts), 1), max(sum(feature.counts), 1)
    shares = [(n / rows, m / before) for n, m in zip(counts, feature.counts, strict=True)]
    top = max(range(len(shares)), key=lambda j: (round(abs(shares[j][0] - shares[j][1]), 9), -j))
    here, there = shares[top]
    if feature.edges[:1] == [UNLISTED_EDGE] and top == 0:
        words = f"is unlisted in {here:.1%} of the rows, {there:.1%} in training"
    else:
        words = f"is another category than in training in {abs(here - there):.1%} of the rows"
    return abs(here - there), words
