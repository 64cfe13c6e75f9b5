"""One loaded model with all that belongs to it, so that a change of models is one assignment."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from fleetloop_agent.errors import ModelError
from fleetloop_agent.ports import Model, Rows, Runtime
from fleetloop_agent.serving.group_counts import GroupTally
from fleetloop_agent.serving.intake import Intake
from fleetloop_agent.serving.monitor import Monitor
from fleetloop_agent.serving.recent import RecentAnswers
from fleetloop_agent.serving.records import Counters
from fleetloop_agent.serving.truths import Truths
from fleetloop_shared.answer_counts import answer_counts
from fleetloop_shared.answers import Rule
from fleetloop_shared.drift.block import Blocks
from fleetloop_shared.drift.scan import Scan
from fleetloop_shared.errors import FleetloopError
from fleetloop_shared.estimate.betting import LabelTest
from fleetloop_shared.estimate.records import LabelEvidence
from fleetloop_shared.manifest import REGRESSION, Manifest

_FEWEST_CLASSES = 2

Floats = npt.NDArray[np.float64]


class Count:
    """How a model has served since it was loaded; who counts holds a lock.

    Attributes:
        rows: Rows it has answered.
        errors: Rows it has failed on.
    """

    __slots__ = ("errors", "rows")

    def __init__(self) -> None:
        """Nothing yet."""
        self.rows = self.errors = 0


@dataclass(frozen=True)
class Served:
    """A loaded model.

    Attributes:
        load: Which loading this is, counted from 1.
        manifest: What was signed about it.
        model: It.
        intake: Checks its rows.
        rule: Reads its outputs.
        truths: Checks labels, and says what its answers are called.
        monitor: Counts its rows.
        scan: Judges what was counted.
        test: Weighs labels, None where nothing says how good the model must be; it begins anew with
            every loading.
        count: How many rows it has answered and failed on.
        groups: How groups of people were answered, None where there are none to be counted.
    """

    load: int
    manifest: Manifest
    model: Model
    intake: Intake
    rule: Rule
    truths: Truths
    monitor: Monitor
    scan: Scan
    test: LabelTest | None
    count: Count
    groups: GroupTally | None = None

    def many(self, rows: Rows) -> tuple[Rows, Floats, Floats]:
        """Outputs, scores and labels of rows.

        Raises:
            InputError: No answer to an infinite value.
            ModelError: The model failed, or gave something that is no number.
        """
        outputs = self.model.outputs(rows)
        if not np.isfinite(outputs).all():
            raise self._unanswered(rows, outputs)
        scores, labels = self.rule.answer(outputs)
        return outputs, scores, labels

    def no_answer(self, row: bytes, outputs: list[float]) -> FleetloopError:
        """Why a row has outputs that are no numbers: for its own sake, or the model's."""
        one_row = np.frombuffer(row, np.float32)[None]
        return self._unanswered(one_row, np.array([outputs], np.float32))

    def _unanswered(self, rows: Rows, outputs: Rows) -> FleetloopError:
        unanswered = np.any(~np.isfinite(outputs), axis=1)
        return self.intake.infinite(rows, unanswered) or ModelError(
            f"{self.manifest.model} {self.manifest.version} gave no number for row "
            f"{int(np.argmax(unanswered))}; nothing was answered"
        )

    def weigh(self, number: int, said: float, label: float) -> bool | None:
        """Count a label of an answer; whether the answer was right, None for a regression."""
        if self.test is not None:
            self.test.add(said, label)
        if self.groups is not None:
            self.groups.label(number, said, label)
        return self.truths.right(said, label)

    def tell(self, counters: Counters, recent: RecentAnswers) -> Counters:
        """Counts with what labels say about it, and what was answered to whom meanwhile.

        Args:
            counters: The counts.
            recent: What was answered last.
        """
        answers = recent.last(counters.rows, self.load)
        groups = self.groups.take() if self.groups is not None else []
        counts = answer_counts(answers, self.manifest.signature).tolist() if len(answers) else []
        return replace(
            counters, evidence=self.evidence(), groups=groups, answer_counts=tuple(counts)
        )

    def evidence(self) -> LabelEvidence | None:
        """What labels say about it, None before the first."""
        found = self.test.evidence() if self.test is not None else None
        return found if found is not None and found.labels else None


def load(manifest: Manifest, artifact: bytes, runtime: Runtime, number: int) -> Served:
    """A model with its own checks and counts.

    Raises:
        ModelError: It does not load, or can answer in one way only.
    """
    signature = manifest.signature
    if signature.columns < _FEWEST_CLASSES and signature.task != REGRESSION:
        raise ModelError(f"{manifest.model} {manifest.version} has one class: nothing to answer")
    return Served(
        load=number,
        manifest=manifest,
        model=runtime.load(artifact, signature),
        intake=Intake(signature),
        rule=Rule(signature),
        truths=Truths(signature),
        monitor=Monitor(Blocks(manifest.reference, signature), manifest.thresholds.scales[0].rows),
        scan=Scan(manifest.reference, manifest.thresholds, signature),
        test=LabelTest(manifest.accuracy) if manifest.accuracy is not None else None,
        count=Count(),
        groups=GroupTally.of(manifest),
    )
