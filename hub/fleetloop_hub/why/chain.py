"""What came before a version and what came after it."""

from fleetloop_hub.decision_records import Decision
from fleetloop_hub.ports import Catalog
from fleetloop_hub.records import Run, Version
from fleetloop_hub.why.story import Link


def before(
    catalog: Catalog, model: str, decision: Decision | None, version: Version | None
) -> Link | None:
    """The champion at that time: by the decision, or by the artifact that the run had to beat."""
    number = None if decision is None else decision.champion
    run = None if version is None else catalog.find(Run, version.run)
    if number is None and run is not None and run.champion is not None:
        numbers = [
            v.number
            for v in catalog.all(Version)
            if v.model == model and v.artifact == run.champion and v.key != f"{model}/{run.number}"
        ]
        number = max(numbers, default=None)
    found = None if number is None else catalog.find(Version, f"{model}/{number}")
    if found is None or (version is not None and found.key == version.key and number is None):
        return None
    return Link(
        version=found.number,
        decision=found.decision,
        at=found.created_at,
        text=f"version {found.number}: {_reason(catalog.find(Decision, found.decision))}",
    )


def after(catalog: Catalog, version: Version) -> list[Link]:
    """What was decided while this version was the champion, oldest first."""
    about = [
        d
        for d in catalog.all(Decision)
        if d.model == version.model and d.champion == version.number and d.key != version.decision
    ]
    return [
        Link(version=d.version, decision=d.key, at=d.at, text=_brief(d))
        for d in sorted(about, key=lambda d: d.at)
    ]


def _brief(decision: Decision) -> str:
    said = str(decision.verdict).replace("-", " ")
    came = "" if decision.version is None else f", version {decision.version}"
    return f"{said}{came}: {_reason(decision)}"


def _reason(decision: Decision | None) -> str:
    if decision is None:
        return "its decision is not kept"
    return decision.reasons[0] if decision.reasons else f"asked for by {decision.trigger}"
