"""From evidence to a decision, as a pure function that can say why.

Many devices that see the same drift are a changed world; one among many is a device with a broken
sensor, and nothing is trained on that. Where the devices' profiles tell who has moved, that is
believed; where they do not yet, the devices that see drift are counted.
"""

from dataclasses import dataclass
from enum import StrEnum

from fleetloop_hub.records import Verdict
from fleetloop_hub.spec.fleet_tables import RetrainTable
from fleetloop_hub.verdict_records import FleetVerdict, Who

_ENOUGH_TO_COMPARE = 3
_WINDOWS_ALONE = 3


class Finding(StrEnum):
    """What the evidence shows; the log notes each once, however often it is looked at."""

    QUIET = "quiet"
    FEW = "few devices see drift"
    ODD_ONE = "one odd device"
    ODD_COHORT = "an odd cohort"
    NOT_YET = "a changed world, not yet to be learned"
    LEARNED = "a changed world, and no rows that have not been learned from"
    CHANGED = "a changed world"


_NOTHING_TO_TRAIN = (
    "the spec names no candidates to train: import a newer model with `fleetloop models import`, "
    "or add [[candidates]]"
)


@dataclass(frozen=True)
class DeviceDrift:
    """What a device's last window under the champion said.

    Attributes:
        device: Its id.
        alarms: How many windows in a row, up to that one, were alarms.
        quiet: How many windows in a row, up to that one, were none.
        ratio: Largest statistic / threshold.
        feature: The feature with the largest ratio.
    """

    device: str
    alarms: int
    quiet: int
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
        verdict: Who has moved, by the devices' profiles; None without them.
        learned: Why training would give what there is already, None where it might not.
    """

    drift: list[DeviceDrift]
    labels: int
    since_training_s: float
    busy: str | None = None
    verdict: FleetVerdict | None = None
    learned: str | None = None


@dataclass(frozen=True)
class Advice:
    """What to do and why.

    Attributes:
        finding: What the evidence shows.
        verdict: What to do about it.
        trigger: What led to it.
        reasons: In words, the weightiest first.
        devices: The devices that it names, or cohorts where those are odd.
        numbers: The evidence in numbers.
    """

    finding: Finding
    verdict: Verdict
    trigger: str
    reasons: list[str]
    devices: list[str]
    numbers: dict[str, float]

    @property
    def noted_once(self) -> tuple[str, ...]:
        """Advice that agrees in this is written down once: the same finding, about the same odd."""
        if self.finding is Finding.LEARNED:
            return (self.finding, self.reasons[-1])
        odd = self.finding in {Finding.ODD_ONE, Finding.ODD_COHORT}
        return (self.finding, *(self.devices if odd else []))


def decide(evidence: Evidence, policy: RetrainTable, *, trainable: bool = True) -> Advice:
    """What the evidence asks for under this policy.

    Args:
        evidence: What has been seen.
        policy: When and on what the model is trained anew.
        trainable: Whether there is something to train; an imported model has its trainer elsewhere.
    """
    alarmed = [d for d in evidence.drift if d.alarms]
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
        quiet = ["no device sees drift"]
        return Advice(Finding.QUIET, Verdict.WAIT, "drift", quiet, [], numbers)
    top = max(alarmed, key=lambda d: d.ratio)
    where = f"most in {top.feature} ({top.ratio:.1f} times its threshold)"
    apart = _apart(evidence, policy, numbers)
    if apart is not None:
        return apart
    if share < policy.drift_devices:
        if _is_odd(alarmed, evidence.drift):
            reason = f"only {top.device} sees drift, {where}: look at its sensors, do not retrain"
            return Advice(Finding.ODD_ONE, Verdict.INVESTIGATE, "drift", [reason], names, numbers)
        reason = f"{seen}, {where}; fewer than {policy.drift_devices:.0%}"
        return Advice(Finding.FEW, Verdict.WAIT, "drift", [reason], names, numbers)
    learned = evidence.learned if trainable else None
    blocker = _blocker(evidence, policy) if trainable else _NOTHING_TO_TRAIN
    if learned is not None or blocker is not None:
        finding = Finding.NOT_YET if learned is None else Finding.LEARNED
        reasons = [f"{seen}, {where}", learned] if learned else [f"{seen}, {where}; {blocker}"]
        return Advice(finding, Verdict.WAIT, "drift", reasons, names, numbers)
    reasons = [f"{seen}, {where}", f"{evidence.labels:,} new labelled rows to learn from"]
    return Advice(Finding.CHANGED, Verdict.RETRAIN, "drift", reasons, names, numbers)


def _apart(evidence: Evidence, policy: RetrainTable, numbers: dict[str, float]) -> Advice | None:
    """What follows if profiles name devices or cohorts that are apart, and the rest has not moved.

    A device must see drift itself as well: that is what the budget of false alarms is kept for.
    Where so many of the others see it, too, that the policy calls it the world, none is odd.
    """
    verdict = evidence.verdict
    if verdict is None:
        return None
    if verdict.who is Who.COHORTS:
        names = [odd.name for odd in verdict.cohorts]
        plan = "look at what is different there; a retraining would mix two worlds"
        reasons = [f"{verdict.text}: {plan}", *verdict.reasons]
        return Advice(Finding.ODD_COHORT, Verdict.INVESTIGATE, "drift", reasons, names, numbers)
    alarmed = {d.device for d in evidence.drift if d.alarms}
    odd = [odd.name for odd in verdict.devices if odd.name in alarmed]
    others = [d for d in evidence.drift if d.device not in odd]
    seeing = sum(d.alarms > 0 for d in others)
    world = bool(others) and seeing >= policy.drift_devices * len(others)
    if verdict.who is not Who.DEVICES or not odd or world:
        return None
    them = "its sensors" if len(odd) == 1 else "their sensors"
    reasons = [
        f"{verdict.text}, the others are not: look at {them}, do not retrain",
        *verdict.reasons,
    ]
    return Advice(Finding.ODD_ONE, Verdict.INVESTIGATE, "drift", reasons, odd, numbers)


def _is_odd(alarmed: list[DeviceDrift], reporting: list[DeviceDrift]) -> bool:
    """One device alone, for so long that it is neither the first nor the last to see a change."""
    quiet = [d for d in reporting if d.quiet >= _WINDOWS_ALONE]
    return (
        len(alarmed) == 1
        and alarmed[0].alarms >= _WINDOWS_ALONE
        and len(reporting) >= _ENOUGH_TO_COMPARE
        and len(quiet) == len(reporting) - 1
    )


def _blocker(evidence: Evidence, policy: RetrainTable) -> str | None:
    if evidence.busy is not None:
        return f"waiting: {evidence.busy}"
    if evidence.labels < policy.min_labels:
        return f"waiting for labels: {evidence.labels:,} of {policy.min_labels:,}"
    if evidence.since_training_s < policy.cooldown_s:
        left = policy.cooldown_s - evidence.since_training_s
        return f"cooling down for {left:.0f} s more since the last training"
    return None
