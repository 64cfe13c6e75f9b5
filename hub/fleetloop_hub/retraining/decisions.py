"""The decision log: why everything was done, and what became of it."""

from collections.abc import Callable

from msgspec.structs import replace

from fleetloop_hub.decision_records import Decision, Note
from fleetloop_hub.ports import Catalog
from fleetloop_hub.retraining.advice import Advice
from fleetloop_shared.codec import encode


class Decisions:
    """Writes decision records; they are never deleted."""

    def __init__(
        self, catalog: Catalog, illustrate: Callable[[Decision], Decision] = lambda bare: bare
    ) -> None:
        """Go on where the catalog stands.

        Args:
            catalog: Where they are kept.
            illustrate: Adds pictures of the evidence, as it is at this moment.
        """
        self._catalog, self._illustrate = catalog, illustrate

    def record(
        self, model: str, advice: Advice, now: float, *, champion: int | None = None, by: str = ""
    ) -> Decision:
        """Keep what was decided, with the evidence it rests on.

        Args:
            model: Whose future was decided.
            advice: What was decided, and why.
            now: Unix seconds.
            champion: The version in the field, None if there is none.
            by: The person who asked for it, "" if nobody did.
        """
        decision = Decision(
            key=f"{model}-{len(self._catalog.all(Decision)) + 1:04d}",
            model=model,
            at=now,
            verdict=advice.verdict,
            trigger=advice.trigger,
            reasons=advice.reasons,
            evidence=advice.numbers,
            devices=advice.devices,
            champion=champion,
            asked_by=by,
            alternatives=advice.alternatives,
            once=_once(champion, advice),
        )
        decision = self._illustrate(decision)
        self._catalog.put(decision)
        return decision

    def note(self, model: str, champion: int, advice: Advice, now: float) -> None:
        """Keep advice that names devices: once, however often the evidence is looked at."""
        if not advice.devices:
            return
        once = _once(champion, advice)
        known = (d.once for d in self._catalog.all(Decision) if d.model == model)
        if once not in known:
            self.record(model, advice, now, champion=champion)

    def follow(self, key: str, text: str, now: float) -> Decision:
        """Note something that followed from a decision; said twice in a row it is noted once."""
        return self._change(key, lambda decision: _followed(decision, text, now))

    def close(self, key: str, outcome: str, now: float, version: int | None = None) -> Decision:
        """Note what has become of a decision, and which version came of it."""

        def change(decision: Decision) -> Decision:
            number = decision.version if version is None else version
            return replace(_followed(decision, outcome, now), outcome=outcome, version=number)

        return self._change(key, change)

    def _change(self, key: str, change: Callable[[Decision], Decision]) -> Decision:
        def changed(decision: Decision | None) -> Decision:
            if decision is None:
                raise LookupError(key)
            return change(decision)

        return self._catalog.update(Decision, key, changed)


def _followed(decision: Decision, text: str, now: float) -> Decision:
    if decision.followed and decision.followed[-1].text == text:
        return decision
    return replace(decision, followed=[*decision.followed, Note(at=now, text=text)])


def _once(champion: int | None, advice: Advice) -> str:
    """Advice about one champion that agrees in this is the same advice."""
    return encode([champion, *advice.noted_once]).decode()
