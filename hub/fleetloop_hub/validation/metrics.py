"""How good answers are, as one number; each metric takes many weightings of the rows at once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fleetloop_hub.spec.scalars import Metric
from fleetloop_shared.answers import Outputs, Rule
from fleetloop_shared.manifest import NO_CLASS, Signature

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Answers:
    """What a model says about rows whose truth is known.

    Attributes:
        truth: The label of each row: a class as its number, or the value of a regression.
        outputs: What the artifact puts out, shape (rows, classes or 1).
        signature: How outputs are read.
    """

    truth: Floats
    outputs: Outputs
    signature: Signature

    def __len__(self) -> int:
        """How many rows."""
        return len(self.truth)

    @cached_property
    def scores(self) -> Floats:
        """One score a row."""
        return Rule(self.signature).scores(self.outputs)

    @cached_property
    def labels(self) -> Floats:
        """One answer a row."""
        return Rule(self.signature).answer(self.outputs)[1]

    @cached_property
    def right(self) -> Flags:
        """Whether each answer is right."""
        right: Flags = self.labels == self.truth
        return right

    @property
    def judged_classes(self) -> list[int]:
        """Places of the classes that metrics go through: the positive one, or all."""
        positive = self.signature.positive
        return list(range(len(self.signature.classes))) if positive == NO_CLASS else [positive]

    def last(self, count: int) -> "Answers":
        """The newest of them."""
        return self.take(np.arange(len(self) - count, len(self)))

    def take(self, which: Flags | npt.NDArray[np.int64]) -> "Answers":
        """Some of them."""
        return Answers(self.truth[which], self.outputs[which], self.signature)


def measure(metric: Metric, answers: Answers) -> float:
    """The metric on all rows alike; NaN where a class that it needs is absent."""
    return float(METRICS[metric](answers, np.ones((1, len(answers))))[0])


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
    """Mean over the classes of the shares of right answers: saying always the same is worth least.

    A class that has no row is an unknown, and so is the mean.
    """
    shares = [
        _share(weights @ (answers.right & truth), weights @ truth)
        for truth in (answers.truth == number for number in answers.signature.classes)
    ]
    mean: Floats = np.mean(shares, axis=0)
    return mean


def roc_auc(answers: Answers, weights: Floats) -> Floats:
    """How often a row of a class scores above another one (ties half), whatever the threshold.

    Of several classes, the mean of each against the rest.
    """
    return _mean(_roc_auc(truth, score, weights) for truth, score in _columns(answers))


def average_precision(answers: Answers, weights: Floats) -> Floats:
    """Precision averaged over the steps of recall: for a rare class. Of several, the mean."""
    return _mean(_average_precision(truth, score, weights) for truth, score in _columns(answers))


def f1(answers: Answers, weights: Floats) -> Floats:
    """Harmonic mean of precision and recall at the decision threshold. Of several, the mean."""
    found = []
    for place in answers.judged_classes:
        number = answers.signature.classes[place]
        truth, said = answers.truth == number, answers.labels == number
        found.append(_share(2 * (weights @ (truth & said)), weights @ truth + weights @ said))
    mean: Floats = np.mean(found, axis=0)
    return mean


def r2(answers: Answers, weights: Floats) -> Floats:
    """Share of a value's variance that is explained; the mean of all values is worth 0."""
    total = weights.sum(axis=1)
    mean = _share(weights @ answers.truth, total)
    spread = weights @ answers.truth**2 - total * mean**2
    return 1 - _share(weights @ (answers.truth - answers.scores) ** 2, spread)


METRICS: dict[Metric, Callable[[Answers, Floats], Floats]] = {
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "roc_auc": roc_auc,
    "average_precision": average_precision,
    "f1": f1,
    "r2": r2,
}


def _columns(answers: Answers) -> Iterator[tuple[Flags, Floats]]:
    for place in answers.judged_classes:
        truth: Flags = answers.truth == answers.signature.classes[place]
        yield truth, answers.outputs[:, place].astype(np.float64)


def _roc_auc(truth: Flags, scores: Floats, weights: Floats) -> Floats:
    yes, no = _steps(truth, scores, weights)
    below = np.cumsum(no, axis=1) - no / 2
    return _share((yes * below).sum(axis=1), yes.sum(axis=1) * no.sum(axis=1))


def _average_precision(truth: Flags, scores: Floats, weights: Floats) -> Floats:
    yes, no = (step[:, ::-1] for step in _steps(truth, scores, weights))
    found, all_yes = np.cumsum(yes, axis=1), yes.sum(axis=1)
    said = found + np.cumsum(no, axis=1)
    precision = np.divide(found, said, out=np.zeros_like(found), where=said > 0)
    return _share((precision * yes).sum(axis=1), all_yes)


def _steps(truth: Flags, scores: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Weight of rows of the class and of others at each score there is, ascending."""
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=-np.inf))
    weights, truth = weights[:, order], truth[order]
    yes = np.add.reduceat(weights * truth, starts, axis=1)
    no = np.add.reduceat(weights * ~truth, starts, axis=1)
    return yes, no


def _mean(found: Iterator[Floats]) -> Floats:
    mean: Floats = np.mean(list(found), axis=0)
    return mean


def _share(part: Floats, whole: Floats) -> Floats:
    share = np.full(len(whole), np.nan)
    np.divide(part, whole, out=share, where=whole > 0)
    return share
