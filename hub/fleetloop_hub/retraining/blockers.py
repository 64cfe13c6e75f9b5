"""What a retraining or a roll-back still waits for, in words."""

from fleetloop_hub.records import Verdict
from fleetloop_hub.retraining.evidence import Evidence, Trigger
from fleetloop_hub.retraining.rules import Rule
from fleetloop_hub.spec.retrain_table import RetrainTable

_NOTHING_TO_TRAIN = (
    "the spec names no candidates to train: import a newer model with `fleetloop models import`, "
    "or add [[candidates]]"
)
_OF_THE_LOSS = frozenset({Trigger.ACCURACY, Trigger.ESTIMATE, Trigger.LABELS, Trigger.SCHEDULE})


def blocker(rule: Rule, evidence: Evidence, policy: RetrainTable, *, trainable: bool) -> str | None:
    """Why what a rule asks for is not done now; None where it is.

    Args:
        rule: The rule.
        evidence: What has been seen.
        policy: The spec's.
        trainable: Whether there is something to train.
    """
    if rule.asks is Verdict.ROLL_BACK:
        return None if evidence.cure is None else f"waiting: {evidence.cure}"
    if rule.asks is not Verdict.RETRAIN:
        return None
    if not trainable:
        return _NOTHING_TO_TRAIN
    busy = evidence.busy or (evidence.cure if rule.trigger in _OF_THE_LOSS else None)
    if busy is not None:
        return f"waiting: {busy}"
    if rule.trigger is Trigger.PERSON:
        return None
    return _rows(rule.trigger, evidence, policy) or _pace(rule.trigger, evidence, policy)


def _rows(trigger: Trigger, evidence: Evidence, policy: RetrainTable) -> str | None:
    """Whether there is enough to learn from."""
    if evidence.learned is not None:
        return evidence.learned
    needed = 1 if trigger in {Trigger.SCHEDULE, Trigger.LABELS} else policy.min_labels
    labels = evidence.labels if trigger is Trigger.DRIFT else evidence.unlearned
    if labels < needed:
        return f"waiting for labels: {labels:,} of {needed:,}"
    if evidence.spent.get(trigger, needed) < needed:
        return (
            f"it has led to the last retraining: waiting until it was quiet for "
            f"{policy.rearm_looks} looks, or for labels: {evidence.spent[trigger]:,} of {needed:,} "
            "have come since"
        )
    return None


def _pace(trigger: Trigger, evidence: Evidence, policy: RetrainTable) -> str | None:
    """Whether it is time."""
    if evidence.since_training_s < policy.cooldown_s:
        left = policy.cooldown_s - evidence.since_training_s
        return f"cooling down for {left:.0f} s more since the last training"
    if evidence.trainings >= policy.most_a_day:
        return f"{evidence.trainings} retrainings in 24 hours, {policy.most_a_day} are allowed"
    stood = evidence.held.get(trigger, policy.hold_looks)
    if stood < policy.hold_looks:
        return f"it stands for {stood} of {policy.hold_looks} looks"
    return None
