"""Moves a device from one model to the next, one durable step at a time.

The order, each durable before the next: chunks, whole artifact, self-test,
armed trial (attempts counted before the model is loaded), commit, report, garbage collection.
Whatever goes wrong here, what is served stays, or goes back to what was committed.
"""

import logging

from msgspec.structs import replace

from fleetloop_agent.config import AgentConfig
from fleetloop_agent.ports import Board, ChallengerSeat, Serving
from fleetloop_agent.update.acquire import Acquire
from fleetloop_agent.update.challenge import Challenge
from fleetloop_agent.update.challenger_fetch import ChallengerFetch
from fleetloop_agent.update.events import Events
from fleetloop_agent.update.journal import Journal
from fleetloop_agent.update.offers import Offers
from fleetloop_agent.update.parts import discard_all
from fleetloop_agent.update.refusals import Refusals
from fleetloop_agent.update.reported import compose
from fleetloop_agent.update.states import Event, State
from fleetloop_agent.update.transaction import Transaction
from fleetloop_agent.update.trial import Trial
from fleetloop_agent.update.waiting import Waiting
from fleetloop_shared.errors import DiskFullError, QuarantinedError
from fleetloop_shared.messages import EnrolAnswer, Release, ReportedState
from fleetloop_shared.topics import Topic

PAUSE_S = 5.0
"""After a full disk, the same step is tried again."""

IDLE_S = 60.0
"""Nothing to do; counted refusals reach the journal this often at most."""

_UNDERWAY = {State.PLANNED, State.FETCHING, State.STAGED, State.DEFERRED}

_log = logging.getLogger(__name__)


class Updater:
    """The update of one device, stepped from outside."""

    def __init__(
        self,
        identity: EnrolAnswer,
        config: AgentConfig,
        board: Board,
        serving: Serving,
        beside: ChallengerSeat | None = None,
    ) -> None:
        """Read the journal; nothing is loaded before `start`.

        Args:
            identity: What this device was told when it enrolled.
            config: Its hardware type, and how to fetch.
            board: What it is plugged into.
            serving: Where models answer.
            beside: Where a challenger runs, None: nowhere.
        """
        self._tx = Transaction(identity, config, board, serving)
        self._offers = Offers(self._tx)
        self._acquire = Acquire(self._tx, config.fetch)
        self._trial = Trial(self._tx)
        self._challenge = Challenge(self._tx, config.fetch, beside) if beside else None
        self._waiting = Waiting(self._tx, config.update)
        self._steps = {
            State.SERVING: self._serving,
            State.PLANNED: self._acquire.planned,
            State.FETCHING: self._acquire.fetching,
            State.DEFERRED: self._acquire.deferred,
            State.STAGED: self._trial.staged,
            State.TRIAL: self._trial.trial,
            State.COMMITTED: self._trial.committed,
            State.ROLLED_BACK: self._trial.rolled_back,
            State.QUARANTINED: self._trial.quarantined,
        }
        self._ways: list[Acquire | ChallengerFetch] = [self._acquire]
        if self._challenge is not None:
            self._ways.append(self._challenge.fetching)
        self._littered = True
        self._counts_at = 0.0
        self._paused_until: float | None = None
        self._obstacle: str | None = None

    @property
    def journal(self) -> Journal:
        """As it stands on the disk."""
        return self._tx.journal

    @property
    def refusals(self) -> Refusals:
        """What was refused, also by others than the update."""
        return self._tx.refusals

    @property
    def events(self) -> Events:
        """The device's voice."""
        return self._tx.events

    def reported(self, obstacle: str | None = None) -> ReportedState:
        """What there is to tell the hub now.

        Args:
            obstacle: What others find wrong now.
        """
        stuck = obstacle or self._obstacle or self._offers.obstacle
        error = stuck or self.journal.last_error
        wait = self._waiting.wait or self._acquire.wait
        text = self._challenge.text if self._challenge is not None else None
        return replace(
            compose(self._tx, self._acquire.progress, error, wait),
            challenger=self._challenge.version if self._challenge is not None else None,
            challenger_text=text,
        )

    def start(self, now: float) -> None:
        """Serve from this disk, before there is any network: the model on trial, or the best.

        Args:
            now: Monotonic seconds.
        """
        if self.journal.state is State.TRIAL:
            try:
                self._trial.attempt(now)
            except DiskFullError as error:
                self._pause(error, now)
        if self._tx.serving.manifest is None:
            self._tx.serve_committed()
        self._offers.take_up()

    def offer(self, topic: Topic, payload: bytes, now: float) -> None:
        """Take in a bundle; the newest statement that passes the checks is followed by `step`.

        Args:
            topic: `IMAGE` or `DIRECTOR`.
            payload: The message; empty where the hub has taken it back.
            now: Monotonic seconds.
        """
        self._offers.take(topic, payload, now)

    def receive(self, sha256: str, index: int, payload: bytes, now: float) -> None:
        """Take a chunk in; one that nobody waits for is left alone."""
        for way in self._ways:
            way.receive(sha256, index, payload, now)

    def answered_directly(self, *, direct: bool) -> None:
        """Whether the hub sends this device its chunks, as the broker keeps none for everybody."""
        for way in self._ways:
            way.answered_directly(direct=direct)

    def reconnected(self) -> None:
        """There is a new connection: what is waited for is asked for anew."""
        for way in self._ways:
            way.reconnected()

    def step(self, now: float) -> float:
        """Do what the state asks for, once; doing it twice does no harm.

        Args:
            now: Monotonic seconds.

        Returns:
            When to step again at the latest; `now` if at once.
        """
        if self._paused_until is not None and now < self._paused_until:
            return self._paused_until
        try:
            self._tx.speak()
            self._offers.keep(now)
            self._accept()
            held_until = self._hold(now)
            at = self._steps[self.journal.state](now) if held_until is None else held_until
        except DiskFullError as error:
            return self._pause(error, now)
        self._paused_until = self._obstacle = None
        return at

    def _pause(self, error: DiskFullError, now: float) -> float:
        if self._obstacle is None:
            _log.warning("%s", error)
        self._obstacle = str(error)
        self._paused_until = now + PAUSE_S
        return self._paused_until

    def _hold(self, now: float) -> float | None:
        """Whether the update must wait, or has come too late; None: do the state's step."""
        if self.journal.state not in _UNDERWAY:
            self._waiting.reset()
            return None
        at = now if self._waiting.lapse(now) else self._waiting.hold(now)
        if at is not None:
            self._acquire.reset()
            self._trial.reset()
        return at

    def _accept(self) -> None:
        """Make the offered statement the one that is followed; it supersedes what is under way."""
        desired, tx = self._offers.desired, self._tx
        if desired is None:
            return
        changes = {"desired": desired, "floor": desired.floor, "declined": None}
        if self.journal.state not in _UNDERWAY and not self._trial.undecided:
            tx.note(**changes)
        elif tx.wanted(desired) == self.journal.target:
            tx.note(**changes)
            self._acquire.recheck()
            self._trial.reset()
        else:
            self._trial.leave()
            tx.move(Event.SUPERSEDED, target=None, incoming=None, attempts_left=0, **changes)
            self._acquire.reset()
            self._waiting.reset()
        self._offers.desired = None

    def _serving(self, now: float) -> float:
        """Nothing is under way: tidy up, and see whether the statement wants something else."""
        tx, journal = self._tx, self._tx.journal
        if tx.loaded != journal.active:
            previous = None if journal.previous == tx.loaded else journal.previous
            tx.note(active=tx.loaded, previous=previous)
        if self._littered and not self._kept:
            tx.slots.collect(tx.journal.kept)
            discard_all(tx.board.disk, self._challenge.parts if self._challenge else ())
            tx.mend()
            self._littered = False
        self._offers.watch_freshness(now)
        goal = self._goal(now)
        if goal is not None:
            if self._challenge is not None:
                self._challenge.give_way(goal)
            tx.move(Event.TARGETED, target=goal, last_error=None, lapsed=None)
            self._littered = True
            return now
        if self.refusals.counts != tx.journal.refusals and now >= self._counts_at:
            self._counts_at = now + IDLE_S
            tx.note()
        return min(now + IDLE_S, self._challenge.step(now) if self._challenge else now + IDLE_S)

    def _goal(self, now: float) -> Release | None:
        """The release to move to, None if this device has what it should have."""
        tx, journal = self._tx, self._tx.journal
        goal = tx.wanted(journal.desired) if journal.desired else None
        settled = {journal.declined, journal.active.manifest if journal.active else None}
        if goal is None or goal.manifest_sha256 in settled:
            return None
        if goal.manifest_sha256 in {slot.manifest for slot in journal.quarantine}:
            error = QuarantinedError(f"{goal.model} {goal.version} has failed on this device")
            self.refusals.note(error, f"{tx.sequence}", now)
            tx.note(declined=goal.manifest_sha256, last_error=str(error))
            return None
        if self._waiting.is_late(now):
            self._waiting.note_late()
            return None
        return goal

    @property
    def _kept(self) -> bool:
        """Whether something is here of a release that came too late and may still be wanted."""
        journal = self._tx.journal
        wanted = self._tx.wanted(journal.desired) if journal.desired else None
        return wanted is not None and wanted.manifest_sha256 == journal.lapsed
