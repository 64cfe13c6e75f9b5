"""Small models of every family, fitted on rows with missing values and categories."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.svm import SVC, SVR, OneClassSVM

from fleetloop_hub.packaging.fitted import Fitted
from fleetloop_hub.packaging.head import Head
from fleetloop_hub.packaging.preparation import Preparation
from fleetloop_hub.spec.scalars import Family, Task
from fleetloop_shared.manifest import NO_CLASS, OTHER, Feature, Signature

Rows = npt.NDArray[np.float32]

TREES = ("random-forest", "extra-trees", "gradient-boosting", "isolation-forest")
KINDS = ("two", "several", "regression", "anomaly")
TASKS: dict[str, Task] = {
    "two": "classification",
    "several": "classification",
    "regression": "regression",
    "anomaly": "anomaly",
}
COLUMNS = ("numbers", "categories")
_PLACES = 4
_ROWS = 240


@dataclass(frozen=True)
class Example:
    """A fitted model, what follows it, and rows that it has and has not seen."""

    fitted: Fitted
    head: Head
    signature: Signature
    learned: Rows
    fresh: Rows


def estimators(kind: str) -> dict[Family, Any]:
    """A quick estimator for each family that can do a kind of task."""
    seed: dict[str, Any] = {"random_state": 0}
    if kind == "anomaly":
        return {
            "isolation-forest": IsolationForest(n_estimators=9, **seed),
            "one-class-svm": OneClassSVM(nu=0.1),
        }
    if kind == "regression":
        return {
            "linear": Ridge(),
            "mlp": MLPRegressor(hidden_layer_sizes=(12, 8), max_iter=20, tol=1e9, **seed),
            "random-forest": RandomForestRegressor(8, max_depth=6, **seed),
            "extra-trees": ExtraTreesRegressor(8, max_depth=6, **seed),
            "gradient-boosting": HistGradientBoostingRegressor(max_iter=8, **seed),
            "svm": SVR(),
            "knn": KNeighborsRegressor(5),
        }
    return {
        "linear": LogisticRegression(),
        "mlp": MLPClassifier((12, 8), max_iter=20, tol=1e9, **seed),
        "random-forest": RandomForestClassifier(8, max_depth=6, **seed),
        "extra-trees": ExtraTreesClassifier(8, **seed),
        "gradient-boosting": HistGradientBoostingClassifier(max_iter=8, **seed),
        "svm": SVC() if kind == "two" else OneVsRestClassifier(SVC()),
        "knn": KNeighborsClassifier(5),
    }


CASES = [(kind, family) for kind in KINDS for family in estimators(kind)]


def rows(columns: str, number: int, seed: int, missing: float) -> Rows:
    """Rows of five columns whose scales differ a thousandfold; some values are missing."""
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 1, (number, 5)) * [1, 1000, 0.001, 10, 1] + [0, 5000, 0, 100, 0]
    if columns == "categories":
        values[:, 3] = rng.integers(0, _PLACES, number)
        values[:, 4] = rng.integers(0, _PLACES, number)
        values[rng.random(number) < 0.05, 4] = OTHER
    values[rng.random(values.shape) < missing] = np.nan
    return values.astype(np.float32)


def labels(values: Rows, kind: str) -> npt.NDArray[np.float64]:
    """What is to be learned from rows."""
    known = np.nan_to_num(values.astype(np.float64))
    score = known[:, 0] + (known[:, 1] - 5000) / 1000 - 500 * known[:, 2] + known[:, 3] % 3
    if kind == "regression":
        return 20 + score
    cuts = [1.0] if kind == "two" else [0.0, 1.0, 2.0]
    return np.digitize(score, cuts).astype(np.float64)


def preparation(family: str, columns: str, values: Rows) -> Preparation:
    """Trees see the numbers as they are, all others standardised and spread."""
    plain = family in TREES
    places = (0, 0, 0, _PLACES, _PLACES) if columns == "categories" else (0,) * 5
    scaled = np.array([not plain and not many for many in places])
    infinite = np.full(5, np.inf, np.float32)
    return Preparation(
        fill=np.nanmedian(values, axis=0).round(3).astype(np.float32),
        blank_low=np.array([-np.inf, 0, *[-np.inf] * 3], np.float32),
        blank_high=infinite,
        low=np.array([-2.5, *[-np.inf] * 4], np.float32),
        high=infinite,
        categories=places,
        mean=np.where(scaled, np.nanmean(values, axis=0), 0).astype(np.float32),
        sd=np.where(scaled, np.nanstd(values, axis=0), 1).astype(np.float32),
        one_hot=not plain,
    )


@cache
def example(kind: str, family: Family, columns: str = "numbers") -> Example:
    """One of `CASES`, fitted once; nobody may change it."""
    learned = rows(columns, _ROWS, 1, 0.05)
    prepared = preparation(family, columns, learned)
    x, y = prepared.transform(learned), labels(learned, kind)
    estimator = estimators(kind)[family]
    estimator.fit(x) if kind == "anomaly" else estimator.fit(x, y)
    classes = {"two": [0, 1], "several": [0, 1, 2, 3], "anomaly": [0, 1], "regression": []}[kind]
    positive = 1 if len(classes) == 2 else NO_CLASS
    return Example(
        fitted=Fitted(family, TASKS[kind], prepared, estimator, {}),
        head=Head(positive=positive),
        signature=Signature(
            input_name="features",
            score_name="probabilities",
            features=[Feature(name=f"x{k}") for k in range(5)],
            classes=classes,
            positive=positive,
            decision_threshold=0.5,
            task=TASKS[kind],
        ),
        learned=learned,
        fresh=rows(columns, 150, 2, 0.1),
    )
