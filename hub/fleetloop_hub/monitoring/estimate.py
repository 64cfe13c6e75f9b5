"""Metrics of rows whose truth nobody knows, from labelled rows weighed to look like them."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from fleetloop_hub.monitoring.raking import Floats
from fleetloop_hub.monitoring.steadying import steadied
from fleetloop_hub.monitoring.weighing import Scales
from fleetloop_hub.spec.scalars import Metric
from fleetloop_hub.validation.labelled import Labelled
from fleetloop_hub.validation.metrics import METRICS, Answers
from fleetloop_shared.estimate.expected_by_score import expected_by_score
from fleetloop_shared.estimate.records import ACCURACY, MAE, AccuracyReference, Estimate
from fleetloop_shared.manifest import CLASSIFICATION, NO_CLASS, REGRESSION
from fleetloop_shared.profile import LiveProfile, ReferenceProfile

RMSE = "rmse"

_BLOCKS = 40
_Z = 1.96

Measure = Callable[[Answers, Floats], Floats]


def mae(answers: Answers, weights: Floats) -> Floats:
    """Mean absolute error, in the label's unit; see `metrics` for the form."""
    mean: Floats = weights @ np.abs(answers.truth - answers.scores) / weights.sum(axis=1)
    return mean


def rmse(answers: Answers, weights: Floats) -> Floats:
    """Root of the mean squared error, in the label's unit."""
    squared = weights @ (answers.truth - answers.scores) ** 2 / weights.sum(axis=1)
    root: Floats = np.sqrt(squared)
    return root


@dataclass(frozen=True)
class Estimated:
    """What was made of one profile.

    Attributes:
        estimates: One a metric, all refused or none.
        effective_rows: How many labelled rows of equal weight they rest on.
    """

    estimates: list[Estimate]
    effective_rows: float


class Estimator:
    """Estimates for one version: labelled rows that nothing was fitted on, and their answers."""

    def __init__(
        self,
        labelled: Labelled,
        reference: ReferenceProfile,
        accuracy: AccuracyReference,
        gate: Metric,
    ) -> None:
        """Make the rows ready.

        Args:
            labelled: In order of time.
            reference: Of the same version, whose bins devices count by.
            accuracy: Of the same version: what its scores are worth.
            gate: The metric that the version was judged by.
        """
        self._accuracy = accuracy
        self._answers = labelled.answers
        signature = labelled.answers.signature
        self._scales = Scales(reference, signature, labelled.values, labelled.answers.scores)
        self._measures: dict[str, Measure] = (
            {MAE: mae, RMSE: rmse}
            if signature.task == REGRESSION
            else {ACCURACY: METRICS[ACCURACY]}
        )
        if signature.positive != NO_CLASS:
            self._measures["roc_auc"] = METRICS["roc_auc"]
        self._measures[gate] = METRICS[gate]
        self._usual = cache(self._usual_variance)

    def __len__(self) -> int:
        """How many labelled rows there are."""
        return len(self._answers)

    def held_out(self) -> dict[str, float]:
        """Each metric of the labelled rows themselves."""
        even = np.ones((1, len(self._answers)))
        return {name: float(of(self._answers, even)[0]) for name, of in self._measures.items()}

    def estimate(self, profile: LiveProfile) -> Estimated:
        """Every metric of a profile's rows, with a 95 % interval, or the reason why there is none.

        The interval holds what chance does: in which labelled rows there are (the jackknife over
        forty blocks of them in time), and in which rows the device has seen. It holds no change of
        what inputs mean: nothing without labels can.
        """
        weighed = self._scales.weigh(profile)
        if weighed.refused:
            refused = [
                Estimate(metric=m, rows=profile.rows, refused=weighed.refused)
                for m in self._measures
            ]
            return Estimated(refused, weighed.effective)
        estimates = [self._one(name, weighed.weights, profile) for name in self._measures]
        return Estimated(estimates, weighed.effective)

    def _one(self, name: str, weights: Floats, profile: LiveProfile) -> Estimate:
        measure = self._measures[name]
        value = float(measure(self._answers, weights[None, :])[0])
        variance = _variance(measure, self._answers, weights)
        if name == ACCURACY and self._answers.signature.task == CLASSIFICATION:
            by_score = expected_by_score(self._accuracy, profile.score_counts)
            if by_score.value is not None:
                loss = 1 - self._accuracy.value
                value = steadied(by_score.value, value, variance, loss)
        variance += self._usual(name) * len(self._answers) / profile.rows
        if not math.isfinite(value) or not math.isfinite(variance):
            why = "a class that it needs has no row among the labels"
            return Estimate(metric=name, rows=profile.rows, refused=why)
        half = _Z * math.sqrt(variance)
        least, most = (0.0, math.inf) if name in {MAE, RMSE} else (-math.inf, 1.0)
        return Estimate(
            metric=name,
            rows=profile.rows,
            value=value,
            low=max(least, value - half),
            high=min(most, value + half),
        )

    def _usual_variance(self, name: str) -> float:
        """The variance of a metric over as many rows as are labelled, all alike."""
        even = np.full(len(self._answers), 1 / len(self._answers))
        return _variance(self._measures[name], self._answers, even)


def _variance(measure: Measure, answers: Answers, weights: Floats) -> float:
    r"""Delete-a-block jackknife: the metric without each of forty blocks of neighbours in time.

    $$\frac{G-1}{G} \sum_g (\hat\theta_{(g)} - \bar\theta)^2$$

    B. Efron, "The jackknife, the bootstrap and other resampling plans", SIAM (1982), chapter 3;
    blocks, because neighbours in time resemble each other (H. R. Künsch, Annals of Statistics 17,
    1989).
    """
    blocks = min(_BLOCKS, len(weights))
    place = np.arange(len(weights)) * blocks // len(weights)
    without = measure(answers, weights * (place != np.arange(blocks)[:, None]))
    return float((blocks - 1) / blocks * ((without - without.mean()) ** 2).sum())
