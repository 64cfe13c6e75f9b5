"""The rules of the retraining decision, as one table in order of weight."""

from collections.abc import Callable
from dataclasses import dataclass, field

from fleetloop_hub.records import Verdict
from fleetloop_hub.retraining.advice import Finding
from fleetloop_hub.retraining.evidence import Trigger
from fleetloop_hub.retraining.sight import Sight

_HOUR_S = 3_600.0


@dataclass(frozen=True)
class Claim:
    """What a rule says, where it applies.

    Attributes:
        finding: What the evidence shows.
        reasons: In words, the weightiest first.
        devices: Whom it names.
        version: The version to go back to.
    """

    finding: Finding
    reasons: list[str]
    devices: list[str] = field(default_factory=list)
    version: int | None = None


@dataclass(frozen=True)
class Rule:
    """One line of the table.

    Attributes:
        name: What it is called in a decision.
        trigger: What leads to it.
        asks: What it asks for.
        when: When it applies, in words.
        claim: What it says; None where it does not apply.
    """

    name: str
    trigger: Trigger
    asks: Verdict
    when: str
    claim: Callable[[Sight], Claim | None]


def _asked(sight: Sight) -> Claim | None:
    asked = sight.evidence.asked
    return Claim(Finding.CHANGED, [asked]) if asked else None


def _better_before(sight: Sight) -> Claim | None:
    loss, before = sight.evidence.loss, sight.evidence.predecessor
    if not sight.policy.roll_back or loss is None or before is None:
        return None
    if not loss.proven or not loss.shared or before.low <= 0 or before.hindrance:
        return None
    compared = (
        f"version {before.version} is better on the same {before.rows:,} labelled rows: "
        f"{before.metric.replace('_', ' ')} {before.value:.3f} against {before.champion_value:.3f},"
        f" by at least {before.low:.3f}"
    )
    return Claim(Finding.BETTER_BEFORE, [loss.text, compared], version=before.version)


def _below(sight: Sight) -> Claim | None:
    loss = sight.evidence.loss
    if not sight.policy.by_accuracy or loss is None or not loss.proven or not loss.shared:
        return None
    return Claim(Finding.CHANGED, [loss.text], _names(sight))


def _counted(sight: Sight) -> Claim | None:
    wanted, labels = sight.policy.new_labels, sight.evidence.unlearned
    if not wanted or labels < wanted:
        return None
    text = f"{labels:,} labelled rows that no run has learned from, {wanted:,} are asked for"
    return Claim(Finding.CHANGED, [text])


def _due(sight: Sight) -> Claim | None:
    every_h, since_h = sight.policy.every_h, sight.evidence.since_training_s / _HOUR_S
    if not every_h or since_h < every_h:
        return None
    text = f"the last run ended {since_h:,.1f} h ago, and one every {every_h:g} h is asked for"
    return Claim(Finding.CHANGED, [text])


def _odd_cohort(sight: Sight) -> Claim | None:
    verdict = sight.evidence.verdict
    if not sight.odd_cohorts or verdict is None:
        return None
    plan = "look at what is different there; a retraining would mix two worlds"
    names = [odd.name for odd in verdict.cohorts]
    return Claim(Finding.ODD_COHORT, [f"{verdict.text}: {plan}", *verdict.reasons], names)


def _odd_device(sight: Sight) -> Claim | None:
    odd, verdict = sight.odd_devices, sight.evidence.verdict
    if odd and verdict is not None:
        them = "its sensors" if len(odd) == 1 else "their sensors"
        text = f"{verdict.text}, the others are not: look at {them}, do not retrain"
        return Claim(Finding.ODD_ONE, [text, *verdict.reasons], odd)
    lone = sight.lone_device
    if lone:
        text = f"only {lone} sees drift, {sight.where}: look at its sensors, do not retrain"
        return Claim(Finding.ODD_ONE, [text], [lone])
    return None


def _wrong_device(sight: Sight) -> Claim | None:
    loss = sight.evidence.loss
    if loss is None or not loss.proven or loss.shared or not loss.device:
        return None
    text = f"without {loss.device} the labels are as the gate demands: look at it, do not retrain"
    return Claim(Finding.BAD_LABELS, [f"{loss.text}; {text}"], [loss.device])


def _harmless(sight: Sight) -> Claim | None:
    """Labels weigh more than drift: they say what drift can only suspect."""
    loss = sight.evidence.loss
    patient = sight.policy.drift_without_loss == "wait"
    if not patient or not _is_world(sight) or loss is None or not loss.well:
        return None
    text = "labels weigh more than drift, and the policy waits while they say that all is well"
    return Claim(Finding.HARMLESS, [f"{sight.seen}; {loss.text}: {text}"], _names(sight))


def _drift(sight: Sight) -> Claim | None:
    if not sight.policy.by_drift or not _is_world(sight) or _harmless(sight) is not None:
        return None
    return Claim(Finding.CHANGED, [sight.seen], _names(sight))


def _estimate(sight: Sight) -> Claim | None:
    """Labels weigh more than an estimate, which cannot see that rows mean something else."""
    estimated, loss = sight.evidence.estimated, sight.evidence.loss
    if not sight.policy.by_estimate or estimated is None or not estimated.below:
        return None
    apart = sight.odd_devices or sight.odd_cohorts or sight.lone_device
    if apart or (loss is not None and loss.well):
        return None
    text = (
        f"{estimated.metric.replace('_', ' ')} is estimated at {estimated.value:.3f} without "
        f"labels, at most {estimated.high:.3f}; {estimated.demanded:.3f} is demanded"
    )
    return Claim(Finding.CHANGED, [text], _names(sight))


def _few(sight: Sight) -> Claim | None:
    if not sight.alarmed:
        return None
    unheard = "" if sight.policy.by_drift else "; the spec lets drift trigger nothing"
    if sight.widespread:
        return Claim(Finding.FEW, [f"{sight.seen}{unheard}"], _names(sight))
    text = f"{sight.seen}; fewer than {sight.policy.drift_devices:.0%}"
    return Claim(Finding.FEW, [text], _names(sight))


def _quiet(sight: Sight) -> Claim | None:
    return Claim(Finding.QUIET, [sight.seen])


def _is_world(sight: Sight) -> bool:
    """Whether enough devices see drift, and none of them is odd."""
    return sight.widespread and not sight.odd_cohorts and not sight.odd_devices


def _names(sight: Sight) -> list[str]:
    return sorted(d.device for d in sight.alarmed)


RULES: tuple[Rule, ...] = (
    Rule(
        "a person asks",
        Trigger.PERSON,
        Verdict.RETRAIN,
        "a person has asked for it",
        _asked,
    ),
    Rule(
        "the version before is better",
        Trigger.ACCURACY,
        Verdict.ROLL_BACK,
        "labels prove the champion below its gate, without any one device's labels as well, and "
        "the version before better on the same rows (`roll_back`)",
        _better_before,
    ),
    Rule(
        "labels below the gate",
        Trigger.ACCURACY,
        Verdict.RETRAIN,
        "labels prove the champion below its gate, without any one device's labels as well "
        "(`by_accuracy`)",
        _below,
    ),
    Rule(
        "new labels",
        Trigger.LABELS,
        Verdict.RETRAIN,
        "so many labelled rows have come that no run has learned from (`new_labels`)",
        _counted,
    ),
    Rule(
        "schedule",
        Trigger.SCHEDULE,
        Verdict.RETRAIN,
        "the last run ended so long ago (`every_h`)",
        _due,
    ),
    Rule(
        "odd cohort",
        Trigger.DRIFT,
        Verdict.INVESTIGATE,
        "by its profiles a cohort has moved, and others have not",
        _odd_cohort,
    ),
    Rule(
        "odd device",
        Trigger.DRIFT,
        Verdict.INVESTIGATE,
        "by its profiles a device that sees drift is apart from its peers; where profiles do not "
        "tell, one device alone sees drift for three windows, and all others see none for three",
        _odd_device,
    ),
    Rule(
        "one device's answers",
        Trigger.ACCURACY,
        Verdict.INVESTIGATE,
        "labels are below the gate because of one device's alone, of three or more",
        _wrong_device,
    ),
    Rule(
        "harmless drift",
        Trigger.DRIFT,
        Verdict.WAIT,
        "the fleet sees drift, and labels say that the model is as good as demanded "
        '(`drift_without_loss = "wait"`)',
        _harmless,
    ),
    Rule(
        "fleet drift",
        Trigger.DRIFT,
        Verdict.RETRAIN,
        "a share of `drift_devices` of the reporting devices see drift, and none of them is odd "
        "(`by_drift`)",
        _drift,
    ),
    Rule(
        "estimate below the gate",
        Trigger.ESTIMATE,
        Verdict.RETRAIN,
        "the accuracy estimated without labels is below the gate with its whole interval, nobody "
        "is odd, and labels do not say otherwise (`by_estimate`)",
        _estimate,
    ),
    Rule(
        "few devices see drift",
        Trigger.DRIFT,
        Verdict.WAIT,
        "some devices see drift, fewer than `drift_devices`",
        _few,
    ),
    Rule("quiet", Trigger.DRIFT, Verdict.WAIT, "nothing of all this", _quiet),
)
"""The weightiest first."""
