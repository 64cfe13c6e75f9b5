"""What follows from a rollout's end for its version and for the decision it came from."""

from msgspec.structs import replace

from fleetloop_hub.decision_records import Decision
from fleetloop_hub.fleet_records import Rollout, RolloutState
from fleetloop_hub.ports import Catalog
from fleetloop_hub.records import Version
from fleetloop_hub.retraining.decisions import Decisions
from fleetloop_hub.tracking.registry import Registry

_HALTING = RolloutState.HALTING


class Outcomes:
    """Notes each once, also where a power cut has come between the end and the note."""

    def __init__(self, catalog: Catalog, registry: Registry, decisions: Decisions) -> None:
        """Finish what may have been cut short: no more than what follows from the last end."""
        self._catalog, self._registry, self._decisions = catalog, registry, decisions
        decided = [r for r in catalog.all(Rollout) if r.ended_at is not None or r.state is _HALTING]
        last = max(decided, key=lambda rollout: rollout.since, default=None)
        if last is not None:
            self.note(last)

    def note(self, rollout: Rollout) -> None:
        """Crown or withdraw the version, and tell the decision; that it is done is kept last."""
        kept = self._catalog.find(Rollout, rollout.key)
        version = self._catalog.find(Version, f"{rollout.model}/{rollout.version}")
        if version is None or kept is None or kept.noted is rollout.state:
            return
        if rollout.under_way and rollout.state is not _HALTING:
            return
        if rollout.state is RolloutState.DONE:
            self._registry.crown(version)
        elif rollout.state in {RolloutState.REVERTED, _HALTING}:
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
