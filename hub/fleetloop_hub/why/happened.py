"""Everything that followed from a decision, in order of time."""

from fleetloop_hub.decision_records import Note
from fleetloop_hub.fleet_records import Rollout, RolloutState
from fleetloop_hub.why.words import Told, rollout_ended

_MARKS = frozenset({RolloutState.OPEN, RolloutState.PAUSED, RolloutState.HALTING})
"""States that are told of in any case: with them devices are told something."""


def happened(told: Told) -> list[Note]:
    """From the decision to the last rollout's end; what two records tell is told once."""
    notes: list[Note] = []
    decision, run, made = told.decision, told.run, told.made
    if decision is not None:
        said = str(decision.verdict).replace("-", " ")
        notes.append(Note(at=decision.at, text=f"decided to {said}"))
        notes += decision.followed
    if run is not None:
        verb = "taken in by" if run.imported else "trained by"
        notes.append(Note(at=run.started_at, text=f"{verb} {run.key}"))
        if run.error:
            notes.append(Note(at=run.started_at + run.duration_s, text=f"{run.key} failed"))
    if made is not None and told.came:
        passed = sum(not g.blocks for g in made.gates)
        text = f"version {made.number} made; {passed} of {len(made.gates)} gates let it through"
        notes.append(Note(at=made.created_at, text=text))
        notes += [Note(at=a.at, text=f"{a.by} said {a.saying}: {a.reason}") for a in made.approvals]
    known = " ".join(note.text for note in notes)
    for rollout in told.rollouts:
        text = f"{rollout.key}: version {rollout.version} goes to cohort {rollout.cohort}"
        notes.append(Note(at=rollout.started_at, text=text))
        notes += _passages(rollout, known)
        if rollout.ended_at is not None and (not rollout.text or rollout.text not in known):
            notes.append(Note(at=rollout.ended_at, text=rollout_ended(rollout)))
    return sorted(notes, key=lambda note: note.at)


def _passages(rollout: Rollout, known: str) -> list[Note]:
    """The states between its beginning and its end; what is told by another is left out."""
    told = rollout.history[1:]
    later = [p.text for p in told[1:]] + [rollout.text]
    if rollout.ended_at is not None:
        told = told[:-1]
    return [
        Note(at=p.at, text=f"{rollout.key} is {p.state}: {p.text}")
        for p, after in zip(told, later, strict=False)
        if p.text not in known and (not after.startswith(p.text) or p.state in _MARKS)
    ]
