"""Random forests and extra trees."""

from typing import Any

from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

from fleetloop_hub.spec.training_tables import CandidateTable
from fleetloop_hub.training.fitting.lesson import Learned, Lesson

_TREES = 100
_DEPTH = 12
_LEAF_ROWS = 5
_STEPS = 10

_FORMS: dict[tuple[str, bool], Any] = {
    ("random-forest", True): RandomForestClassifier,
    ("random-forest", False): RandomForestRegressor,
    ("extra-trees", True): ExtraTreesClassifier,
    ("extra-trees", False): ExtraTreesRegressor,
}


def fit_forest(candidate: CandidateTable, lesson: Lesson) -> Learned:
    """By default 100 trees, 12 deep, 5 rows a leaf: deeper ones rarely fit a device.

    Trees are grown in ten steps, so that a person sees how far it is; the forest is the same as if
    they were grown at once.
    """
    trees, depth = candidate.trees or _TREES, candidate.depth or _DEPTH
    leaf_rows = candidate.leaf_rows or _LEAF_ROWS
    extra = {}
    if lesson.classes and candidate.balanced:
        extra["class_weight"] = lesson.class_weights()
    model = _FORMS[candidate.family, bool(lesson.classes)](
        max_depth=depth,
        min_samples_leaf=leaf_rows,
        random_state=lesson.seed,
        warm_start=True,
        **extra,
    )
    for step in range(1, _STEPS + 1):
        grown = max(1, trees * step // _STEPS)
        if step > 1 and grown == model.n_estimators:
            continue
        model.set_params(n_estimators=grown).fit(lesson.x, lesson.y)
        lesson.watch(grown / trees, f"tree {grown} of {trees}")
    return Learned(
        model,
        {
            "trees": trees,
            "depth": depth,
            "leaf_rows": leaf_rows,
            "balanced": candidate.balanced,
        },
    )
