"""One loaded model with all that belongs to it, so that a change of models is one assignment."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fleetloop_agent.errors import ModelError
from fleetloop_agent.ports import Model, Rows, Runtime
from fleetloop_agent.serving.intake import Intake
from fleetloop_agent.serving.monitor import Monitor
from fleetloop_shared.manifest import Manifest, Signature

_FEWEST_CLASSES = 2


@dataclass(frozen=True)
class Run:
    """What a model said about rows.

    Attributes:
        scores: Probability of the positive class, a row each.
        labels: The answer, a row each.
    """

    scores: npt.NDArray[np.float64]
    labels: npt.NDArray[np.int64]


class Rule:
    """Turns probabilities into labels.

    The positive class where its probability, as a double, reaches the decision threshold; else the
    most probable one of the others.
    """

    def __init__(self, signature: Signature) -> None:
        """Take classes and threshold from a signature.

        Args:
            signature: With two classes or more.
        """
        self._positive = signature.positive
        self._threshold = signature.decision_threshold
        self._others = [k for k in range(len(signature.classes)) if k != signature.positive]
        self._classes = np.array(signature.classes, np.int64)

    def answer(self, probabilities: Rows) -> Run:
        """Scores and labels of rows.

        Args:
            probabilities: One a class, shape (rows, classes).
        """
        scores = probabilities[:, self._positive].astype(np.float64)
        labels = np.full(len(scores), self._classes[self._others[0]])
        if len(self._others) > 1:
            labels = self._classes[self._others][probabilities[:, self._others].argmax(axis=1)]
        labels[scores >= self._threshold] = self._classes[self._positive]
        return Run(scores, labels)


@dataclass(frozen=True)
class Served:
    """A loaded model.

    Attributes:
        load: Which loading this is, counted from 1.
        manifest: What was signed about it.
        model: It.
        intake: Checks its rows.
        monitor: Counts its rows.
    """

    load: int
    manifest: Manifest
    model: Model
    intake: Intake
    rule: Rule
    monitor: Monitor

    def run(self, rows: Rows) -> Run:
        """Answer rows.

        Raises:
            InputError: No answer to an infinite value.
            ModelError: The model failed, or gave something that is no probability.
        """
        answers = self.model.probabilities(rows)
        if not np.isfinite(answers).all():
            unanswered = np.any(~np.isfinite(answers), axis=1)
            refusal = self.intake.infinite(rows, unanswered)
            raise refusal or ModelError(
                f"{self.manifest.model} {self.manifest.version} gave no probability for row "
                f"{int(np.argmax(unanswered))}; nothing was answered"
            )
        return self.rule.answer(answers)


def load(manifest: Manifest, artifact: bytes, runtime: Runtime, number: int) -> Served:
    """A model with its own checks and counts.

    Raises:
        ModelError: It does not load, or can answer in one way only.
    """
    if len(manifest.signature.classes) < _FEWEST_CLASSES:
        raise ModelError(f"{manifest.model} {manifest.version} has one class: nothing to answer")
    return Served(
        load=number,
        manifest=manifest,
        model=runtime.load(artifact, manifest.signature),
        intake=Intake(manifest.signature),
        rule=Rule(manifest.signature),
        monitor=Monitor(manifest.reference, manifest.thresholds.window_rows),
    )
