"""The overview in words: how things are, what to do next, and a number for each stage."""

from dataclasses import dataclass, field

from fleetloop_hub.decision_records import Decision
from fleetloop_hub.monitoring.overview import (
    DeviceView,
    Health,
    Level,
    NextStep,
    RolloutView,
)
from fleetloop_hub.monitoring.overview_accuracy import below_the_gate
from fleetloop_hub.monitoring.overview_version import VersionView
from fleetloop_hub.records import Dataset, Run, RunState, Verdict, VersionState

_NAMED = 2
_PERSON = "person"


@dataclass(frozen=True)
class Facts:
    """What there is to be put in words.

    Attributes:
        devices: By id.
        versions: Newest first.
        rollout: The current or last one.
        decisions: Newest first.
        runs: Newest first.
        dataset: The newest dataset version.
        reports: How many are kept.
        unfair: Versions that break a limit of fairness on devices: "rain v2".
    """

    devices: list[DeviceView]
    versions: list[VersionView]
    rollout: RolloutView | None
    decisions: list[Decision]
    runs: list[Run]
    dataset: Dataset | None
    reports: int
    unfair: list[str] = field(default_factory=list)


def health(facts: Facts) -> Health:
    """How things are, in one sentence."""
    devices = facts.devices
    if not devices and not facts.versions:
        return Health(level=Level.OFF, text="Nothing here yet: no model, no device.")
    if not devices:
        return Health(level=Level.OFF, text="There is a model, but no device to serve it.")
    online = [d for d in devices if d.online]
    alarmed = [d for d in devices if d.alarm]
    below = below_the_gate(online)
    ill = [d.device for d in online if d.level is Level.WARN and not d.alarm]
    ill = [name for name in ill if name not in below]
    training = bool(facts.runs) and facts.runs[0].state is RunState.RUNNING
    level = _level(devices, online, alarmed=bool(alarmed or facts.unfair), training=training)
    said = {
        _serving(devices, online): True,
        _drifting(alarmed, len(devices)): bool(alarmed),
        "no drift": level is Level.GOOD,
        f"labels show {_names(below)} below what the gate demands": bool(below),
        f"{_names(facts.unfair)} breaks a limit of fairness on devices": bool(facts.unfair),
        f"{_names(ill)} could not take an update": bool(ill),
        "a new version is being trained": training,
    }
    return Health(level=level, text="; ".join(text for text, true in said.items() if true) + ".")


def _level(
    devices: list[DeviceView], online: list[DeviceView], *, alarmed: bool, training: bool
) -> Level:
    levels = {d.level for d in online}
    if not online:
        return Level.BAD
    if levels & {Level.WARN, Level.BAD} or len(online) < len(devices) or alarmed:
        return Level.WARN
    if training or Level.BUSY in levels:
        return Level.BUSY
    return Level.OFF if levels == {Level.OFF} else Level.GOOD


def next_step(facts: Facts) -> NextStep:
    """The one thing to do, the most urgent first."""
    newest = facts.versions[0] if facts.versions else None
    if newest is None:
        return NextStep(
            text="Train a first model.", command="fleetloop train SPEC.toml", page="/runs"
        )
    if not facts.devices:
        return NextStep(text="Add a first device.", command="fleetloop token", page="/enrol")
    if facts.rollout is not None and facts.rollout.ended_at is None:
        on_its_way = f"{facts.rollout.model} v{facts.rollout.version} is on its way"
        return NextStep(text=f"Nothing: {on_its_way}.", page=f"/rollouts/{facts.rollout.key}")
    waiting = next((run for run in facts.runs if run.state is RunState.WAITING), None)
    if waiting is not None:
        text = f"Retraining {waiting.model} waits for a person: {waiting.reason}."
        command = f"fleetloop retrain approve {waiting.key} --by NAME --reason TEXT"
        return NextStep(text=text, command=command, page=f"/runs/{waiting.key}")
    return (
        _settle(newest, facts.decisions, facts.rollout)
        or _learning(facts.runs)
        or _watch(facts.devices, facts.decisions)
    )


def _was_ended(rollout: RolloutView, version: VersionView) -> bool:
    """Whether a version's rollout came to its end before all had it."""
    ended = {"aborted", "expired", "superseded"}
    own = (rollout.model, rollout.version) == (version.model, version.number)
    return own and rollout.state in ended


def _learning(runs: list[Run]) -> NextStep | None:
    """A run under way, if one is."""
    under_way = next((run for run in runs if run.state is RunState.RUNNING), None)
    if under_way is None:
        return None
    text = f"Nothing: a new version of {under_way.model} is being trained."
    return NextStep(text=text, page=f"/runs/{under_way.key}")


def _settle(
    newest: VersionView, decisions: list[Decision], last: RolloutView | None
) -> NextStep | None:
    """What the newest version waits for, if anything."""
    name, which = f"{newest.model} v{newest.number}", f"{newest.model}@{newest.number}"
    why, because = f"fleetloop why {which}", f"/why/{newest.model}/{newest.number}"
    match newest.state:
        case VersionState.READY if last and _was_ended(last, newest):
            return NextStep(
                text=f"The rollout of {name} was {last.state}, and who took it keeps it: roll it "
                "out again, or another one.",
                page=f"/rollouts/{last.key}",
            )
        case VersionState.READY:
            return NextStep(
                text=f"{name} has passed its gates: roll it out.",
                command=f"fleetloop rollouts start {which}",
                page=f"/rollouts/new?which={which}",
            )
        case VersionState.WAITING:
            return NextStep(
                text=f"{name} has passed its gates and waits for a person: read its card, "
                "approve it.",
                command=f"fleetloop approve {which} --by NAME --reason TEXT",
                page=f"/models/{newest.model}/{newest.number}",
            )
        case VersionState.BLOCKED:
            made = (newest.model, newest.number)
            own = any((d.model, d.version) == made and d.trigger != _PERSON for d in decisions)
            left = " Retraining waits for new labels." if own else ""
            text = f"{name} is blocked by a gate: see why.{left}"
            return NextStep(text=text, command=why, page=because)
        case VersionState.REVERTED:
            text = f"{name} was taken back: see why."
            return NextStep(text=text, command=why, page=because)
        case _:
            return None


def _watch(devices: list[DeviceView], decisions: list[Decision]) -> NextStep:
    off = [d.device for d in devices if not d.online]
    suspects = decisions[0].devices if decisions else []
    if suspects and decisions[0].verdict is Verdict.INVESTIGATE:
        return NextStep(
            text=f"Look at {_names(suspects)}: apart from all others.",
            command="fleetloop drift",
            page=f"/devices/{suspects[0]}",
        )
    if below := below_the_gate(devices):
        model = next(d.model for d in devices if d.device in below)
        text = f"Labels show {_names(below)} below what the gate demands: see where, and retrain."
        return NextStep(
            text=text, command=f"fleetloop accuracy {model}", page=f"/devices/{below[0]}"
        )
    if off:
        return NextStep(
            text=f"Bring {_names(off)} back online; nothing is lost meanwhile.",
            page="/devices?state=offline" if len(off) > 1 else f"/devices/{off[0]}",
        )
    return NextStep(text="Nothing: the loop is closed and watches.")


def _serving(devices: list[DeviceView], online: list[DeviceView]) -> str:
    count = f"{len(online)} of {len(devices)} devices online"
    loaded = {(d.model, d.version) for d in online if d.version is not None}
    if not loaded:
        return f"{count}, none has a model yet" if online else count
    if len(loaded) == 1:
        model, version = loaded.pop()
        there = sum(d.version is not None for d in online)
        whom = "all" if there == len(online) else f"{there} of them"
        return f"{count}, {whom} on {model} v{version}"
    models = {model for model, _ in loaded}
    prefix = f"{models.pop()} " if len(models) == 1 else ""
    names = [f"v{v}" if prefix else f"{model} v{v}" for model, v in sorted(loaded, key=str)]
    return f"{count}, on {prefix}{_names(names)}"


def _drifting(alarmed: list[DeviceView], count: int) -> str:
    if not alarmed:
        return ""
    top = max(alarmed, key=lambda d: d.drift_ratio or 0.0)
    if len(alarmed) == 1:
        return f"{top.device} sees drift, most in {top.drift_feature}"
    return f"{len(alarmed)} of {count} see drift, most in {top.drift_feature}"


def _names(names: list[str]) -> str:
    left = len(names) - _NAMED
    shown = names[:_NAMED]
    return f"{', '.join(shown)} and {left} more" if left > 0 else " and ".join(shown)
