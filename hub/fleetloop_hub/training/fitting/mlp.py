"""Dense networks, which stop before they fit the noise."""

from typing import Any, TypeAlias

import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor

from fleetloop_hub.spec.training_tables import CandidateTable
from fleetloop_hub.training.fitting.lesson import Floats, Learned, Lesson

_ALPHA = 0.01
_HIDDEN = [64, 32]
_LEARNING_RATE = 0.001
_EPOCHS = 500
_PATIENCE = 10
_BATCH_ROWS = 64
_LARGE_BATCH_ROWS = 256
_MANY_ROWS = 20_000
_SMALLEST_GAIN = 1e-4
_NEVER_CERTAIN = 1e-7

_Net: TypeAlias = MLPClassifier | MLPRegressor


def fit_mlp(candidate: CandidateTable, lesson: Lesson) -> Learned:
    """Adam in small batches, until the newer rows have not been told better for ten epochs.

    scikit-learn's own early stopping holds back rows at random, between those it fits on: in a
    time series these are no test, and of a few hundred rows they are too few.

    Values of a regression are learned as standard deviations from their mean; the last layer is
    then put back into their unit.
    """
    hidden, alpha = candidate.hidden or _HIDDEN, candidate.alpha or _ALPHA
    rate = candidate.learning_rate or _LEARNING_RATE
    mean, sd = _scale(lesson)
    model: _Net = (MLPClassifier if lesson.classes else MLPRegressor)(
        hidden_layer_sizes=tuple(hidden),
        alpha=alpha,
        learning_rate_init=rate,
        batch_size=min(_batch_rows(len(lesson.x)), len(lesson.x)),
        random_state=lesson.seed,
    )
    losses, best_epoch = _epochs(model, lesson, (mean, sd), balanced=candidate.balanced)
    if not lesson.classes:
        model.coefs_[-1] = model.coefs_[-1] * sd
        model.intercepts_[-1] = model.intercepts_[-1] * sd + mean
    name = "validation log loss" if lesson.classes else "validation squared error"
    return Learned(
        model,
        {
            "hidden": list(hidden),
            "alpha": alpha,
            "learning_rate": rate,
            "epochs": best_epoch,
            "balanced": candidate.balanced,
        },
        {name: losses},
    )


def _batch_rows(rows: int) -> int:
    return _LARGE_BATCH_ROWS if rows > _MANY_ROWS else _BATCH_ROWS


def _scale(lesson: Lesson) -> tuple[float, float]:
    if lesson.classes:
        return 0.0, 1.0
    sd = float(lesson.y.std())
    return float(lesson.y.mean()), sd if sd > 0 else 1.0


def _epochs(
    model: _Net, lesson: Lesson, scale: tuple[float, float], *, balanced: bool
) -> tuple[list[float], int]:
    """The loss on the newer rows after each epoch, and the best epoch, whose weights are kept."""
    mean, sd = scale
    known: dict[str, Any] = {}
    if lesson.classes:
        known["classes"] = np.arange(lesson.classes, dtype=np.float64)
    if balanced and lesson.classes:
        known["sample_weight"] = lesson.row_weights()[0]
    best, best_epoch, kept = np.inf, 0, (list[Floats](), list[Floats]())
    losses: list[float] = []
    for epoch in range(1, _EPOCHS + 1):
        model.partial_fit(lesson.x, (lesson.y - mean) / sd, **known)
        loss = _loss(model, lesson, scale, balanced=balanced)
        losses.append(loss * sd**2)
        lesson.watch(epoch / _EPOCHS, f"epoch {epoch}")
        if loss < best - _SMALLEST_GAIN or not best_epoch:
            best, best_epoch = loss, epoch
            kept = [w.copy() for w in model.coefs_], [b.copy() for b in model.intercepts_]
        elif epoch - best_epoch >= _PATIENCE:
            break
    model.coefs_, model.intercepts_ = kept
    return losses, best_epoch


def _loss(model: _Net, lesson: Lesson, scale: tuple[float, float], *, balanced: bool) -> float:
    mean, sd = scale
    if not lesson.classes:
        gaps = model.predict(lesson.newer_x) - (lesson.newer_y - mean) / sd
        return float(np.mean(gaps**2))
    sure = model.predict_proba(lesson.newer_x)
    told = sure[np.arange(len(sure)), lesson.newer_y.astype(int)]
    weights = lesson.row_weights()[1] if balanced else None
    return float(np.average(-np.log(np.clip(told, _NEVER_CERTAIN, 1.0)), weights=weights))
