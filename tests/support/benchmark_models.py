"""Models of every family on tables of a real size, for the benchmark of artifacts."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.datasets import load_digits, make_classification, make_friedman1
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC, SVR

from fleetloop_hub.packaging.graph import OUTPUT
from fleetloop_hub.packaging.preparation import Preparation
from fleetloop_hub.spec.scalars import Family, Task
from fleetloop_shared.manifest import NO_CLASS, Feature, Signature
from support.fitted_models import TREES

Rows = np.ndarray


@dataclass(frozen=True)
class Goal:
    """What is to be reached, as ratios to skl2onnx's float graph; None where nothing is set."""

    file: float | None = None
    wire: float | None = None
    one: float | None = None


@dataclass(frozen=True)
class Case:
    """A family on a table: oldest half to fit, next quarter to choose the form, newest to judge."""

    name: str
    family: Family
    task: Task
    estimator: Any
    table: tuple[Rows, Rows]
    goal: Goal = field(default_factory=Goal)
    other: Any = None
    """An estimator that is converted in place of this one, as people would."""


def sensors(rows: int, classes: int) -> tuple[Rows, Rows]:
    """30 numbers on scales from a thousandth to a thousand."""
    x, y = make_classification(
        rows, 30, n_informative=12, n_redundant=6, n_classes=classes, class_sep=1.2, random_state=0
    )
    rng = np.random.default_rng(1)
    return (x * 10 ** rng.uniform(-3, 3, 30)).astype(np.float32), y.astype(np.float64)


def cases() -> Iterator[Case]:
    """The families; targets are the best of what was known before, times 1.1 for bytes."""
    seed: dict[str, Any] = {"random_state": 0}
    boost: dict[str, Any] = {"max_iter": 100, "early_stopping": False, **seed}
    images, digit = load_digits(return_X_y=True)
    pixels = images.astype(np.float32), digit.astype(np.float64)
    four, two = sensors(8_000, 4), sensors(8_000, 2)
    x, y = make_friedman1(6_000, 30, noise=0.5, **seed)
    values = x.astype(np.float32), y
    some = four[0][:6_000], four[1][:6_000]
    c: Task = "classification"
    yield Case(
        "linear, digits",
        "linear",
        c,
        LogisticRegression(max_iter=300),
        pixels,
        Goal(0.44, None, 1.1),
    )
    yield Case("linear, sensors", "linear", c, LogisticRegression(max_iter=300), four)
    yield Case(
        "mlp 128-64, digits",
        "mlp",
        c,
        MLPClassifier((128, 64), max_iter=40, **seed),
        pixels,
        Goal(0.33, None, 1.1),
    )
    yield Case(
        "mlp 64-32, sensors",
        "mlp",
        c,
        MLPClassifier((64, 32), max_iter=30, **seed),
        four,
        Goal(0.33, None, 1.1),
    )
    yield Case(
        "svm, digits",
        "svm",
        c,
        OneVsRestClassifier(SVC()),
        pixels,
        Goal(0.33, None, 0.108),
        other=SVC(),
    )
    yield Case(
        "svm of two classes, sensors", "svm", c, SVC(), (two[0][:4_000], two[1][:4_000]), Goal(0.33)
    )
    yield Case(
        "svm of values, friedman",
        "svm",
        "regression",
        SVR(),
        (values[0][:4_000], values[1][:4_000]),
        Goal(0.33),
    )
    yield Case("knn, sensors", "knn", c, KNeighborsClassifier(5), some, Goal(0.34, None, 1 / 200))
    yield Case(
        "isolation forest, sensors",
        "isolation-forest",
        "anomaly",
        IsolationForest(n_estimators=100, **seed),
        four,
        Goal(0.5, None, 1 / 80),
    )
    yield Case(
        "boosting of two, sensors",
        "gradient-boosting",
        c,
        HistGradientBoostingClassifier(**boost),
        two,
        Goal(0.36, 0.099, 1.15),
    )
    yield Case(
        "boosting of four, sensors",
        "gradient-boosting",
        c,
        HistGradientBoostingClassifier(**boost),
        four,
        Goal(0.36, 0.099, 1.15),
    )
    yield Case(
        "boosting of values, friedman",
        "gradient-boosting",
        "regression",
        HistGradientBoostingRegressor(**boost),
        values,
        Goal(0.36, 0.099, 1.15),
    )
    yield Case(
        "forest of four, sensors",
        "random-forest",
        c,
        RandomForestClassifier(100, **seed),
        four,
        Goal(0.24, 0.055, 1.3),
    )
    yield Case(
        "forest of two, sensors",
        "random-forest",
        c,
        RandomForestClassifier(100, **seed),
        two,
        Goal(0.24),
    )
    yield Case(
        "forest of values, friedman",
        "random-forest",
        "regression",
        RandomForestRegressor(100, min_samples_leaf=5, **seed),
        values,
        Goal(0.31),
    )
    yield Case(
        "forest of ten, digits",
        "random-forest",
        c,
        RandomForestClassifier(100, **seed),
        pixels,
        Goal(0.24, 0.055, 1.3),
    )


def preparation(family: str, x: Rows) -> Preparation:
    width, plain = x.shape[1], family in TREES
    infinite = np.full(width, np.inf, np.float32)
    sd = np.where(x.std(axis=0) > 0, x.std(axis=0), 1)
    return Preparation(
        fill=np.median(x, axis=0).astype(np.float32),
        blank_low=-infinite,
        blank_high=infinite,
        low=-infinite,
        high=infinite,
        categories=(0,) * width,
        mean=np.zeros(width, np.float32) if plain else x.mean(axis=0).astype(np.float32),
        sd=np.ones(width, np.float32) if plain else sd.astype(np.float32),
        one_hot=not plain,
    )


def signature(case: Case, width: int) -> Signature:
    classes = [0, 1] if case.task == "anomaly" else np.unique(case.table[1]).astype(int).tolist()
    classes = [] if case.task == "regression" else classes
    return Signature(
        input_name="features",
        score_name=OUTPUT,
        features=[Feature(name=f"x{k}") for k in range(width)],
        classes=classes,
        positive=1 if len(classes) == 2 else NO_CLASS,
        decision_threshold=0.5,
        task=case.task,
    )
