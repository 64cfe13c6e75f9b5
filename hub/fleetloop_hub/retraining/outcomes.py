"""What follows from a rollout's end for its version and for the decision it came from."""

from msgspec.structs import replace

from fleetloop_hub.decision_records import Decision
from fleetloop_hub.fleet_records import Rollout, RolloutState
from fleetloop_hub.ports import Catalog
from fleetloop_hub.records import Version
from fleetloop_hub.retraining.decisions import Decisions
from fleetloop_hub.tracking.registry import Registry


class Outcomes:
    """Notes each once, also where a power cut has come between the end and the note."""

    def __init__(self, catalog: Catalog, registry: Registry, decisions: Decisions) -> None:
        """Finish what was cut short."""
        self._catalog, self._registry, self._decisions = catalog, registry, decisions
        self.catch_up()

    def catch_up(self) -> list[Rollout]:
        """Note what has ended and is not noted: cut short by a power cut, or superseded."""
        over = [r for r in self._catalog.all(Rollout) if r.ended_at is not None or _halts(r)]
        left = sorted((r for r in over if r.noted is not r.state), key=lambda r: r.since)
        for rollout in left:
            self.note(rollout)
        return left

    def note(self, rollout: Rollout) -> None:
        """Crown or withdraw the version, and tell the decision; that it is done is kept last."""
        kept = self._catalog.find(Rollout, rollout.key)
        version = self._catalog.find(Version, f"{rollout.model}/{rollout.version}")
        if version is None or kept is None or kept.noted is rollout.state:
            return
        if rollout.under_way and not _halts(rollout):
            return
        if rollout.state is RolloutState.DONE:
            self._registry.crown(version)
        elif rollout.state in {RolloutState.REVERTED, RolloutState.HALTING}:
            self._registry.withdraw(version)
        decision = rollout.decision or version.decision
        if self._catalog.find(Decision, decision) is not None:
            text = f"version {rollout.version}: {rollout.text}"
            self._decisions.close(decision, text, rollout.ended_at or rollout.since)
        self._catalog.put(replace(kept, noted=rollout.state))

    def follow(self, version: Version, text: str, now: float, decision: str = "") -> None:
        """Note what happens to a version.

        Args:
            version: Which one.
            text: What, in words.
            now: Unix seconds.
            decision: Where it is noted: "" for the one that the version came from.
        """
        key = decision or version.decision
        if self._catalog.find(Decision, key) is not None:
            self._decisions.follow(key, f"version {version.number}: {text}", now)


def _halts(rollout: Rollout) -> bool:
    return rollout.state is RolloutState.HALTING
