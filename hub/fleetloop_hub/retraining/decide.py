"""From evidence to a decision, as a pure function that can say why.

Many devices that see the same drift are a changed world; one among many is a device with a broken
sensor, and nothing is trained on that.
"""

from dataclasses import dataclass

from fleetloop_hub.records import Verdict
from fleetloop_hub.spec import RetrainTable

_ENOUGH_TO_COMPARE = 3


@dataclass(frozen=True)
class DeviceDrift:
    """What a device's last window under the champion said.

    Attributes:
        device: Its id.
        alarm: Whether that window was an alarm.
        ratio: Largest statistic / threshold.
        feature: The feature with the largest ratio.
    """

    device: str
    alarm: bool
    ratio: float
    feature: str


@dataclass(frozen=True)
class Evidence:
    """All that a decision rests on.

    Attributes:
        drift: The last window of every device that has reported one.
        labels: Labelled rows that no dataset version holds yet.
        since_training_s: Seconds since the last run ended.
        busy: What keeps the hub from training now, if anything.
    """

    drift: list[DeviceDrift]
    labels: int
    since_training_s: float
    busy: str | None = None


@dataclass(frozen=True)
class Advice:
    """What to do and why.

    Attributes:
        verdict: What to do.
        trigger: What led to it.
        reasons: In words, the weightiest first.
        devices: The devices that it names.
        numbers: The evidence in numbers.
    """

    verdict: Verdict
    trigger: str
    reasons: list[str]
    devices: list[str]
    numbers: dict[str, float]


def decide(evidence: Evidence, policy: RetrainTable) -> Advice:
    """What the evidence asks for under this policy."""
    alarmed = [d for d in evidence.drift if d.alarm]
    share = len(alarmed) / len(evidence.drift) if evidence.drift else 0.0
    numbers = {
        "devices_reporting": float(len(evidence.drift)),
        "devices_with_drift": float(len(alarmed)),
        "largest_ratio": max((d.ratio for d in evidence.drift), default=0.0),
        "new_labels": float(evidence.labels),
    }
    names = sorted(d.device for d in alarmed)
    seen = f"{len(alarmed)} of {len(evidence.drift)} devices see drift"
    if not alarmed:
        return Advice(Verdict.WAIT, "drift", ["no device sees drift"], [], numbers)
    top = max(alarmed, key=lambda d: d.ratio)
    where = f"most in {top.feature} ({top.ratio:.1f} times its threshold)"
    if share < policy.drift_devices:
        if len(evidence.drift) >= _ENOUGH_TO_COMPARE and len(alarmed) == 1:
            reason = f"only {top.device} sees drift, {where}: look at its sensors, do not retrain"
            return Advice(Verdict.INVESTIGATE, "drift", [reason], names, numbers)
        reason = f"{seen}, fewer than {policy.drift_devices:.0%}"
        return Advice(Verdict.WAIT, "drift", [reason], names, numbers)
    blocker = _blocker(evidence, policy)
    if blocker is not None:
        return Advice(Verdict.WAIT, "drift", [f"{seen}, {where}", blocker], names, numbers)
    labels = f"{evidence.labels:,} new labelled rows to learn from"
    return Advice(Verdict.RETRAIN, "drift", [f"{seen}, {where}", labels], names, numbers)


def _blocker(evidence: Evidence, policy: RetrainTable) -> str | None:
    if evidence.busy is not None:
        return f"waiting: {evidence.busy}"
    if evidence.labels < policy.min_labels:
        return f"waiting for labels: {evidence.labels:,} of {policy.min_labels:,}"
    if evidence.since_training_s < policy.cooldown_s:
        left = policy.cooldown_s - evidence.since_training_s
        return f"cooling down for {left:.0f} s more since the last training"
    return None
