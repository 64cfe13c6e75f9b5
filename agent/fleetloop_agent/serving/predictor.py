"""Answers rows with the loaded model, and collects what the agent reports about them."""

import threading
from collections.abc import Sequence

from fleetloop_agent.errors import InputError, ModelChangedError, NoModelError
from fleetloop_agent.ports import Clock, Health, Rows, Runtime, Serving
from fleetloop_agent.serving.alongside import Alongside
from fleetloop_agent.serving.harvest import Buffer, Tally
from fleetloop_agent.serving.intake import Given
from fleetloop_agent.serving.labels import number_of, read_labels
from fleetloop_agent.serving.monitor import FinishedBlock
from fleetloop_agent.serving.open_window import OpenWindow, unpack
from fleetloop_agent.serving.recent import RecentAnswers
from fleetloop_agent.serving.records import Answer, Answered, Collected
from fleetloop_agent.serving.sample_budget import SampleBudget
from fleetloop_agent.serving.sample_chance import Floats, Numbers
from fleetloop_agent.serving.sampling import Sampling
from fleetloop_agent.serving.served import Count, Served, load
from fleetloop_agent.serving.truths import Truths
from fleetloop_agent.serving.windows import judged
from fleetloop_shared.errors import FleetloopError
from fleetloop_shared.manifest import Manifest
from fleetloop_shared.reports import Label
from fleetloop_shared.sampling import SamplingPolicy

BLOCKS_HELD = 256
LABELS_HELD = 10_000


class Predictor(Serving):
    """Serves the loaded model to any number of threads, while another loads and collects.

    The model runs outside the lock; a run keeps the model it began with, so that a change of models
    never mixes two of them in one call. The lock is held for the book-keeping of a call.

    Attributes:
        beside: Sees the rows that are answered, None for nobody; any thread may set it.
    """

    def __init__(self, device: str, boot: int, runtime: Runtime, clock: Clock) -> None:
        """Serve nothing yet.

        Args:
            device: The device's name, the first part of prediction ids.
            boot: The agent's start count, their second part.
            runtime: What loads models.
            clock: Event times and latencies.
        """
        self._runtime = runtime
        self._clock = clock
        self._now_ns = clock.monotonic_ns
        self._device = device
        self._prefix = f"{device}.{boot}."
        self._served: Served | None = None
        self._lock = threading.Lock()
        self._loads = 0
        self._answers = 0
        self._collected = 0
        self._overdue = 0
        self._took_ns: list[int] = []
        self._recent = RecentAnswers()
        self._tally = Tally()
        self._blocks: Buffer[tuple[Served, FinishedBlock]] = Buffer(BLOCKS_HELD)
        self._sampling = Sampling(self._prefix)
        self._labels: Buffer[Label] = Buffer(LABELS_HELD)
        self._dropped = 0
        self.beside: Alongside | None = None

    @property
    def manifest(self) -> Manifest | None:
        served = self._served
        return served.manifest if served else None

    def health(self) -> Health:
        with self._lock:
            count = self._served.count if self._served is not None else Count()
            return Health(rows=count.rows, errors=count.errors + self._overdue)

    def end_overdue(self) -> None:
        """Tell runs of models to end that take too long; called now and then.

        One that does not end, because it is within one operator, counts as an error of the loaded
        model for as long as it goes on.
        """
        self._overdue = self._runtime.end_overdue(self._clock.monotonic())

    def load(self, manifest: Manifest, artifact: bytes) -> None:
        self.swap(load(manifest, artifact, self._runtime, self._loads + 1))

    def unload(self) -> None:
        self.swap(None)

    def sample(self, policy: SamplingPolicy | None, budget: SampleBudget | None) -> None:
        """Keep served rows as samples as a policy says, within a budget; at first none are kept."""
        with self._lock:
            self._sampling.follow(policy, budget)

    def disagreed(self, rows: Rows, numbers: Numbers, said: tuple[Floats, Floats]) -> None:
        """Rows that a challenger in shadow answers otherwise; see `Sampling.disagreed`."""
        with self._lock:
            self._sampling.disagreed(rows, numbers, said, self._clock.now())

    def predict(self, rows: Given) -> list[Answer]:
        """Answer rows, all or none of them; see `answer`."""
        return self.answer(rows).each()

    def answer(
        self, rows: Given, *, by: Manifest | None = None, key: str | None = None
    ) -> Answered:
        """Answer rows, all or none of them, as arrays.

        Args:
            rows: One mapping of feature names to values each, None or NaN where a value is
                missing; or an array with the signature's features as its columns, a category as
                its place among the feature's categories.
            by: The only model that may answer, where the array was made for it.
            key: Whose rows these are: those of some keys are a challenger's to answer.

        Raises:
            InputError: These are not the model's inputs; names row and feature.
            ModelChangedError: Another model than `by` serves now.
            ModelError: The model failed on them.
            NoModelError: Nothing is loaded yet.
        """
        served = self._served
        if served is None:
            raise NoModelError("no model is loaded yet; it comes with the first rollout")
        if by is not None and served.manifest is not by:
            raise ModelChangedError("the model has changed; nothing was answered, ask again")
        if key and (other := self.beside) and (found := other.answer(rows, key)) is not None:
            return found
        row = served.intake.one(rows)
        return self._answer_many(served, rows) if row is None else self._answer_one(served, row)

    def feedback(self, labels: Sequence[tuple[str, str | float]]) -> int:
        """Take labels that became known: pairs of prediction id and label, all or none of them.

        A label is a class of the loaded model, by its number or by its name; for a regression it
        is any finite number. Every label is passed on to the hub, also that of an answer of an
        earlier start. Labels that are refused are counted as refused rows are.

        Returns:
            How many of the answers they are about are remembered here.

        Raises:
            InputError: Not a pair, not an id of this device, or not a label; names which.
        """
        served = self._served
        truths = served.truths if served is not None else Truths(None)
        try:
            read = read_labels(labels, self._device, truths)
        except InputError:
            with self._lock:
                self._tally.refused += len(labels)
            raise
        now = self._clock.now()
        with self._lock:
            for prediction_id, label in read:
                self._labels.put(Label(prediction_id=prediction_id, label=label, at=now))
            return sum([self._join(*pair) for pair in read])

    def resume(self, kept: bytes) -> None:
        """Go on counting from what `keeping` has kept of this model, if no row was answered yet.

        Raises:
            UnusableWindowError: It is damaged, or another model's.
        """
        served = self._served
        if served is None:
            return
        window = unpack(kept, served.manifest, served.monitor.nothing())
        with self._lock:
            if not served.count.rows:
                served.monitor.resume(window.rest)
                served.scan.resume(window.windows)

    def collect(self, *, keep: bool = False) -> Collected:
        """Hand over what has come together since the last call; windows are judged here.

        Args:
            keep: Whether to hand over the open window as well, to be kept.
        """
        with self._lock:
            served = self._served
            if served is not None:
                self._take_blocks(served)
            rest = served.monitor.rest() if keep and served is not None else None
            blocks = self._blocks.take()
            samples, labels = self._sampling.take(), self._labels.take()
            withheld = self._sampling.withheld
            dropped = sum(x.dropped for x in (self._blocks, self._sampling, self._labels))
            self._tally.took(self._took_ns)
            seen = self._tally.take(self._answers - self._collected, dropped - self._dropped)
            seen = seen if served is None else served.tell(seen, self._recent)
            self._collected, self._dropped = self._answers, dropped
        windows = judged(blocks)
        with self._lock:
            self._sampling.see(windows)
        open_window = None
        if served is not None and rest is not None:
            open_window = OpenWindow(rest, served.scan.open_windows())
        return Collected(windows, samples, labels, seen, open_window, withheld)

    def swap(self, served: Served | None) -> None:
        """Serve this from now on, or nothing."""
        with self._lock:
            if self._served is not None:
                self._take_blocks(self._served)
            self._loads += 1
            self._tally.forget_labels()
            self._served = served
            self._sampling.loaded(served)

    def _answer_one(self, served: Served, row: bytes) -> Answered:
        """As `_answer_many`, without arrays: they cost a small model as much as its answer."""
        began_ns = self._now_ns()
        try:
            outputs = served.model.one(row)
            total = sum(outputs)
            if total - total:  # not 0: one of them is infinite or no number
                raise served.no_answer(row, outputs)
            score, label = served.rule.one(outputs)
        except FleetloopError as error:
            self._note_failure(served, 1, error)
            raise
        took_ns = self._now_ns() - began_ns
        with self._lock:
            self._answers = first = self._answers + 1
            served.count.rows += 1
            self._took_ns.append(took_ns)
            self._recent.note(first, label, served.load)
            if served.groups is not None:
                served.groups.note(first, row, label)
            if served.monitor.add(row, score):
                self._take_blocks(served)
            answered = Answered(
                self._prefix, first, served.manifest, served.truths, (score,), (label,), (outputs,)
            )
            if self._sampling.active:
                self._sampling.note(row, first, score, label, self._clock.now())
            if self.beside is not None:
                self.beside.note(row, first, score, label)
        return answered

    def _answer_many(self, served: Served, given: Given) -> Answered:
        try:
            rows = served.intake.rows(given)
        except InputError as error:
            self._note_failure(served, len(given) if hasattr(given, "__len__") else 1, error)
            raise
        began_ns = self._now_ns()
        try:
            outputs, scores, labels = served.many(rows)
        except FleetloopError as error:
            self._note_failure(served, len(rows), error)
            raise
        took_ns = self._now_ns() - began_ns
        with self._lock:
            first = self._answers + 1
            self._answers += len(rows)
            served.count.rows += len(rows)
            self._took_ns.append(took_ns)
            self._recent.note_many(first, labels, served.load)
            if served.groups is not None:
                served.groups.note_many(first, rows, labels)
            served.monitor.extend(rows, scores)
            self._take_blocks(served)
            answered = Answered(
                self._prefix, first, served.manifest, served.truths, scores, labels, outputs
            )
            if self._sampling.active:
                self._sampling.note_many(rows, first, (scores, labels), self._clock.now())
            if self.beside is not None:
                self.beside.note_many(rows, first, (scores, labels))
        return answered

    def _note_failure(self, served: Served, rows: int, error: FleetloopError) -> None:
        with self._lock:
            self._tally.failed(rows, error)
            served.count.errors += 0 if isinstance(error, InputError) else rows

    def _take_blocks(self, served: Served) -> None:
        self._tally.took(self._took_ns)
        for block in served.monitor.take():
            self._blocks.put((served, block))

    def _join(self, prediction_id: str, label: float) -> bool:
        number = number_of(prediction_id, self._prefix)
        others = self.beside is not None and self.beside.label(prediction_id, number, label)
        answered = self._recent.take(number) if number is not None else None
        if number is None or answered is None:
            return others
        said, by = answered
        if self._served is not None and by == self._served.load:
            self._tally.labelled(correct=self._served.weigh(number, said, label))
        return True
