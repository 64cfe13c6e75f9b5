"""The policies that are compared: each is the real decision under another table of the spec."""

from enum import StrEnum

from msgspec.structs import replace

from fleetloop_hub.spec.retrain_table import RetrainTable

_HOUR_S = 3_600.0
_ANY = 1_000_000


class Policy(StrEnum):
    """When a model is trained anew.

    NEVER: the first version serves on. SCHEDULE: whenever so much time has passed. DRIFT and
    ACCURACY: by drift of the fleet alone, or by labels alone. LOOP: as the spec says.
    """

    NEVER = "never"
    SCHEDULE = "schedule"
    DRIFT = "drift"
    ACCURACY = "accuracy"
    LOOP = "loop"


def table(policy: Policy, spec: RetrainTable, every_s: float) -> RetrainTable | None:
    """What the decision is made by; None for a model that is never trained anew.

    Going back and people's consent are left out of all: a replay has no rollouts and no people.

    Args:
        policy: Which.
        spec: The spec's own table; what it says about rows, pauses and limits holds for all.
        every_s: Of the schedule, seconds.
    """
    own = replace(spec, roll_back=False, approval="none", by_estimate=False)
    bare = replace(own, by_drift=False, by_accuracy=False, every_h=0.0, new_labels=0)
    return {
        Policy.NEVER: None,
        Policy.SCHEDULE: replace(bare, every_h=every_s / _HOUR_S, cooldown_s=0.0, most_a_day=_ANY),
        Policy.DRIFT: replace(bare, by_drift=True),
        Policy.ACCURACY: replace(bare, by_accuracy=True),
        Policy.LOOP: own,
    }[policy]
