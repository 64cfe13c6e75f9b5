"""What follows from a rollout's end for its version and for the decision it came from."""

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
        """Crown or withdraw the version; that its decision knows the outcome is noted last."""
        version = self._catalog.find(Version, f"{rollout.model}/{rollout.version}")
        decision = None if version is None else self._catalog.find(Decision, version.decision)
        text = f"version {rollout.version}: {rollout.text}"
        if version is None or decision is None or decision.outcome == text:
            return
        if rollout.under_way and rollout.state is not _HALTING:
            return
        if rollout.state is RolloutState.DONE:
            self._registry.crown(version)
        elif rollout.state in {RolloutState.REVERTED, _HALTING}:
            self._registry.withdraw(version)
        self._decisions.close(version.decision, text, rollout.ended_at or rollout.phase_since)

    def follow(self, version: Version, text: str, now: float) -> None:
        """Note with the decision that a version came from what happens to it."""
        if self._catalog.find(Decision, version.decision) is not None:
            self._decisions.follow(version.decision, f"version {version.number}: {text}", now)
