"""Turns what a model puts out into scores and answers, the same way on hub and device."""

import numpy as np
import numpy.typing as npt

from fleetloop_shared.manifest import NO_CLASS, REGRESSION, Signature

Outputs = npt.NDArray[np.float32]
Scores = npt.NDArray[np.float64]
Labels = npt.NDArray[np.float64]


class Rule:
    """How the outputs of one model are read.

    - A regression: its one output is the score, and the answer.
    - A model with a positive class: the score is that class's probability; the answer is that class
      where the score, as a double, reaches the decision threshold, else the most probable other.
    - Any other classification: the most probable class is the answer, its probability the score.

    Examples:
        >>> from fleetloop_shared.manifest import Signature
        >>> three = Signature(input_name="x", score_name="y", features=[], classes=[0, 1, 2],
        ...     positive=-1, decision_threshold=0.0)
        >>> Rule(three).answer(np.array([[0.2, 0.3, 0.5]], np.float32))
        (array([0.5]), array([2.]))
    """

    def __init__(self, signature: Signature) -> None:
        self._regression = signature.task == REGRESSION
        self._positive = signature.positive
        self._threshold = signature.decision_threshold
        self._classes = np.array(signature.classes, np.float64)
        self._others = [k for k in range(len(signature.classes)) if k != signature.positive]

    def scores(self, outputs: Outputs) -> Scores:
        """One score a row.

        Args:
            outputs: Shape (rows, classes), or (rows, 1) of a regression.
        """
        scores: Outputs
        if self._regression:
            scores = outputs[:, 0]
        elif self._positive == NO_CLASS:
            scores = outputs.max(axis=1)
        else:
            scores = outputs[:, self._positive]
        return scores.astype(np.float64)

    def answer(self, outputs: Outputs) -> tuple[Scores, Labels]:
        """Scores and answers of rows; an answer is one of the signature's classes, or a number.

        Args:
            outputs: Shape (rows, classes), or (rows, 1) of a regression.
        """
        scores = self.scores(outputs)
        if self._regression:
            return scores, scores
        if self._positive == NO_CLASS:
            return scores, self._classes[outputs.argmax(axis=1)]
        other: Labels | np.float64 = self._classes[self._others[0]]
        if len(self._others) > 1:
            other = self._classes[self._others][outputs[:, self._others].argmax(axis=1)]
        return scores, np.where(scores >= self._threshold, self._classes[self._positive], other)
