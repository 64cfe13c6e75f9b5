"""What the demo found, computed from what really happened, and whether the loop closed."""

import math
from dataclasses import dataclass

import msgspec

_Z95 = 1.959964


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The demo's result; every number was read off the running system.

    Attributes:
        closed: Whether the loop really closed.
        missing: What did not happen, in words, if it did not.
        champion_before: Version that the fleet ran before the world changed.
        champion_after: Version that it ran at the end.
        accuracy_before: Of the former on the held-out rows, by the devices' own bytes and runtime.
        accuracy_after: Of the latter on the same rows, as the devices answered over HTTP.
        accuracy_gain: The difference.
        accuracy_gain_low: Lower end of its 95 % interval (paired over rows).
        accuracy_gain_high: Upper end of it.
        held_out_rows: How many rows these were.
        drift_alarms: Windows that were alarms, until the retraining.
        first_drift_after_rows: Rows a device had served when the first alarm came.
        devices: How many there were.
        devices_committed: How many had committed the last champion.
        resumed_fetches: Fetches taken up again after a kill.
        artifact_bytes: Size of the last champion's artifact.
        float_bytes: Size of its float32 form.
        hub_egress_bytes: All that the hub has sent to the broker.
        reports_sent: Reports that devices have written.
        reports_stored: Reports that the hub has stored.
        seconds: How long the demo took.
        console: Where the console was.
    """

    closed: bool
    missing: list[str]
    champion_before: int | None = None
    champion_after: int | None = None
    accuracy_before: float | None = None
    accuracy_after: float | None = None
    accuracy_gain: float | None = None
    accuracy_gain_low: float | None = None
    accuracy_gain_high: float | None = None
    held_out_rows: int = 0
    drift_alarms: int = 0
    first_drift_after_rows: int | None = None
    devices: int = 0
    devices_committed: int = 0
    resumed_fetches: int = 0
    artifact_bytes: int | None = None
    float_bytes: int | None = None
    hub_egress_bytes: int = 0
    reports_sent: int = 0
    reports_stored: int = 0
    seconds: float = 0.0
    console: str = ""


@dataclass(frozen=True)
class Comparison:
    """Two versions on the same rows.

    Attributes:
        before: Accuracy of the first.
        after: Accuracy of the second.
        low: Lower end of the 95 % interval of the gain.
        high: Upper end of it.
        rows: How many rows.
    """

    before: float
    after: float
    low: float
    high: float
    rows: int


def compare(before: list[int], after: list[int], truth: list[int]) -> Comparison:
    """Accuracy before and after, with a normal interval of the paired difference.

    >>> compare([0, 0, 1, 1], [1, 0, 1, 1], [1, 0, 1, 1]).after
    1.0
    """
    right_before = [int(b == t) for b, t in zip(before, truth, strict=True)]
    right_after = [int(a == t) for a, t in zip(after, truth, strict=True)]
    gains = [a - b for a, b in zip(right_after, right_before, strict=True)]
    rows = len(gains)
    mean = sum(gains) / rows
    spread = math.sqrt(sum((g - mean) ** 2 for g in gains) / max(1, rows - 1) / rows)
    return Comparison(
        before=sum(right_before) / rows,
        after=sum(right_after) / rows,
        low=mean - _Z95 * spread,
        high=mean + _Z95 * spread,
        rows=rows,
    )


def judge(summary: Summary) -> Summary:
    """The summary with its verdict: what has to be true for the loop to have closed."""
    before, after = summary.champion_before, summary.champion_after
    demands = {
        "no version was released": before is not None,
        "no device saw drift": summary.drift_alarms > 0,
        "no better version took over": before is not None and after is not None and after > before,
        "the gain in accuracy is not beyond chance": (summary.accuracy_gain_low or 0.0) > 0.0,
        "not every device runs the champion": (
            after is not None and summary.devices_committed == summary.devices
        ),
        "the killed device did not resume its fetch": summary.resumed_fetches > 0,
        "reports were lost": 0 < summary.reports_sent == summary.reports_stored,
    }
    missing = [words for words, met in demands.items() if not met]
    return msgspec.structs.replace(summary, closed=not missing, missing=missing)
