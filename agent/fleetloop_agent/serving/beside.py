"""Holds a challenger beside the champion: scores a share of its rows, and answers some keys.

Answers always come from the champion, but for the keys that the split gives to the challenger. Rows
for shadow are copied into a bounded queue, and scored by whoever calls `step`, in a thread of its
own. That thread keeps its normal priority on purpose: one of low priority could be kept from the
CPU while it holds the interpreter, and the champion with it. What bounds it instead is how long one
run may take, and its share of a core.
"""

import threading
from dataclasses import dataclass

from fleetloop_agent.errors import InputError, ModelError
from fleetloop_agent.ports import ChallengerSeat, Clock, Rows, Runtime
from fleetloop_agent.serving.alike import why_not_scored, why_not_split
from fleetloop_agent.serving.alongside import Alongside, Floats
from fleetloop_agent.serving.compared import Compared
from fleetloop_agent.serving.intake import Given
from fleetloop_agent.serving.pacing import Pacing
from fleetloop_agent.serving.predictor import Predictor
from fleetloop_agent.serving.records import Answered, Collected
from fleetloop_agent.serving.served import Served, load
from fleetloop_agent.serving.shadow_queue import Batch, ShadowQueue
from fleetloop_shared.ids import bucket
from fleetloop_shared.manifest import Manifest
from fleetloop_shared.messages import Shadow
from fleetloop_shared.shadow_report import ShadowCounts

IDLE_S = 0.1
"""How often a thread with nothing to score looks again."""

MOST_FAILURES = 3
"""Runs of the challenger that fail, before it is given up."""

HANGS_S = 60.0
"""A run that goes on for so long, although it was told to end, is given up."""

_BUCKETS = 10_000


@dataclass(frozen=True)
class Seat:
    """A challenger that is loaded.

    Attributes:
        champion: Whom it is compared with.
        served: It.
        terms: What the statement says.
        queue: Rows that it is to score.
        compared: What came of it.
        pacing: How much it may do at once, and when.
        splits: Whether it can answer in the champion's place.
    """

    champion: Manifest
    served: Served
    terms: Shadow
    queue: ShadowQueue
    compared: Compared
    pacing: Pacing
    splits: bool


class Beside(Alongside, ChallengerSeat):
    """The place beside one predictor; `step` is for one thread, `seat` and `leave` for another.

    Attributes:
        own: Answers the keys that are the challenger's, with counts and windows of its own.
    """

    def __init__(self, champion: Predictor, own: Predictor, runtime: Runtime, clock: Clock) -> None:
        """Nobody is seated.

        Args:
            champion: Whose rows they are.
            own: A predictor that serves nothing.
            runtime: Loads challengers; its runs are counted apart from the champion's.
            clock: Measures runs.
        """
        self.own = own
        self.fault: str | None = None
        self._champion, self._runtime, self._clock = champion, runtime, clock
        self._seat: Seat | None = None
        self._lock = threading.Lock()
        self._loads = self._failures = 0
        self._unread: list[Collected] = []
        self._counts: list[ShadowCounts] = []
        self._running_since: float | None = None

    @property
    def manifest(self) -> Manifest | None:
        return self._seat.served.manifest if self._seat is not None else None

    @property
    def seated(self) -> Seat | None:
        """The challenger with all that belongs to it."""
        return self._seat

    def seat(self, manifest: Manifest, artifact: bytes, terms: Shadow) -> None:
        champion = self._champion.manifest
        if champion is None:
            raise InputError("nothing serves here that it could be compared with")
        ours, theirs = champion.signature, manifest.signature
        reason = why_not_scored(ours, theirs)
        if reason is not None:
            raise InputError(f"{manifest.model} {manifest.version} cannot be compared: {reason}")
        self._loads += 1
        served = load(manifest, artifact, self._runtime, self._loads)
        splits = terms.answer_share > 0 and why_not_split(ours, theirs) is None
        self.leave()
        self.fault, self._failures = None, 0
        self.own.swap(served if splits else None)
        self._seat = Seat(
            champion=champion,
            served=served,
            terms=terms,
            queue=ShadowQueue(terms.rows_share, len(ours.features), self._loads),
            compared=Compared(ours, theirs, terms.most_difference),
            pacing=Pacing(terms.most_delay_ms, terms.cpu_share),
            splits=splits,
        )
        self._champion.beside = self

    def leave(self) -> None:
        seat = self._seat
        self._champion.beside = self._seat = None
        if seat is not None:
            with self._lock:
                self._unread.append(self._gather(seat))
                self._settle(seat)
            self.own.swap(None)

    def note(self, row: bytes, number: int, score: float, label: float) -> None:
        seat = self._seat
        if seat is not None:
            seat.queue.put(row, number, score, label)

    def note_many(self, rows: Rows, first: int, said: tuple[Floats, Floats]) -> None:
        seat = self._seat
        if seat is not None:
            seat.queue.put_many(rows, first, said)

    def answer(self, rows: Given, key: str) -> Answered | None:
        seat = self._seat
        if seat is None or not seat.splits or self.fault is not None:
            return None
        if bucket(key, seat.terms.salt) >= _BUCKETS * seat.terms.answer_share:
            return None
        try:
            return self.own.answer(rows)
        except (InputError, ModelError):
            with self._lock:
                seat.compared.fell_back += len(rows)
                self._failed("it failed on a row that it was to answer")
            return None

    def label(self, prediction_id: str, number: int | None, label: float) -> bool:
        seat = self._seat
        if seat is None:
            return False
        if number is None:
            return self.own.feedback([(prediction_id, label)]) > 0
        with self._lock:
            seat.compared.label(number, label)
        return False

    def step(self) -> float:
        """Score rows that wait; returns the seconds to rest before the next step."""
        seat = self._seat
        batch = None
        if seat is not None and self.fault is None:
            batch = seat.queue.take(seat.pacing.rows)
        if seat is None or batch is None:
            return IDLE_S
        began_ns = self._clock.monotonic_ns()
        self._running_since = began_ns / 1e9
        try:
            _, scores, labels = seat.served.many(batch.rows)
        except (InputError, ModelError) as error:
            with self._lock:
                seat.compared.skipped["failed"] += len(batch.numbers)
                self._failed(f"it failed on rows that it was to score: {error}")
            return IDLE_S
        finally:
            self._running_since = None
        took_ns = self._clock.monotonic_ns() - began_ns
        self._compare(seat, batch, (scores, labels), took_ns)
        return seat.pacing.after(len(batch.numbers), (self._clock.monotonic_ns() - began_ns) / 1e9)

    def look(self, now: float) -> None:
        """Tell a run to end that takes too long, and give the challenger up that hangs.

        Args:
            now: Monotonic seconds.
        """
        self._runtime.end_overdue(now)
        since = self._running_since
        if since is not None and now - since > HANGS_S:
            self.fault = f"a run goes on for {now - since:,.0f} s and does not end"

    @property
    def too_slow(self) -> str | None:
        seat = self._seat
        if seat is None or seat.pacing.too_slow_ms is None:
            return None
        return (
            f"one row takes it {seat.pacing.too_slow_ms:,.1f} ms, and no answer may wait longer"
            f" than {seat.terms.most_delay_ms:,.1f} ms"
        )

    def collect(self) -> list[Collected]:
        """What has come together of the rows that the challenger has answered; its counts grow."""
        with self._lock:
            if self._seat is not None:
                self._unread.append(self._gather(self._seat))
            found, self._unread = self._unread, []
        return found

    def take(self) -> list[ShadowCounts]:
        """What was counted since the last call, of the challengers that were seated."""
        with self._lock:
            if self._seat is not None:
                self._settle(self._seat)
            found, self._counts = self._counts, []
        return found

    def _gather(self, seat: Seat) -> Collected:
        collected, compared = self.own.collect(), seat.compared
        seen = collected.counters
        compared.answered += seen.rows
        compared.answered_labels += seen.labels
        compared.answered_right += seen.labels_correct or 0
        return collected

    def _settle(self, seat: Seat) -> None:
        queue, compared = seat.queue, seat.compared
        if queue.full:
            compared.skipped["full"] += queue.full
            queue.full = 0
        if not compared.empty:
            self._counts.append(compared.take(seat.champion, seat.served.manifest))

    def _compare(self, seat: Seat, batch: Batch, said: tuple[Floats, Floats], took_ns: int) -> None:
        with self._lock:
            seat.compared.took(took_ns)
            if self._champion.manifest is not seat.champion:
                seat.compared.skipped["changed"] += len(batch.numbers)
                return
            alike = seat.compared.add(batch.numbers, (batch.scores, batch.labels), said)
        if not alike.all():
            apart = ~alike
            theirs = batch.scores[apart], batch.labels[apart]
            self._champion.disagreed(batch.rows[apart], batch.numbers[apart], theirs)

    def _failed(self, text: str) -> None:
        self._failures += 1
        if self._failures >= MOST_FAILURES:
            self.fault = f"{text} ({MOST_FAILURES} times)"
