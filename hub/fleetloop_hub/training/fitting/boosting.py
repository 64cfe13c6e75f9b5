"""Boosted trees on binned values, which stop when newer rows are no longer told better."""

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from fleetloop_hub.spec.training_tables import CandidateTable
from fleetloop_hub.training.fitting.lesson import Learned, Lesson

_TREES = 300
_LEAVES = 31
_LEAF_ROWS = 20
_LEARNING_RATE = 0.1
_PATIENCE = 10


def fit_boosting(candidate: CandidateTable, lesson: Lesson) -> Learned:
    """At most 300 rounds of trees with 31 leaves; rounds after the best one are cut off."""
    options = {
        "max_iter": candidate.trees or _TREES,
        "max_depth": candidate.depth,
        "max_leaf_nodes": candidate.leaves or _LEAVES,
        "min_samples_leaf": candidate.leaf_rows or _LEAF_ROWS,
        "learning_rate": candidate.learning_rate or _LEARNING_RATE,
        "early_stopping": True,
        "scoring": "loss",
        "n_iter_no_change": _PATIENCE,
        "random_state": lesson.seed,
    }
    weights, newer_weights = None, None
    if lesson.classes and candidate.balanced:
        weights, newer_weights = lesson.row_weights()
    form = HistGradientBoostingClassifier if lesson.classes else HistGradientBoostingRegressor
    model = form(**options).fit(
        lesson.x,
        lesson.y,
        sample_weight=weights,
        X_val=lesson.newer_x,
        y_val=lesson.newer_y,
        sample_weight_val=newer_weights,
    )
    unit = 1.0 if lesson.classes else 2.0  # scikit-learn halves squares
    lost = -unit * np.asarray(model.validation_score_, np.float64)
    best = max(1, int(lost.argmin()))  # the first value is before any round
    model._predictors = model._predictors[:best]  # noqa: SLF001  # scikit-learn keeps the rounds that only showed that it was over
    name = "log loss" if lesson.classes else "squared error"
    return Learned(
        model,
        {
            "trees": best,
            "depth": candidate.depth,
            "leaves": options["max_leaf_nodes"],
            "leaf_rows": options["min_samples_leaf"],
            "learning_rate": options["learning_rate"],
            "balanced": candidate.balanced,
        },
        {
            f"training {name}": [-unit * float(v) for v in model.train_score_],
            f"validation {name}": lost.tolist(),
        },
    )
