"""The update as a table: every state a device can be in, and what leads from one to the next.

The state that stands in the journal is the state that is resumed; each state's
step may run twice. A refusal is a report, not a state: it changes nothing.
docs/states.md is made from this module (`make docs`).
"""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Where a device stands between two models."""

    SERVING = "serving"
    PLANNED = "planned"
    FETCHING = "fetching"
    STAGED = "staged"
    TRIAL = "trial"
    COMMITTED = "committed"
    DEFERRED = "deferred"
    ROLLED_BACK = "rolled-back"
    QUARANTINED = "quarantined"


class Event(StrEnum):
    """What can happen to an update.

    Attributes:
        TARGETED: The accepted statement names a release that is not the active one.
        CLEARED: Its manifest is here and passes every check, and there is room.
        OBSTRUCTED: Something is waited for: room, the start, the hours, an application.
        RETRY_DUE: Time to look again.
        FETCHED: The whole artifact is durable under its own hash.
        ARMED: The self-test has passed; the attempts are counted before the model is loaded.
        FAILED: The self-test has failed.
        DAMAGED: Artifact or manifest on the disk are no longer what was signed.
        HEALTHY: The trial has served its soak without an error.
        UNHEALTHY: The trial has failed on a row, did not load, or has used up its attempts.
        BARRED: The artifact stands in the quarantine list.
        SETTLED: The outcome is in the outbox.
        SUPERSEDED: A newer statement wants something else.
        DECLINED: A check has refused the release, or its deadline has passed.
    """

    TARGETED = "targeted"
    CLEARED = "cleared"
    OBSTRUCTED = "obstructed"
    RETRY_DUE = "retry-due"
    FETCHED = "fetched"
    ARMED = "armed"
    FAILED = "failed"
    DAMAGED = "damaged"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    BARRED = "barred"
    SETTLED = "settled"
    SUPERSEDED = "superseded"
    DECLINED = "declined"


TRANSITIONS: dict[State, dict[Event, State]] = {
    State.SERVING: {
        Event.TARGETED: State.PLANNED,
    },
    State.PLANNED: {
        Event.CLEARED: State.FETCHING,
        Event.OBSTRUCTED: State.DEFERRED,
        Event.DECLINED: State.SERVING,
        Event.SUPERSEDED: State.SERVING,
    },
    State.FETCHING: {
        Event.FETCHED: State.STAGED,
        Event.DAMAGED: State.PLANNED,
        Event.OBSTRUCTED: State.DEFERRED,
        Event.DECLINED: State.SERVING,
        Event.SUPERSEDED: State.SERVING,
    },
    State.STAGED: {
        Event.ARMED: State.TRIAL,
        Event.FAILED: State.QUARANTINED,
        Event.OBSTRUCTED: State.DEFERRED,
        Event.DAMAGED: State.PLANNED,
        Event.DECLINED: State.SERVING,
        Event.SUPERSEDED: State.SERVING,
    },
    State.TRIAL: {
        Event.HEALTHY: State.COMMITTED,
        Event.UNHEALTHY: State.ROLLED_BACK,
        Event.DAMAGED: State.PLANNED,
        Event.SUPERSEDED: State.SERVING,
    },
    State.COMMITTED: {
        Event.SETTLED: State.SERVING,
    },
    State.DEFERRED: {
        Event.RETRY_DUE: State.PLANNED,
        Event.DECLINED: State.SERVING,
        Event.SUPERSEDED: State.SERVING,
    },
    State.ROLLED_BACK: {
        Event.BARRED: State.QUARANTINED,
    },
    State.QUARANTINED: {
        Event.SETTLED: State.SERVING,
    },
}
"""THE table. A state without an event here does not know it."""


@dataclass(frozen=True)
class Meaning:
    """What a state stands for.

    Attributes:
        doing: What the device does in it.
        durable: What is on the disk before the journal says so.
        restart: What a restart in it does.
    """

    doing: str
    durable: str
    restart: str


MEANINGS: dict[State, Meaning] = {
    State.SERVING: Meaning(
        "serves what is committed, and compares it with what the statement wants",
        "the outcome of the last update, in the outbox",
        "serves the best committed model that is whole, and collects what nothing names",
    ),
    State.PLANNED: Meaning(
        "gets the manifest, checks it, and finds room",
        "the statement, and which of its releases is meant",
        "begins with the manifest",
    ),
    State.FETCHING: Meaning(
        "gets the chunks that are missing",
        "the checked manifest",
        "asks for those chunks only that the part does not have",
    ),
    State.STAGED: Meaning(
        "has the model prove itself in a child process, within the hours and without a lock file",
        "the whole artifact, under its own hash",
        "begins the self-test anew",
    ),
    State.TRIAL: Meaning(
        "serves live rows with the new model for its soak",
        "attempts left; one is taken off before each load",
        "loads it again while attempts are left, else rolls back",
    ),
    State.COMMITTED: Meaning(
        "says so in the outbox",
        "the new active model and the previous one",
        "serves the new model and says so, at worst twice",
    ),
    State.DEFERRED: Meaning(
        "waits, says for what and until when, and looks again",
        "what the state before it had",
        "looks again at once",
    ),
    State.ROLLED_BACK: Meaning(
        "serves the committed model again",
        "why the trial has failed",
        "serves the committed model and bars the other",
    ),
    State.QUARANTINED: Meaning(
        "says in the outbox what has failed",
        "the artifact's hash among those that are never tried again",
        "serves the committed model and says so, at worst twice",
    ),
}
"""The same in words."""


def follow(state: State, event: Event) -> State:
    """The state that `event` leads to.

    Raises:
        ValueError: The table has no such event in this state: a mistake in the agent.
    """
    try:
        return TRANSITIONS[state][event]
    except KeyError as error:
        raise ValueError(f"the update cannot be {event} while it is {state}") from error
