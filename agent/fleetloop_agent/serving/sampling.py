"""Which served rows leave the device as samples, and holds them until they are collected.

Nothing is done where no policy is. With one, an answered row costs an append; rows are looked at
many at a time. Each row has one number drawn for it, by the number of its answer, and is sent where
that is below its probability, the largest of those of all reasons that it has. A probability is
fixed before its row is looked at: what the policy says, times how far the budget lets that reason
go. Weighed by their reciprocals, samples so stand for all rows.
"""

import hashlib
import math
from dataclasses import dataclass

import msgspec
import numpy as np

from fleetloop_agent.ports import Rows
from fleetloop_agent.serving.harvest import Buffer
from fleetloop_agent.serving.records import Window
from fleetloop_agent.serving.sample_budget import SampleBudget
from fleetloop_agent.serving.sample_chance import Floats, Numbers, drawn, opening
from fleetloop_agent.serving.sample_reasons import Drifted, LeastSure, OutOfRange
from fleetloop_agent.serving.served import Served
from fleetloop_agent.serving.truths import Truths
from fleetloop_shared.manifest import Manifest
from fleetloop_shared.reports import Sample
from fleetloop_shared.sampling import Reason, SamplingPolicy

SAMPLES_HELD = 10_000

REPORT_BYTES = 384
"""What a report adds to its samples, at most, but for the names of what it withholds."""

LEAST_PROBABILITY = 1e-4
"""Less probable rows are not sent: one of them would weigh more than all others."""

_AT_ONCE = 512
"""Rows that are looked at together; fewer where they are collected before."""

_EVERY_REPORT = 200
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class _Model:
    """What is known of the model whose rows are looked at."""

    manifest: Manifest
    truths: Truths
    least_sure: LeastSure
    out_of_range: OutOfRange
    withheld: list[int]


class Sampling:
    """Looks at the answers of one start of one device; not thread-safe.

    Attributes:
        active: Whether any row is kept; at first none is.
        held: What was kept.
        unsent: Rows that were chosen, and for which the budget had no bytes.
        withheld: Features of the loaded model that never leave.
    """

    def __init__(self, prefix: str) -> None:
        """Keep nothing.

        Args:
            prefix: What all prediction ids of this start begin with; no two draw the same numbers.
        """
        self.active = False
        self.held: Buffer[Sample] = Buffer(SAMPLES_HELD)
        self.unsent = 0
        self.withheld: list[str] = []
        self._prefix = prefix
        self._seed = int.from_bytes(hashlib.sha256(prefix.encode()).digest()[:7], "big")
        self._policy: SamplingPolicy | None = None
        self._budget: SampleBudget | None = None
        self._served: Served | None = None
        self._model: _Model | None = None
        self._drifted: Drifted | None = None
        self._rows: list[bytes] = []
        self._said: list[tuple[int, float, float, float]] = []
        self._in_report = 0
        self._sent: dict[int, None] = {}

    def follow(self, policy: SamplingPolicy | None, budget: SampleBudget | None) -> None:
        """Send what a policy says from now on; what was held under another one is given up."""
        self._budget = budget
        if policy != self._policy:
            self.held.dropped += len(self.held.take()) + len(self._said)
            self._rows.clear()
            self._said.clear()
            self._policy = policy
            self._look_up()

    def loaded(self, served: Served | None) -> None:
        """Another model answers from now on, or none."""
        self._look_at_all()
        self._served, self._drifted = served, None
        self._look_up()

    def see(self, windows: list[Window]) -> None:
        """Rows that show an alarm of the loaded model go first, until a window ends without one."""
        served, policy = self._served, self._policy
        if served is None or policy is None or not policy.drifted_first:
            return
        for window in windows:
            judged = window.judged
            if window.manifest is not served.manifest:
                continue
            if judged.verdict.alarm:
                self._drifted = Drifted(judged.verdict, served.manifest)
            elif judged.closed and not judged.alarm:
                self._drifted = None

    def note(self, row: bytes, number: int, score: float, label: float, at: float) -> None:
        """One answered row.

        Args:
            row: Its float32 values.
            number: Of its answer.
            score: As answered.
            label: As answered.
            at: Unix seconds.
        """
        self._rows.append(row)
        self._said.append((number, score, label, at))
        if len(self._said) >= _AT_ONCE:
            self._look_at_all()

    def note_many(self, rows: Rows, first: int, said: tuple[Floats, Floats], at: float) -> None:
        """Many answered rows.

        Args:
            rows: Their values.
            first: The number of the first answer; the others follow.
            said: Scores and labels.
            at: Unix seconds.
        """
        self._look_at_all()
        for start in range(0, len(rows), _AT_ONCE):
            some = slice(start, start + _AT_ONCE)
            numbers = np.arange(first + start, first + start + len(rows[some]), dtype=np.uint64)
            self._look_at(rows[some], numbers, (said[0][some], said[1][some]), at)

    def disagreed(
        self, rows: Rows, numbers: Numbers, said: tuple[Floats, Floats], at: float
    ) -> None:
        """Rows that a challenger in shadow has answered otherwise.

        They are picked after the fact, so their probability is None; those that were sent already
        are not sent again.

        Args:
            rows: Their values.
            numbers: Of their answers.
            said: Scores and labels, as they were answered.
            at: Unix seconds.
        """
        self._look_at_all()
        model, policy, budget = self._model, self._policy, self._budget
        if model is None or policy is None or budget is None or not policy.disagreement:
            return
        share = opening(Reason.DISAGREEMENT, budget.fill)
        for k in np.flatnonzero(drawn(numbers, self._seed + 1) < share):
            if int(numbers[k]) not in self._sent:
                self._keep(
                    rows[k],
                    int(numbers[k]),
                    (said[0][k], said[1][k], at),
                    (Reason.DISAGREEMENT, None),
                )

    @property
    def dropped(self) -> int:
        """Rows to be sent that were not: nobody collected them, or the budget had no room."""
        return self.held.dropped + self.unsent

    def take(self) -> list[Sample]:
        """Everything that is held; it is no longer held then."""
        self._look_at_all()
        self._in_report = 0
        return self.held.take()

    def _look_up(self) -> None:
        policy, served = self._policy, self._served
        self.active = policy is not None and served is not None
        self._model, self.withheld = None, []
        if policy is None or served is None:
            return
        names = [f.name for f in served.manifest.signature.features]
        never = set(policy.never)
        self.withheld = [name for name in names if name in never]
        self._model = _Model(
            served.manifest,
            served.truths,
            LeastSure(served.manifest, policy.low_confidence),
            OutOfRange(served.manifest),
            [names.index(name) for name in self.withheld],
        )

    def _look_at_all(self) -> None:
        """Look at the rows that were noted one by one."""
        if not self._said:
            return
        numbers, scores, labels, at = zip(*self._said, strict=True)
        rows = np.frombuffer(b"".join(self._rows), np.float32).reshape(len(numbers), -1)
        said = np.array(scores), np.array(labels)
        self._rows.clear()
        self._said.clear()
        self._look_at(rows, np.array(numbers, np.uint64), said, np.array(at))

    def _look_at(
        self, rows: Rows, numbers: Numbers, said: tuple[Floats, Floats], at: Floats | float
    ) -> None:
        model, policy, budget = self._model, self._policy, self._budget
        if model is None or policy is None or budget is None:
            return
        fill = budget.fill
        flags = {Reason.RANDOM: np.full(len(rows), policy.random_share)}
        if policy.low_confidence:
            flags[Reason.LOW_CONFIDENCE] = model.least_sure.of(said[0]) * 1.0
        if policy.out_of_range:
            flags[Reason.OUT_OF_RANGE] = model.out_of_range.of(rows) * 1.0
        if self._drifted is not None:
            flags[Reason.DRIFT] = self._drifted.of(rows) * 1.0
        chances = {reason: share * opening(reason, fill) for reason, share in flags.items()}
        probability = np.maximum.reduce(list(chances.values()))
        luck = drawn(numbers, self._seed)
        times = np.broadcast_to(at, len(rows))
        for k in np.flatnonzero((luck < probability) & (probability >= LEAST_PROBABILITY)):
            reason = next(r for r in Reason if r in chances and luck[k] < chances[r][k])
            answered = said[0][k], said[1][k], float(times[k])
            self._keep(rows[k], int(numbers[k]), answered, (reason, float(probability[k])))

    def _keep(
        self,
        row: Rows,
        number: int,
        answered: tuple[float, float, float],
        why: tuple[Reason, float | None],
    ) -> None:
        model, budget = self._model, self._budget
        if model is None or budget is None:
            return
        values = [x if math.isfinite(x) else None for x in row.tolist()]
        for place in model.withheld:
            values[place] = None
        sample = Sample(
            prediction_id=f"{self._prefix}{number}",
            at=answered[2],
            values=values,
            score=float(answered[0]),
            label=model.truths.said(float(answered[1]))[0],
            version=model.manifest.version,
            reason=why[0],
            probability=why[1],
        )
        size_bytes = len(_encode(sample)) + 1
        if self._in_report % _EVERY_REPORT == 0:
            size_bytes += REPORT_BYTES + sum(len(_encode(name)) + 1 for name in self.withheld)
        if not budget.spend(size_bytes):
            self.unsent += 1
            return
        self._in_report += 1
        self.held.put(sample)
        if len(self._sent) >= SAMPLES_HELD:
            del self._sent[next(iter(self._sent))]
        self._sent[number] = None
