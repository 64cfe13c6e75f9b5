"""A fitted candidate as training hands it over: preparation, estimator, and what it says."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from fleetloop_hub.packaging.estimators import Estimator
from fleetloop_hub.packaging.preparation import Doubles, Floats, Preparation
from fleetloop_hub.packaging.votes import votes
from fleetloop_hub.spec.scalars import Family, Task

Parameters = dict[str, float | int | str | bool | list[int] | None]


@dataclass(frozen=True)
class Fitted:
    """A candidate that has been fitted.

    Attributes:
        family: The algorithm.
        task: What it does.
        preparation: What happens to a row first.
        estimator: scikit-learn's, fitted on `preparation.transform(values)`; a classifier's classes
            are the places 0, 1, ... in the signature's order.
        parameters: What it was fitted with.
        curves: By a name such as "validation log loss", a value an epoch or round.
        notes: What a person should know about the fit, in words.
    """

    family: Family
    task: Task
    preparation: Preparation
    estimator: Estimator
    parameters: Parameters
    curves: dict[str, list[float]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def _plain_neighbours(self) -> bool:
        model = self.estimator
        return bool(model.weights == "uniform" and model.effective_metric_ == "euclidean")

    def raw(self, values: Floats) -> Doubles:
        """What the estimator says, before the head: in float64, as scikit-learn computes it.

        But for neighbours that are equally near, of which the first counts; see `votes`.

        Returns:
            Shape (rows, classes): probabilities of a classification; (rows, 2) of an anomaly model,
            the second how odd a row is, 0 to 1; (rows, 1) of a regression.
        """
        x = self.preparation.transform(values)
        if self.family == "knn" and self._plain_neighbours:
            return votes(self.estimator, x, len(getattr(self.estimator, "classes_", ())))
        if self.task == "regression":
            return np.asarray(self.estimator.predict(x), np.float64).reshape(-1, 1)
        if self.family == "isolation-forest":
            odd = -np.asarray(self.estimator.score_samples(x), np.float64)
            return np.column_stack([1 - odd, odd])
        if hasattr(self.estimator, "predict_proba"):
            return np.asarray(self.estimator.predict_proba(x), np.float64)
        return _probabilities(
            np.asarray(self.estimator.decision_function(x), np.float64), self.family
        )


def _probabilities(decision: npt.NDArray[np.float64], family: Family) -> Doubles:
    """Distances from a border as probabilities: the logistic of one, the softmax of several."""
    if decision.ndim == 1:
        yes = 1 / (1 + np.exp(-decision if family != "one-class-svm" else decision))
        return np.column_stack([1 - yes, yes])
    power = np.exp(decision - decision.max(axis=1, keepdims=True))
    softmax: Doubles = power / power.sum(axis=1, keepdims=True)
    return softmax
