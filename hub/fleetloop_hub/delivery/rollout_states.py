"""A rollout as a table: every state it can be in, and what leads from one to the next.

Whatever is no key of the table changes nothing: an event that comes twice, or too late, is no harm.
docs/rollouts.md has it from this module (`make docs`).
"""

from dataclasses import dataclass
from enum import StrEnum

from fleetloop_hub.fleet_records import RolloutState


class Event(StrEnum):
    """What can happen to a rollout.

    Attributes:
        APPROVE: A person lets it begin.
        READY: The hub looks at it again and opens the first phase.
        DECIDED: Enough devices of the phase have decided, and are well.
        RECEDED: What was decided is not so any more: other devices have come, or failed.
        SOAKED: The phase was watched for long enough.
        PASSED: Nothing speaks against the next phase.
        COMPLETED: The same of the last phase.
        HARM: Too many have failed, or the version is proven to be worse than the control.
        BACK: Those that took it, and can be reached, have it no more.
        PAUSE: A person stops it where it stands.
        RESUME: A person lets it go on.
        ABORT: A person ends it; whoever took the version keeps it.
        WITHDRAW: A person ends it, and those that took the version go back.
        SUPERSEDE: A newer rollout goes to the same devices.
        EXPIRE: Its time is over.
    """

    APPROVE = "approve"
    READY = "ready"
    DECIDED = "decided"
    RECEDED = "receded"
    SOAKED = "soaked"
    PASSED = "passed"
    COMPLETED = "completed"
    HARM = "harm"
    BACK = "back"
    PAUSE = "pause"
    RESUME = "resume"
    ABORT = "abort"
    WITHDRAW = "withdraw"
    SUPERSEDE = "supersede"
    EXPIRE = "expire"


class Effect(StrEnum):
    """What the hub does when a rollout comes into a state.

    Attributes:
        KEEP: Nothing is said to devices.
        OPEN: The next phase is counted, and its devices are told to take the version.
        STOP: No device that has not begun begins; whoever took the version keeps it.
        GO_ON: The same as before the pause is said again.
        REVERT: All devices are told to have what they had.
        FINISH: All devices are told to have the version, and it is the champion.
    """

    KEEP = "keep"
    OPEN = "open"
    STOP = "stop"
    GO_ON = "go on"
    REVERT = "revert"
    FINISH = "finish"


_S, _E, _F = RolloutState, Event, Effect
Row = dict[Event, tuple[RolloutState, Effect]]

_UNTOLD: Row = {
    _E.PAUSE: (_S.PAUSED, _F.KEEP),
    _E.ABORT: (_S.ABORTED, _F.KEEP),
    _E.WITHDRAW: (_S.ABORTED, _F.KEEP),
    _E.SUPERSEDE: (_S.SUPERSEDED, _F.KEEP),
    _E.EXPIRE: (_S.EXPIRED, _F.KEEP),
}
"""Of a rollout that no device has been told of."""

_TOLD: Row = {
    _E.HARM: (_S.HALTING, _F.REVERT),
    _E.PAUSE: (_S.PAUSED, _F.STOP),
    _E.ABORT: (_S.ABORTED, _F.STOP),
    _E.WITHDRAW: (_S.ABORTED, _F.REVERT),
    _E.SUPERSEDE: (_S.SUPERSEDED, _F.KEEP),
    _E.EXPIRE: (_S.EXPIRED, _F.STOP),
}
"""Of one that is on devices."""

TRANSITIONS: dict[RolloutState, Row] = {
    _S.WAITING: {_E.APPROVE: (_S.APPROVED, _F.KEEP), **_UNTOLD},
    _S.APPROVED: {_E.READY: (_S.OPEN, _F.OPEN), **_UNTOLD},
    _S.OPEN: {_E.DECIDED: (_S.SOAKING, _F.KEEP), **_TOLD},
    _S.SOAKING: {
        _E.SOAKED: (_S.JUDGED, _F.KEEP),
        _E.RECEDED: (_S.OPEN, _F.KEEP),
        **_TOLD,
    },
    _S.JUDGED: {
        _E.PASSED: (_S.OPEN, _F.OPEN),
        _E.COMPLETED: (_S.DONE, _F.FINISH),
        _E.RECEDED: (_S.OPEN, _F.KEEP),
        **_TOLD,
    },
    _S.PAUSED: {
        _E.RESUME: (_S.OPEN, _F.GO_ON),
        _E.ABORT: (_S.ABORTED, _F.STOP),
        _E.WITHDRAW: (_S.ABORTED, _F.REVERT),
        _E.SUPERSEDE: (_S.SUPERSEDED, _F.KEEP),
    },
    _S.HALTING: {
        _E.BACK: (_S.REVERTED, _F.KEEP),
        _E.EXPIRE: (_S.REVERTED, _F.KEEP),
        _E.SUPERSEDE: (_S.REVERTED, _F.KEEP),
    },
}
"""THE table. A state that is no key of it has ended. A rollout that was paused before any device
was told of it resumes in the state that it was paused in, and nothing is said."""

MEANINGS: dict[RolloutState, str] = {
    _S.WAITING: "waits for a person's approval; no device has been told",
    _S.APPROVED: "a person has let it begin; no device has been told",
    _S.OPEN: "the devices of a phase take the version, each after a trial of its own",
    _S.SOAKING: "they have committed it, and are watched for some time",
    _S.JUDGED: "they were watched, and are compared with those that keep the control",
    _S.PAUSED: "a person has stopped it: whoever took the version keeps it, nobody else begins",
    _S.HALTING: "everybody is told to go back, and the hub waits for those that can be reached",
    _S.DONE: "every device is told to have the version; it is the champion",
    _S.REVERTED: "it did harm, or failed: everybody has what they had, and it is in quarantine",
    _S.ABORTED: "a person has ended it",
    _S.SUPERSEDED: "a newer rollout has taken its place",
    _S.EXPIRED: "its time was over: whoever took the version keeps it, nobody else begins",
}
"""The same in words."""


@dataclass(frozen=True)
class Step:
    """What an event leads to.

    Attributes:
        state: The new state.
        effect: What is done.
    """

    state: RolloutState
    effect: Effect


def follow(state: RolloutState, event: Event, resumes: RolloutState | None = None) -> Step | None:
    """What an event leads to; None where it changes nothing.

    Args:
        state: Where the rollout stands.
        event: What happens.
        resumes: The state it was paused in.
    """
    if state is RolloutState.PAUSED and resumes in {_S.WAITING, _S.APPROVED}:
        row: Row = {**_UNTOLD, _E.RESUME: (resumes or _S.APPROVED, _F.KEEP)}
        row = {told: step for told, step in row.items() if told not in {_E.PAUSE, _E.EXPIRE}}
    else:
        row = TRANSITIONS.get(state, {})
    return Step(*row[event]) if event in row else None
