"""How good answers are, as one number; each metric takes many weightings of the rows at once."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fleetloop_hub.spec.scalars import Metric

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Answers:
    """What a model says about rows whose truth is known.

    Attributes:
        truth: Whether each row is positive.
        scores: The model's probability that it is.
        threshold: The model answers yes from this score on.
    """

    truth: npt.NDArray[np.bool_]
    scores: Floats
    threshold: float

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        """Whether each answer is right."""
        right: npt.NDArray[np.bool_] = (self.scores >= self.threshold) == self.truth
        return right


def measure(metric: Metric, answers: Answers) -> float:
    """The metric on all rows alike; NaN where a class that it needs is absent."""
    return float(METRICS[metric](answers, np.ones((1, len(answers.truth))))[0])


def threshold_for(metric: Metric, positive_share: float) -> float:
    """The score from which a calibrated model should answer yes to do best by the metric.

    Where every row counts alike that is 0.5; where both classes count alike it is the share of
    positive rows (Bayes' rule with equal weights of the classes). Nothing is fitted, so that
    nothing depends on how a few validation rows fell.
    """
    return 0.5 if metric == "accuracy" else positive_share


def accuracy(answers: Answers, weights: Floats) -> Floats:
    """Share of right answers: for classes about equally frequent, or when every row counts alike.

    Args:
        answers: What is judged.
        weights: How often each row counts, shape (weightings, rows).
    """
    return _share(weights @ answers.right, weights.sum(axis=1))


def balanced_accuracy(answers: Answers, weights: Floats) -> Floats:
    """Mean of the shares of right answers in either class: saying always the same gives 0.5."""
    right, truth = answers.right, answers.truth
    of_yes = _share(weights @ (right & truth), weights @ truth)
    of_no = _share(weights @ (right & ~truth), weights @ ~truth)
    return (of_yes + of_no) / 2


def roc_auc(answers: Answers, weights: Floats) -> Floats:
    """How often a positive row scores above a negative one (ties half), whatever the threshold."""
    order = np.argsort(answers.scores, kind="stable")
    starts = np.flatnonzero(np.diff(answers.scores[order], prepend=-np.inf))
    weights, truth = weights[:, order], answers.truth[order]
    yes = np.add.reduceat(weights * truth, starts, axis=1)
    no = np.add.reduceat(weights * ~truth, starts, axis=1)
    below = np.cumsum(no, axis=1) - no / 2
    return _share((yes * below).sum(axis=1), yes.sum(axis=1) * no.sum(axis=1))


METRICS: dict[Metric, Callable[[Answers, Floats], Floats]] = {
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "roc_auc": roc_auc,
}


def _share(part: Floats, whole: Floats) -> Floats:
    share = np.full(len(whole), np.nan)
    np.divide(part, whole, out=share, where=whole > 0)
    return share
