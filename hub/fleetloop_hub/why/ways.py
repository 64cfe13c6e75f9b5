"""How a rollout reads: where it went, instead of what, how it stands, and what judged it."""

from fleetloop_hub.fleet_records import Rollout
from fleetloop_hub.judgement_records import Comparison

_ENDS = {
    "waiting": "and waits for a person",
    "approved": "and is about to begin",
    "paused": "and is paused",
    "halting": "and is being taken back",
    "done": "and all of its phases were well",
    "reverted": "and was taken back",
    "aborted": "and was ended by a person",
    "superseded": "and another rollout took its place",
    "expired": "and its time was over",
}


def sentence(rollout: Rollout) -> str:
    """All of a rollout in one sentence; a newer version in whose place it went makes it a return.

    Args:
        rollout: Of the version that the story is about.
    """
    back = rollout.control is not None and rollout.control > rollout.version
    verb = "It came back to" if back else "It went to"
    instead = "" if rollout.control is None else f" in place of version {rollout.control}"
    end = _ENDS.get(str(rollout.state), f"and is in {phase(rollout)}")
    told = f": {rollout.text}" if rollout.text else ""
    return f"{verb} {rollout.cohort}{instead} {end}{told}.".replace("..", ".")


def phase(rollout: Rollout) -> str:
    """Which phase is open, or was last."""
    return f"phase {rollout.phase + 1} of {len(rollout.phases)}"


def measured(comparison: Comparison) -> str:
    """A comparison's figures with their unit, for a table.

    >>> from fleetloop_hub.judgement_records import Finding
    >>> measured(Comparison(measure="errors", unit="points", treated=2.5, control=0.5,
    ...     difference=2.0, low=1.0, high=3.0, limit=1.0, finding=Finding.HARMFUL,
    ...     treated_rows=900, control_rows=900, text=""))
    '2.5 against 0.5, +2 (+1 to +3) points; limit +1'
    """
    said = f"{_plain(comparison.treated)} against {_plain(comparison.control)}"
    if comparison.difference is not None:
        said += f", {comparison.difference:+.3g}"
        if comparison.low is not None and comparison.high is not None:
            said += f" ({comparison.low:+.3g} to {comparison.high:+.3g})"
    limit = "" if comparison.limit is None else f"; limit {comparison.limit:+.3g}"
    return f"{said} {comparison.unit}{limit}"


def _plain(value: float | None) -> str:
    return "nothing" if value is None else f"{value:.3g}"
