"""The algorithms that can be tried; each stops before it fits the noise."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it ships no types

from fleetloop_hub.data.frame import Frame
from fleetloop_hub.packaging.fitted import Fitted, Parameters
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.spec.training_tables import CandidateTable
from fleetloop_hub.training.preparation import learn_preparation

_ALPHA = 0.01
_HIDDEN = [64, 32]
_ITERATIONS = 1_000
_EPOCHS = 200
_PATIENCE = 10
_BATCH_ROWS = 64
_SMALLEST_GAIN = 1e-4
_NEVER_CERTAIN = 1e-7

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Lesson:
    """What a candidate is fitted on.

    Attributes:
        x: Prepared training rows.
        y: Places of their classes, or values.
        newer_x: Prepared validation rows, which only say when to stop.
        newer_y: The same of these.
        seed: Of every random choice.
    """

    x: Floats
    y: npt.NDArray[np.float64]
    newer_x: Floats
    newer_y: npt.NDArray[np.float64]
    seed: int


def fit(
    candidate: CandidateTable, spec: ModelSpec, classes: list[int], train: Frame, newer: Frame
) -> Fitted:
    """Fit one candidate; equal rows and seed give an equal model on the same machine.

    On one core: matrices this small gain nothing from two, and sums do not depend on how many.

    Args:
        candidate: What is fitted.
        spec: Its spec.
        classes: The labels as numbers; empty for a regression.
        train: Rows to learn from.
        newer: Validation rows, which only say when to stop.
    """
    preparation = learn_preparation(spec.features, train.values, candidate.family)
    lesson = Lesson(
        x=preparation.transform(train.values),
        y=_targets(train, classes),
        newer_x=preparation.transform(newer.values),
        newer_y=_targets(newer, classes),
        seed=spec.model.seed,
    )
    with threadpool_limits(limits=1):
        if candidate.family == "linear":
            estimator, parameters, curves = _linear(candidate, lesson, classes)
        else:
            estimator, parameters, curves = _mlp(candidate, lesson, classes)
    given: Parameters = {"family": candidate.family}
    return Fitted(
        candidate.family, spec.model.task, preparation, estimator, given | parameters, curves
    )


def _targets(frame: Frame, classes: list[int]) -> npt.NDArray[np.float64]:
    if not classes:
        return frame.label
    return np.searchsorted(np.array(classes), frame.label).astype(np.float64)


_Found = tuple[object, Parameters, dict[str, list[float]]]


def _linear(candidate: CandidateTable, lesson: Lesson, classes: list[int]) -> _Found:
    alpha = candidate.alpha or _ALPHA
    if not classes:
        return Ridge(alpha=alpha).fit(lesson.x, lesson.y), {"alpha": alpha}, {}
    model = LogisticRegression(C=1.0 / alpha, max_iter=_ITERATIONS)
    model.fit(lesson.x, lesson.y)
    return model, {"alpha": alpha, "iterations": int(model.n_iter_[0])}, {}


def _mlp(candidate: CandidateTable, lesson: Lesson, classes: list[int]) -> _Found:
    """Adam in small batches, until the newer rows have not been told better for ten epochs.

    scikit-learn's own early stopping holds back rows at random, between those it fits on: in a
    time series these are no test, and of a few hundred rows they are too few.
    """
    hidden, alpha = candidate.hidden or _HIDDEN, candidate.alpha or _ALPHA
    form = MLPClassifier if classes else MLPRegressor
    model = form(
        tuple(hidden),
        alpha=alpha,
        batch_size=min(_BATCH_ROWS, len(lesson.x)),
        random_state=lesson.seed,
    )
    known = {"classes": np.arange(len(classes), dtype=np.float64)} if classes else {}
    best, best_epoch, kept = np.inf, 0, (list[Floats](), list[Floats]())
    losses: list[float] = []
    for epoch in range(1, _EPOCHS + 1):
        model.partial_fit(lesson.x, lesson.y, **known)
        losses.append(_loss(model, lesson))
        if losses[-1] < best - _SMALLEST_GAIN or not best_epoch:
            best, best_epoch = losses[-1], epoch
            kept = [w.copy() for w in model.coefs_], [b.copy() for b in model.intercepts_]
        elif epoch - best_epoch >= _PATIENCE:
            break
    model.coefs_, model.intercepts_ = kept
    name = "validation log loss" if classes else "validation squared error"
    parameters: Parameters = {"hidden": list(hidden), "alpha": alpha, "epochs": best_epoch}
    return model, parameters | {"seed": lesson.seed}, {name: losses}


def _loss(model: MLPClassifier | MLPRegressor, lesson: Lesson) -> float:
    if isinstance(model, MLPRegressor):
        return float(np.mean((model.predict(lesson.newer_x) - lesson.newer_y) ** 2))
    sure = model.predict_proba(lesson.newer_x)
    told = sure[np.arange(len(sure)), lesson.newer_y.astype(int)]
    return float(-np.log(np.clip(told, _NEVER_CERTAIN, 1.0)).mean())
