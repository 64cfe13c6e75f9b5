"""Weighs champion and challenger on the same rows: agreement, and who is right where labels came.

Only rows on which exactly one of the two is right say which is better, as in McNemar's test (1947);
here the share of them that the challenger has right is bounded so that it may be looked at any time
(`mixture`). The difference of the accuracies is that share, turned around 1/2, times how many such
rows there are.
"""

import msgspec

from fleetloop_hub.shadowing.mixture import bounds
from fleetloop_shared.shadow_report import Labelled, ShadowCounts


class Weighed(msgspec.Struct, frozen=True, kw_only=True):
    """What counts say; every interval holds at all looks together.

    Attributes:
        rows: Rows that both have scored.
        agreement: Share of the same answers, None without rows.
        agreement_low: Where its interval begins.
        agreement_high: Where it ends.
        labels: Rows whose label came.
        champion_accuracy: Share of those that the champion had right, None without labels.
        challenger_accuracy: The same of the challenger.
        points: The challenger's accuracy less the champion's, in points of a hundred.
        points_low: Where its interval begins.
        points_high: Where it ends.
    """

    rows: int
    agreement: float | None
    agreement_low: float
    agreement_high: float
    labels: int
    champion_accuracy: float | None
    challenger_accuracy: float | None
    points: float | None
    points_low: float
    points_high: float


def weigh(counts: ShadowCounts, confidence: float) -> Weighed:
    """What counts say.

    Args:
        counts: Of all devices, or of some.
        confidence: Of each interval.
    """
    alpha = 1 - confidence
    low, high = bounds(counts.agreed, counts.rows - counts.agreed, alpha)
    labelled = counts.labelled
    apart = labelled.only_champion, labelled.only_challenger
    labels = labelled.both + labelled.neither + sum(apart)
    points_low, points_high = _difference(labelled, labels, alpha)
    return Weighed(
        rows=counts.rows,
        agreement=counts.agreed / counts.rows if counts.rows else None,
        agreement_low=low,
        agreement_high=high,
        labels=labels,
        champion_accuracy=(labelled.both + apart[0]) / labels if labels else None,
        challenger_accuracy=(labelled.both + apart[1]) / labels if labels else None,
        points=100 * (apart[1] - apart[0]) / labels if labels else None,
        points_low=points_low,
        points_high=points_high,
    )


def _difference(labelled: Labelled, labels: int, alpha: float) -> tuple[float, float]:
    """Between what the difference of the accuracies is, in points; each part with half of alpha."""
    mine, theirs = labelled.only_challenger, labelled.only_champion
    share_low, share_high = bounds(mine, theirs, alpha / 2)
    few, many = bounds(mine + theirs, labels - mine - theirs, alpha / 2)
    low, high = 2 * share_low - 1, 2 * share_high - 1
    return 100 * low * (many if low < 0 else few), 100 * high * (few if high < 0 else many)
