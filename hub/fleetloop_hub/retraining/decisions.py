"""The decision log: why everything was done, and what became of it."""

import msgspec

from fleetloop_hub.ports import Catalog
from fleetloop_hub.records import Decision
from fleetloop_hub.retraining.decide import Advice


class Decisions:
    """Writes decision records; they are never deleted."""

    def __init__(self, catalog: Catalog) -> None:
        """Nothing is written yet."""
        self._catalog = catalog
        self._noted: set[tuple[object, ...]] = set()

    def record(self, model: str, advice: Advice, now: float) -> Decision:
        """Keep what was decided, with the evidence it rests on."""
        decision = Decision(
            key=f"{model}-{len(self._catalog.all(Decision)) + 1:04d}",
            model=model,
            at=now,
            verdict=advice.verdict,
            trigger=advice.trigger,
            reasons=advice.reasons,
            evidence=advice.numbers,
            devices=advice.devices,
        )
        self._catalog.put(decision)
        return decision

    def note(self, model: str, champion: int, advice: Advice, now: float) -> None:
        """Keep advice that names devices: once, however often the evidence is looked at."""
        noted = (model, champion, *advice.noted_once)
        if advice.devices and noted not in self._noted:
            self.record(model, advice, now)
            self._noted.add(noted)

    def close(self, key: str, outcome: str, version: int | None = None) -> Decision:
        """Note what has become of a decision, and which version came of it."""

        def change(decision: Decision | None) -> Decision:
            if decision is None:
                raise LookupError(key)
            number = decision.version if version is None else version
            return msgspec.structs.replace(decision, outcome=outcome, version=number)

        return self._catalog.update(Decision, key, change)
