"""Hysteresis of triggers: how long each has stood, and which have had their retraining."""

from collections.abc import Collection
from dataclasses import dataclass, field


@dataclass
class _State:
    seen: object = None
    held: dict[str, int] = field(default_factory=dict)
    quiet: dict[str, int] = field(default_factory=dict)
    spent: set[str] = field(default_factory=set)


class Holding:
    """Counts looks at new evidence; a look at the same evidence once more is none."""

    def __init__(self) -> None:
        """Nothing has stood yet."""
        self._states: dict[tuple[str, int], _State] = {}

    def look(
        self, about: tuple[str, int], seen: object, standing: Collection[str], rearm_looks: int
    ) -> tuple[dict[str, int], frozenset[str]]:
        """Looks in a row for which each trigger has stood, and the triggers that are spent.

        Args:
            about: Model and champion.
            seen: What the evidence is known by; equal means that nothing has come.
            standing: The triggers that it sets off.
            rearm_looks: Looks after which a quiet trigger is armed again.
        """
        state = self._states.setdefault(about, _State())
        if state.seen != seen:
            state.seen = seen
            state.held = {trigger: state.held.get(trigger, 0) + 1 for trigger in standing}
            for trigger in list(state.spent):
                quiet = 0 if trigger in standing else state.quiet.get(trigger, 0) + 1
                state.quiet[trigger] = quiet
                if quiet >= rearm_looks:
                    state.spent.discard(trigger)
        held = {trigger: state.held.get(trigger, 0) for trigger in standing}
        return held, frozenset(state.spent)

    def spend(self, about: tuple[str, int], trigger: str) -> None:
        """A trigger has led to a retraining."""
        state = self._states.setdefault(about, _State())
        state.spent.add(trigger)
        state.quiet[trigger] = 0
