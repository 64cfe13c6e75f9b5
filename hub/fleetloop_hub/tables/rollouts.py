"""Rollouts, their plans, parts of cohorts and quarantine on the terminal."""

import time
from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fleetloop_hub.delivery.plan import Plan
from fleetloop_hub.fleet_records import LabelCohort, Quarantine, Rollout, RolloutState
from fleetloop_hub.tables.forms import Noted, table
from fleetloop_hub.tables.judgements import comparisons_table
from fleetloop_hub.web.words import ago, exactly, seconds, share
from fleetloop_hub.why.ways import phase

_SHORT = 12
_STYLES = {
    RolloutState.DONE: "green",
    RolloutState.REVERTED: "red",
    RolloutState.HALTING: "red",
    RolloutState.PAUSED: "yellow",
    RolloutState.WAITING: "yellow",
    RolloutState.ABORTED: "dim",
    RolloutState.SUPERSEDED: "dim",
    RolloutState.EXPIRED: "dim",
}


def rollouts_table(rollouts: list[Rollout]) -> Noted:
    """A line a rollout."""
    shown = Noted("rollout", "version", "to", "state", "phase", "begun", note="as of the last look")
    for one in rollouts:
        shown.add_row(
            one.key,
            f"{one.model}@{one.version}",
            Text(one.place or one.cohort),
            _state(one),
            phase(one),
            ago(one.started_at, time.time()),
            note=one.text,
        )
    return shown


def whole(rollout: Rollout) -> RenderableType:
    """All of a rollout: where it stands, its phases, devices, history and judgement."""
    return Group(*_whole(rollout))


def stands(rollout: Rollout) -> RenderableType:
    """Where it stands in a line, and what to type next."""
    said = f"{rollout.key} is {rollout.state}" + (f": {rollout.text}" if rollout.text else "")
    return Group(Text(said), *_next(rollout))


def _whole(rollout: Rollout) -> Iterator[RenderableType]:
    control = "" if rollout.control is None else f", in place of v{rollout.control}"
    place = rollout.place or rollout.cohort
    yield Text(f"{rollout.model}@{rollout.version} to {place}{control}", "bold")
    yield stands(rollout)
    if rollout.decision:
        yield Text(f"asked for by {rollout.decision}: fleetloop why --decision {rollout.decision}")
    if rollout.approval:
        yield Text(f"approved: {rollout.approval}")
    yield _head(f"Phases, counted over {rollout.devices} devices")
    yield _phases(rollout)
    counts = ", ".join(f"{count:,} {how}" for how, count in rollout.evidence.items() if count)
    yield _head("Devices of the open phase" if rollout.under_way else "Devices at the last look")
    yield Text(counts or "none counted yet")
    if rollout.judgement is not None:
        yield _head(f"Judgement: {rollout.judgement.finding}")
        yield Text(rollout.judgement.text)
        yield comparisons_table(rollout.judgement.comparisons)
    if rollout.history:
        yield _head("History")
        history = table("when", "state", "why", wraps="why")
        for passage in rollout.history:
            history.add_row(exactly(passage.at), str(passage.state), Text(passage.text))
        yield history


def _phases(rollout: Rollout) -> Table:
    shown = table("phase", "devices that may have it", "stands", wraps="stands")
    untold = {RolloutState.WAITING, RolloutState.APPROVED}
    told = rollout.state not in untold and rollout.resumes not in untold
    for index, one in enumerate(rollout.phases):
        passed = told and index < rollout.phase
        if rollout.state is RolloutState.DONE or passed:
            how = "passed"
        elif told and index == rollout.phase:
            how = f"open since {exactly(rollout.phase_since)}" if rollout.under_way else "ended in"
        else:
            how = "not opened"
        shown.add_row(str(index + 1), _size(one), how)
    return shown


def _next(rollout: Rollout) -> Iterator[Text]:
    key = rollout.key
    following = {
        RolloutState.WAITING: f"fleetloop rollouts approve {key} --reason TEXT",
        RolloutState.PAUSED: f"fleetloop rollouts resume {key} --reason TEXT, or abort",
        RolloutState.REVERTED: "fleetloop quarantine list",
        RolloutState.HALTING: f"fleetloop rollouts show {key}, until its devices are back",
    }
    if rollout.state in following:
        yield Text(f"Next: {following[rollout.state]}", "bold")


def planned(plan: Plan) -> RenderableType:
    """What would happen: phases, devices, and what would give way."""
    return Group(*_planned(plan))


def _planned(plan: Plan) -> Iterator[RenderableType]:
    control = "" if plan.control is None else f"; the others keep v{plan.control} meanwhile"
    yield Text(f"{plan.model}@{plan.version} to {plan.place}{control}", "bold")
    phases = table("phase", "share", "devices", "opens", "not before", wraps="opens")
    for one in plan.phases:
        soonest = f"in {seconds(one.earliest_s)}" if one.earliest_s else "now"
        phases.add_row(str(one.number), _size(one.phase), f"{one.devices:,}", one.opens, soonest)
    yield phases
    yield _head("Devices")
    devices = Noted("device", "hardware", "phase", "begins", note="note")
    for device in plan.devices:
        begins = f"{seconds(device.begins_s)} after it opens" if device.begins_s else "at once"
        devices.add_row(
            device.device,
            device.hardware,
            str(device.phase) if device.phase else "not asked",
            begins if device.phase else "",
            note=device.note,
        )
    yield devices
    if plan.supersedes:
        yield Text(f"It would take the place of {', '.join(plan.supersedes)}.")
    yield Text("Nothing was begun: fleetloop rollouts start does it.", "dim")


def cohorts_table(cohorts: list[LabelCohort]) -> Table:
    """A line a name."""
    shown = table("name", "in cohort", "where", wraps="where")
    for one in cohorts:
        shown.add_row(one.key, one.home, Text(one.where))
    return shown


def quarantine_table(quarantines: list[Quarantine]) -> Noted:
    """A line an artifact and hardware type; what to type to lift one is its first two columns."""
    shown = Noted("artifact", "hardware", "version", "since", "stands", note="why")
    for one in quarantines:
        why = f"{one.reason} ({one.rollout})"
        shown.add_row(
            one.artifact[:_SHORT],
            one.hardware,
            f"{one.model}@{one.version}",
            ago(one.at, time.time()),
            Text("yes", "red") if one.lifted_at is None else Text("lifted", "dim"),
            note=why if one.lifted_at is None else f"{why}; lifted by {one.lifted}",
        )
    return shown


def _size(one: float | str) -> str:
    return one if isinstance(one, str) else share(one)


def _state(rollout: Rollout) -> Text:
    return Text(str(rollout.state), _STYLES.get(rollout.state, "blue"))


def _head(words: str) -> Padding:
    return Padding(Text(words, "dim"), (1, 0, 0, 0))
