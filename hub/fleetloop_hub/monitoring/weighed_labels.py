"""What labels of selected rows say about all rows: each weighed by how improbable its sending was.

A device sends the rows that are worth most, so right answers among them are not the accuracy. Where
a row was sent with probability p, it stands for 1 / p rows like it: the weighed share of right
answers is Hajek's estimate (J. Hajek, Comment on a paper by D. Basu, 1971), as sure as that of
(sum of weights)^2 / (sum of their squares) labels of equal weight (L. Kish, Survey Sampling, 1965).
"""

from collections.abc import Iterable

from fleetloop_hub.monitoring.overview import View
from fleetloop_hub.telemetry_records import LabelSums
from fleetloop_hub.validation.shares import wilson

_BUCKETS = 10_000


class WeighedAccuracy(View, frozen=True, kw_only=True):
    """The accuracy that labelled samples show.

    Attributes:
        device: Whose rows, "" for all devices together.
        labels: Labelled samples that are weighed.
        effective_labels: Labels of equal weight that would be as sure.
        value: The weighed share of right answers.
        low: Lower end of its 95 % interval.
        high: Upper end.
    """

    device: str
    labels: int
    effective_labels: float
    value: float
    low: float
    high: float


def weighed(sums: Iterable[LabelSums]) -> list[WeighedAccuracy]:
    """The accuracy of all devices together, then of each.

    Args:
        sums: One a device.
    """
    found = [one for one in sums if one.labels]
    if not found:
        return []
    every = LabelSums(
        "",
        sum(one.labels for one in found),
        sum(one.weight for one in found),
        sum(one.right for one in found),
        sum(one.squares for one in found),
        min(one.least for one in found),
    )
    return [_of(one) for one in (every, *found)]


def _of(sums: LabelSums) -> WeighedAccuracy:
    share = min(1.0, sums.right / sums.weight)
    effective = sums.weight**2 / sums.squares
    low, high = wilson(share * effective, max(1, round(effective)))
    return WeighedAccuracy(
        device=sums.device,
        labels=sums.labels,
        effective_labels=round(effective, 1),
        value=share,
        low=min(low, share),
        high=max(high, share),
    )
