"""Hysteresis of triggers: how long each has stood, and which have had their retraining."""

from collections.abc import Collection
from dataclasses import dataclass, field

from fleetloop_hub.retraining.evidence import Evidence


@dataclass
class _State:
    seen: object = None
    held: dict[str, int] = field(default_factory=dict)
    quiet: dict[str, int] = field(default_factory=dict)
    spent: dict[str, int] = field(default_factory=dict)


def fingerprint(evidence: Evidence) -> object:
    """What evidence is known by: it is equal as long as nothing has come."""
    loss, estimated, verdict = evidence.loss, evidence.estimated, evidence.verdict
    return (
        tuple((d.device, d.alarms, d.quiet) for d in evidence.drift),
        evidence.unlearned,
        None if loss is None else loss.labels,
        None if estimated is None else estimated.value,
        None if verdict is None else verdict.rows,
    )


class Holding:
    """Counts looks at new evidence; a look at the same evidence once more is none."""

    def __init__(self) -> None:
        """Nothing has stood yet."""
        self._states: dict[tuple[str, int], _State] = {}

    def look(  # what is seen, and what it is judged by
        self,
        about: tuple[str, int],
        seen: object,
        standing: Collection[str],
        rearm_looks: int,
        labels: int = 0,
    ) -> tuple[dict[str, int], dict[str, int]]:
        """Looks in a row for which each trigger has stood, and labels since each was spent.

        Args:
            about: Model and champion.
            seen: What the evidence is known by; equal means that nothing has come.
            standing: The triggers that it sets off.
            rearm_looks: Looks after which a quiet trigger is armed again.
            labels: Labelled rows that have come in all.
        """
        state = self._states.setdefault(about, _State())
        if state.seen != seen:
            state.seen = seen
            state.held = {trigger: state.held.get(trigger, 0) + 1 for trigger in standing}
            for trigger in list(state.spent):
                quiet = 0 if trigger in standing else state.quiet.get(trigger, 0) + 1
                state.quiet[trigger] = quiet
                if quiet >= rearm_looks:
                    del state.spent[trigger]
        held = {trigger: state.held.get(trigger, 0) for trigger in standing}
        return held, {trigger: labels - then for trigger, then in state.spent.items()}

    def spend(self, about: tuple[str, int], trigger: str, labels: int) -> None:
        """A trigger has led to a retraining, when so many labelled rows had come in all."""
        state = self._states.setdefault(about, _State())
        state.spent[trigger] = labels
        state.quiet[trigger] = 0
