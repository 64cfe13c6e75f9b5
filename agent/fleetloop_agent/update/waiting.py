"""When an update may go on: its start and share of the spread, the device's hours, its deadline.

A statement says when devices begin and by when they must have; a person says in which hours of the
week this device may change its model; an application may ask to wait. Fetching heeds the start and
the deadline alone. A trial begins only within the hours and while no application asks to wait.

What time it is, is the clock's word, unless the clock is behind what was signed and believed (the
time floor): then it is plainly wrong, and the time is the floor and what has passed since it was
first seen here. That is at worst early, and it moves, so that no clock holds a device for ever.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from fleetloop_agent.config import UpdateConfig
from fleetloop_agent.update.states import Event, State
from fleetloop_agent.update.transaction import Transaction
from fleetloop_shared.ids import bucket
from fleetloop_shared.messages import DesiredState
from fleetloop_shared.reports import EventKind

LOOK_S = 5.0
"""How often a device that waits looks again."""

_BUCKETS = 10_000
_SAME_S = 60.0
_LEAST_S = 0.05


@dataclass(frozen=True)
class Wait:
    """Why an update does not go on.

    Attributes:
        reason: In words.
        until: When it may at the latest, Unix seconds.
    """

    reason: str
    until: float


def begins_at(desired: DesiredState, device: str) -> float:
    """When a device begins with what a statement says, Unix seconds; the same after a restart.

    Its share of the spread is drawn apart from its place in the phases: the canary is spread too.
    """
    base = max(desired.start_not_before, desired.issued_at if desired.spread_s > 0 else 0.0)
    return base + desired.spread_s * bucket(device, f"{desired.salt} spread") / _BUCKETS


class Waiting:
    """Holds an update up, and says why and until when."""

    def __init__(self, transaction: Transaction, config: UpdateConfig) -> None:
        """Nothing waits yet.

        Args:
            transaction: The update.
            config: Hours and lock file.
        """
        self.wait: Wait | None = None
        self._tx, self._config = transaction, config
        self._ask: Callable[[float], Wait | None] | None = None
        self._floor: tuple[float, float] = (0.0, 0.0)
        self._lock: tuple[float, float] | None = None
        self._reported_lock: float | None = None

    def reset(self) -> None:
        """What was waited for is of no interest any more."""
        self._ask = self.wait = None

    def hold(self, now: float) -> float | None:
        """Whether the update must wait; the journal says so when this returns.

        Args:
            now: Monotonic seconds.

        Returns:
            When to step again, None where the state's own step may be done.

        Raises:
            DiskFullError: No room; nothing has changed.
        """
        state = self._tx.journal.state
        ask = {
            State.PLANNED: self._to_begin,
            State.STAGED: self._to_try,
            State.DEFERRED: self._ask,
        }.get(state)
        self._say(ask(now) if ask is not None else None)
        if self.wait is None:
            self._ask = None
            return None
        if state is not State.DEFERRED:
            self._tx.move(Event.OBSTRUCTED)
            self._ask = ask
        return now + max(_LEAST_S, min(LOOK_S, self.wait.until - self.time(now)))

    def lapse(self, now: float) -> bool:
        """Give an update up whose deadline has passed; what is here of it is kept.

        Args:
            now: Monotonic seconds.

        Returns:
            Whether it was given up.

        Raises:
            DiskFullError: No room; nothing has changed.
        """
        tx = self._tx
        if not self.is_late(now):
            return False
        tx.move(Event.DECLINED, target=None, incoming=None, **self._too_late())
        self.reset()
        return True

    def is_late(self, now: float) -> bool:
        """Whether the deadline of the accepted statement has passed."""
        deadline = self._tx.desired.deadline
        return deadline is not None and self.time(now) > deadline

    def note_late(self) -> None:
        """Say that a release was not begun for its deadline; once.

        Raises:
            DiskFullError: No room; nothing has changed.
        """
        changes = self._too_late()
        journal = self._tx.journal
        if {"lapsed": journal.lapsed, "last_error": journal.last_error} != changes:
            self._tx.note(**changes)

    def time(self, now: float) -> float:
        """Unix seconds: the clock's, or the time floor's and what has passed since."""
        clock, floor = self._tx.board.clock.now(), self._tx.trust.time_floor
        if clock >= floor:
            return clock
        if floor != self._floor[0]:
            self._floor = floor, now
        return floor + now - self._floor[1]

    def _say(self, wait: Wait | None) -> None:
        """The same is said on while only the clocks' small differences have changed it."""
        said = self.wait
        if wait is not None and said is not None and wait.reason == said.reason:
            wait = wait if abs(wait.until - said.until) > _SAME_S else said
        self.wait = wait

    def _to_begin(self, now: float) -> Wait | None:
        desired = self._tx.desired
        begin = begins_at(desired, self._tx.device)
        if self.time(now) >= begin:
            return None
        share = f", this device's share of {desired.spread_s:,.0f} s" if desired.spread_s else ""
        return Wait(f"the rollout begins here at {_shown(begin)}{share}", begin)

    def _to_try(self, now: float) -> Wait | None:
        return self._hours(now) or self._application(now)

    def _hours(self, now: float) -> Wait | None:
        at, clock = self.time(now), self._tx.board.clock
        opens_in_s = self._config.window.opens_in_s(at, clock.ahead_s(at))
        if opens_in_s <= 0:
            return None
        guess = ""
        if clock.now() < at:
            guess = "; this device's clock is wrong, and the time is a guess from what was signed"
        reason = f"no trial begins outside {self._config.window.text}, local time{guess}"
        return Wait(reason, at + opens_in_s)

    def _application(self, now: float) -> Wait | None:
        touched_at = self._tx.board.application_lock.touched_at()
        if touched_at is None:
            self._lock = None
            return None
        if self._lock is None or self._lock[0] != touched_at:
            self._lock = touched_at, now
        at, most_s = self.time(now), self._config.lock_max_s
        age_s = now - self._lock[1]
        if touched_at >= self._tx.trust.time_floor:  # it was touched by a clock that was right
            age_s = max(age_s, at - touched_at)
        name = f"the lock file {self._config.lock_file}"
        if age_s < most_s:
            reason = f"an application asks to wait: {name} is there"
            return Wait(reason, at + most_s - age_s)
        if self._reported_lock != touched_at:
            text = (
                f"{name} was not touched for {age_s:,.0f} s (may: {most_s:,.0f} s): it is ignored"
            )
            self._tx.events.say(EventKind.FAULT, text)
            self._reported_lock = touched_at
        return None

    def _too_late(self) -> dict[str, str]:
        tx, desired = self._tx, self._tx.desired
        goal = tx.journal.target or tx.wanted(desired)
        if goal is None or desired.deadline is None:
            raise ValueError("nothing has a deadline here")
        text = (
            f"{goal.model} {goal.version} was not on trial by its deadline,"
            f" {_shown(desired.deadline)}: what is here of it is kept, and what is served stays;"
            " roll it out again"
        )
        return {"lapsed": goal.manifest_sha256, "last_error": text}


def _shown(at: float) -> str:
    """A moment for people; the signer may have named one that no calendar has."""
    try:
        return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, ValueError, OSError):
        return f"{at:,.0f} s after 1970"
