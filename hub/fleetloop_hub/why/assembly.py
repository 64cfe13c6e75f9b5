"""Puts a story together from the catalog alone: what it says stays true when telemetry is gone."""

from collections.abc import Iterable
from typing import Literal

from fleetloop_hub.decision_records import Decision
from fleetloop_hub.fleet_records import Rollout
from fleetloop_hub.ports import Catalog
from fleetloop_hub.records import Alias, Dataset, Run, Version
from fleetloop_hub.why import chain, words
from fleetloop_hub.why.figures import figures
from fleetloop_hub.why.happened import happened
from fleetloop_hub.why.story import Made, Story

Kind = Literal["trained", "imported", "nothing", "lost"]


def of_version(catalog: Catalog, version: Version) -> Story:
    """Why a version exists, and what became of it."""
    return _told(catalog, version.model, catalog.find(Decision, version.decision), version)


def of_decision(catalog: Catalog, decision: Decision) -> Story:
    """Why something was, or was not, done."""
    made = [v for v in catalog.all(Version) if v.decision == decision.key]
    named = catalog.find(Version, f"{decision.model}/{decision.version}")
    version = made[0] if made else named
    return _told(catalog, decision.model, decision, version)


def _told(
    catalog: Catalog, model: str, decision: Decision | None, version: Version | None
) -> Story:
    run = _run(catalog, decision, version)
    came = version is not None and (decision is None or version.decision == decision.key)
    rollouts = [] if version is None else _rollouts(catalog, version)
    if decision is not None and not came:  # it names a version that another decision made
        rollouts = [r for r in rollouts if r.decision == decision.key]
    rows = _rows(catalog, run)
    made = None if version is None else _made(catalog, version, run)
    after = [] if version is None or not came else chain.after(catalog, version)
    told = words.Told(model, decision, run, rows, made, rollouts, came)
    return Story(
        model=model,
        version=None if made is None else made.number,
        kind=_kind(decision, run, made),
        title=words.title(told),
        short=words.short(told, after),
        decision=decision,
        figures=[] if decision is None else figures(decision.evidence),
        run=run,
        rows=rows,
        made=made,
        rollouts=rollouts,
        happened=happened(told),
        before=chain.before(catalog, model, decision, version),
        after=after,
        pictures=_pictures(decision),
        next=words.next_step(told),
    )


def _kind(decision: Decision | None, run: Run | None, made: Made | None) -> Kind:
    if made is None:
        return "nothing"
    if run is not None and run.imported is not None:
        return "imported"
    return "lost" if decision is None else "trained"


def _run(catalog: Catalog, decision: Decision | None, version: Version | None) -> Run | None:
    """The run of the decision, or else the one that made the version."""
    if decision is not None:
        begun = [r for r in catalog.all(Run) if r.decision == decision.key]
        if begun:
            return begun[-1]
        if version is None or version.decision != decision.key:
            return None
    return None if version is None else catalog.find(Run, version.run)


def _rows(catalog: Catalog, run: Run | None) -> int:
    dataset = None if run is None else catalog.find(Dataset, run.dataset)
    return 0 if dataset is None else dataset.rows


def _made(catalog: Catalog, version: Version, run: Run | None) -> Made:
    metric = run.metric if run is not None and run.metric else next(iter(version.metrics), "")
    floor = next((g for g in version.gates if g.name == "floor"), None)
    return Made(
        number=version.number,
        state=str(version.state),
        aliases=_aliases(catalog.all(Alias), version),
        created_at=version.created_at,
        metric=metric,
        value=version.metrics.get(metric),
        low=None if floor is None else floor.low,
        high=None if floor is None else floor.high,
        gates=version.gates,
        approvals=version.approvals,
    )


def _aliases(aliases: Iterable[Alias], version: Version) -> list[str]:
    return sorted(
        alias.key.partition("/")[2]
        for alias in aliases
        if alias.key.partition("/")[0] == version.model and alias.version == version.number
    )


def _rollouts(catalog: Catalog, version: Version) -> list[Rollout]:
    own = [
        r for r in catalog.all(Rollout) if (r.model, r.version) == (version.model, version.number)
    ]
    return sorted(own, key=lambda r: r.started_at)


def _pictures(decision: Decision | None) -> dict[str, str]:
    if decision is None:
        return {}
    return {name: f"/decisions/{decision.key}/{name}.svg" for name in decision.pictures}
