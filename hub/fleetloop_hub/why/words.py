"""A story in a few sentences: what led to it, what was done, what the gates said, how it ended."""

from dataclasses import dataclass

from fleetloop_hub.decision_records import Decision
from fleetloop_hub.fleet_records import Rollout, RolloutState
from fleetloop_hub.records import Run, RunState, Verdict, VersionState
from fleetloop_hub.version_parts import Saying
from fleetloop_hub.why.story import Link, Made
from fleetloop_hub.why.ways import sentence

_PERSON = "person"
_LATER = 3
_SAID = {
    Saying.APPROVE: "approved",
    Saying.REJECT: "rejected",
    Saying.WAIVE: "waived a gate of",
}


@dataclass(frozen=True)
class Told:
    """What a story is made of.

    Attributes:
        model: The model.
        decision: Why, None if it is not kept.
        run: The run, None if there was none.
        rows: Rows that it could learn from, 0 if nobody knows.
        made: The version, None if none came.
        rollouts: Its ways to devices, oldest first.
        came: Whether the version came of this decision, and is not one that it only names.
    """

    model: str
    decision: Decision | None
    run: Run | None
    rows: int
    made: Made | None
    rollouts: list[Rollout]
    came: bool


def title(told: Told) -> str:
    """What the story is about, with its state."""
    if told.made is None:
        verdict = "" if told.decision is None else str(told.decision.verdict).replace("-", " ")
        return f"{told.model}: {verdict}, no version came of it"
    names = "".join(f", {alias}" for alias in told.made.aliases)
    return f"{told.model} v{told.made.number}: {told.made.state}{names}"


def short(told: Told, after: list[Link]) -> list[str]:
    """The sentences, in order of time."""
    said = [*_cause(told), *_making(told), *_gates(told), *_way(told)]
    if len(after) > _LATER:
        said.append(f"{len(after)} decisions followed while it was the champion.")
    elif after:
        said.append("Then: " + "; ".join(link.text for link in after) + ".")
    return said


def next_step(told: Told) -> str:
    """The command that comes next."""
    if told.made is None:
        return ""
    name = f"{told.model}@{told.made.number}"
    steps = {
        VersionState.WAITING: f"fleetloop approve {name} --by NAME --reason TEXT",
        VersionState.READY: f"fleetloop rollouts start {told.model}@{told.made.number}",
        VersionState.BLOCKED: f"fleetloop models show {name}",
    }
    moving = [r for r in told.rollouts if r.ended_at is None]
    if moving:
        return _moving_step(moving[-1])
    return steps.get(VersionState(told.made.state), "")


def rollout_ended(rollout: Rollout) -> str:
    """How a rollout ended, in one sentence."""
    told = f": {rollout.text}" if rollout.text else ""
    return f"{rollout.key} of version {rollout.version} is {rollout.state}{told}"


def _moving_step(rollout: Rollout) -> str:
    """The command for a rollout that waits for a person; one that is going back is watched."""
    steps = {
        RolloutState.WAITING: f"fleetloop rollouts approve {rollout.key} --reason TEXT",
        RolloutState.PAUSED: f"fleetloop rollouts resume {rollout.key} --reason TEXT",
        RolloutState.HALTING: f"fleetloop rollouts show {rollout.key}",
    }
    return steps.get(rollout.state, "")


def _cause(told: Told) -> list[str]:
    decision = told.decision
    if decision is None:
        return ["The decision that it comes from is not kept."]
    reasons = "; ".join(decision.reasons) or "no reason was given"
    if decision.trigger == _PERSON:
        who = decision.asked_by or "A person"
        return [f"{who} asked for it: {reasons}."]
    done = {
        Verdict.WAIT: "The hub decided to wait",
        Verdict.INVESTIGATE: "The hub named a device to look at, and trained nothing",
        Verdict.RETRAIN: "The hub decided to retrain",
        Verdict.ROLL_BACK: "The hub decided to go back",
    }[decision.verdict]
    if decision.verdict is Verdict.INVESTIGATE and decision.devices:
        done = f"The hub named {', '.join(decision.devices)}, and trained nothing"
    return [f"{done}, led by {decision.trigger}: {reasons}."]


def _making(told: Told) -> list[str]:
    run = told.run
    if run is None:
        return []
    if run.error:
        return [f"{run.key} gave nothing: {run.error}"]
    if run.imported is not None:
        return [f"{run.key} took in {run.imported.file}, written by {run.imported.producer}."]
    rows = f" on {told.rows:,} rows" if told.rows else ""
    if told.made is None:
        return [
            f"{run.key} trains{rows}."
            if run.state is RunState.RUNNING
            else f"{run.key} {run.state}."
        ]
    taken = f" and took {run.chosen}" if run.chosen else ""
    return [f"{run.key} trained{rows} for {run.duration_s:.0f} s{taken}{_measured(told.made)}."]


def _measured(made: Made) -> str:
    if made.value is None:
        return ""
    ends = "" if made.low is None or made.high is None else f" ({made.low:.3f} to {made.high:.3f})"
    return f": {made.metric} {made.value:.3f}{ends} on held-out rows"


def _gates(told: Told) -> list[str]:
    made = told.made
    if made is None or not told.came:
        return []
    judged = [g for g in made.gates if g.judged]
    failed = [g for g in judged if g.blocks]
    waived = [g for g in judged if g.waived]
    said = [f"{len(judged) - len(failed)} of {len(judged)} gates let it through."] if judged else []
    said += [f"Blocked by {g.name}: {g.text}." for g in failed]
    said += [f"{g.name} was waived by a person." for g in waived]
    verbs = {
        Saying.APPROVE: "approved",
        Saying.REJECT: "rejected",
        Saying.WAIVE: "waived a gate of",
    }
    said += [f"{a.by} {verbs[a.saying]} it: {a.reason}." for a in made.approvals]
    if made.state == VersionState.WAITING:
        said.append("It waits for a person.")
    if failed:
        said.append("Nothing was released, the champion serves on.")
    return said


def _way(told: Told) -> list[str]:
    said = [sentence(rollout) for rollout in told.rollouts]
    made = told.made
    if made is not None and not said and made.state == VersionState.READY:
        said.append("It is ready, and nobody has rolled it out.")
    if made is not None and made.state in {VersionState.ARCHIVED, VersionState.DELETED}:
        said.append(f"It is {made.state} now.")
    return said
