"""One policy over one history, step by step; nothing is used before it could have been known."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from fleetloop_hub.errors import TrainingError
from fleetloop_hub.records import Verdict
from fleetloop_hub.retraining.decide import decide, standing
from fleetloop_hub.retraining.evidence import Evidence, LabelLoss
from fleetloop_hub.retraining.holding import Holding
from fleetloop_hub.simulating.crew import Crew
from fleetloop_hub.simulating.history import History
from fleetloop_hub.simulating.lesson import chosen
from fleetloop_hub.simulating.levelled import levelled
from fleetloop_hub.simulating.school import School, Taught
from fleetloop_hub.spec.retrain_table import RetrainTable
from fleetloop_hub.validation.metrics import Answers
from fleetloop_shared.answers import Rule
from fleetloop_shared.estimate.betting import LabelTest

_STEPS = 150
_DAY_S = 86_400.0
_WELL_LABELS = 100


@dataclass(frozen=True)
class Retraining:
    """A run that a policy has asked for.

    Attributes:
        row: The first row that was served after it.
        at: When, seconds.
        trigger: What led to it.
        reason: In words.
        taken: Whether its version took over.
        text: What came of it, in words.
    """

    row: int
    at: float
    trigger: str
    reason: str
    taken: bool
    text: str


@dataclass(frozen=True)
class Played:
    """What a policy has come to.

    Attributes:
        answers: To every replayed row, by whichever version was the champion.
        retrainings: In order of time.
        labels_used: Labels of replayed rows that were learned from.
    """

    answers: Answers
    retrainings: list[Retraining]
    labels_used: int


@dataclass
class _Reign:
    """A champion and what is known about it."""

    taught: Taught
    since: int
    crew: Crew
    test: LabelTest | None
    weighed: int
    drift_at: float | None = None


@dataclass
class _Course:
    """What a replay has done so far."""

    outputs: list[npt.NDArray[np.float32]] = field(default_factory=list)
    said: list[npt.NDArray[np.float64]] = field(default_factory=list)
    retrainings: list[Retraining] = field(default_factory=list)
    learned: set[int] = field(default_factory=set)
    last_s: float = -np.inf


class Replay:
    """Serves rows, watches, decides and retrains, as hub and devices would together."""

    def __init__(self, history: History, school: School, policy: RetrainTable | None) -> None:
        """Nothing is served yet.

        Args:
            history: The rows.
            school: Makes versions; shared by all policies.
            policy: What the decision is made by; None: nothing is ever decided.
        """
        self._history, self._school, self._policy = history, school, policy
        self._holding, self._course = Holding(), _Course()
        frame = history.frame
        self._known_at = frame.label_at
        self._first = school.teach(np.arange(history.start))
        self._reign = self._crowned(self._first, history.start)

    def play(self, tell: Callable[[float], object]) -> Played:
        """All of it.

        Args:
            tell: Called with the share that is done.
        """
        frame, start = self._history.frame, self._history.start
        step = step_rows(self._history)
        for first in range(start, len(frame), step):
            end = min(first + step, len(frame))
            self._serve(first, end)
            if self._policy is not None:
                self._decide(end, self._policy)
            tell((end - start) / (len(frame) - start))
        truth = frame.label[start:]
        answers = Answers(
            truth, np.concatenate(self._course.outputs), self._first.manifest.signature
        )
        used = sum(place >= start for place in self._course.learned)
        return Played(answers, self._course.retrainings, used)

    def _serve(self, first: int, end: int) -> None:
        rows, reign = self._history.frame.values[first:end], self._reign
        signature = reign.taught.manifest.signature
        outputs = reign.taught.artifact.outputs(rows)
        rule = Rule(signature)
        self._course.outputs.append(levelled(outputs, signature, self._first.manifest.signature))
        scores, said = rule.answer(outputs)
        self._course.said.append(said)
        reign.crew.serve(first, rows, scores)

    def _decide(self, end: int, policy: RetrainTable) -> None:
        """What is asked for, now that the rows before `end` were served."""
        reign, now = self._reign, float(self._history.frame.at[end - 1])
        evidence = self._evidence(end, now)
        about = ("simulated", reign.since)
        labels = len(self._known(end, now))
        held, spent = self._holding.look(
            about, end, standing(evidence, policy), policy.rearm_looks, labels
        )
        advice = decide(replace(evidence, held=held, spent=spent), policy)
        if advice.verdict is not Verdict.RETRAIN:
            return
        self._holding.spend(about, advice.trigger, labels)
        taken, text = self._retrain(end, now, policy)
        reason = "; ".join(advice.reasons)
        done = Retraining(end, now, str(advice.trigger), reason, taken, text)
        self._course.retrainings.append(done)
        self._course.last_s = now

    def _retrain(self, end: int, now: float, policy: RetrainTable) -> tuple[bool, str]:
        at = self._history.frame.at
        lesson = chosen(self._known(end, now), at, policy, self._reign.drift_at)
        self._course.learned.update(lesson.tolist())
        try:
            taught = self._school.teach(lesson)
        except TrainingError as error:
            return False, f"it came to nothing: {error}"
        better, text = self._school.is_better(taught, self._reign.taught)
        if better:
            self._reign = self._crowned(taught, end)
        return better, f"{taught.name}, {text}"

    def _crowned(self, taught: Taught, since: int) -> _Reign:
        accuracy = taught.manifest.accuracy
        test = None if accuracy is None else LabelTest(accuracy)
        return _Reign(taught, since, Crew(taught.manifest, self._history.devices), test, since)

    def _known(self, end: int, now: float) -> npt.NDArray[np.int64]:
        """Places of the rows before `end` whose label has come by now."""
        return np.flatnonzero(self._known_at[:end] <= now)

    def _evidence(self, end: int, now: float) -> Evidence:
        reign, course = self._reign, self._course
        drift = reign.crew.drift()
        if reign.drift_at is None and any(d.alarms for d in drift):
            reign.drift_at = now
        known = self._known(end, now)
        at, start = self._history.frame.at, self._history.start
        labels = 0
        if reign.drift_at is not None:
            labels = int((at[known[known >= start]] >= reign.drift_at).sum())
        fresh = known[known >= start]
        unlearned = len(fresh) - sum(place >= start for place in course.learned)
        begun = course.last_s if np.isfinite(course.last_s) else float(at[start - 1])
        return Evidence(
            drift=drift,
            labels=labels,
            since_training_s=now - begun,
            fresh_labels=unlearned,
            trainings=sum(r.at > now - _DAY_S for r in course.retrainings),
            loss=self._loss(end, now),
        )

    def _loss(self, end: int, now: float) -> LabelLoss | None:
        """What the labels of this champion's own answers say."""
        reign = self._reign
        if reign.test is None:
            return None
        upto = min(end, int(np.searchsorted(self._known_at, now, side="right")))
        said = np.concatenate(self._course.said)
        start, truth = self._history.start, self._history.frame.label
        for place in range(reign.weighed, upto):
            reign.test.add(float(said[place - start]), float(truth[place]))
        reign.weighed = max(reign.weighed, upto)
        found = reign.test.evidence()
        if not found.labels:
            return None
        value = "" if found.value is None else f" {found.value:.3f}"
        return LabelLoss(
            text=f"{found.metric}{value} by {found.labels:,} labels, {found.demanded:.3f} demanded",
            labels=found.labels,
            value=found.value,
            demanded=found.demanded,
            proven=found.alarm,
            well=found.labels >= _WELL_LABELS and not found.alarm,
        )


def step_rows(history: History) -> int:
    """Rows between two looks: a reporting window of every device, or more in a long history."""
    windows = history.spec.drift.window_rows * history.devices
    return max(windows, -(-(len(history.frame) - history.start) // _STEPS))
