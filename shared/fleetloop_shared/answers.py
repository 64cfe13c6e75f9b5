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
        >>> Rule(three).one([0.25, 0.25, 0.5])
        (0.5, 2.0)
    """

    def __init__(self, signature: Signature) -> None:
        self._regression = signature.task == REGRESSION
        self._positive = signature.positive
        self._threshold = signature.decision_threshold
        self._numbers = [float(number) for number in signature.classes]
        self._classes = np.array(signature.classes, np.float64)
        self._no_class = not self._regression and signature.positive == NO_CLASS
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
        if self._no_class:
            places = outputs.argmax(axis=1)
            rows = np.arange(0, outputs.size, outputs.shape[1])
            largest = outputs.ravel().take(rows + places)  # thrice as fast as max(axis=1)
            return largest.astype(np.float64), self._classes.take(places)
        scores = self.scores(outputs)
        if self._regression:
            return scores, scores
        other: Labels | np.float64 = self._classes[self._others[0]]
        if len(self._others) > 1:
            other = self._classes[self._others][outputs[:, self._others].argmax(axis=1)]
        return scores, np.where(scores >= self._threshold, self._classes[self._positive], other)

    def one(self, outputs: list[float]) -> tuple[float, float]:
        """Score and answer of one row, as `answer` gives them, without arrays.

        Args:
            outputs: The row's finite outputs, float32 values.
        """
        if self._no_class:
            score = max(outputs)
            return score, self._numbers[outputs.index(score)]
        if self._regression:
            return outputs[0], outputs[0]
        score = outputs[self._positive]
        if score >= self._threshold:
            return score, self._numbers[self._positive]
        if len(self._others) == 1:
            return score, self._numbers[self._others[0]]
        return score, self._numbers[max(self._others, key=outputs.__getitem__)]
