"""Fits one candidate of any family; each kind of algorithm has a file in `fitting/`."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it ships no types

from fleetloop_hub.data.frame import Frame
from fleetloop_hub.errors import FitError, TrainingError
from fleetloop_hub.packaging.fitted import Fitted, Parameters
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.spec.scalars import Family
from fleetloop_hub.spec.training_tables import CandidateTable
from fleetloop_hub.training.fitting.anomaly import fit_isolation_forest, fit_one_class_svm
from fleetloop_hub.training.fitting.boosting import fit_boosting
from fleetloop_hub.training.fitting.forests import fit_forest
from fleetloop_hub.training.fitting.knn import fit_knn
from fleetloop_hub.training.fitting.lesson import Learned, Lesson, Watch
from fleetloop_hub.training.fitting.linear import fit_linear
from fleetloop_hub.training.fitting.mlp import fit_mlp
from fleetloop_hub.training.fitting.svm import fit_svm
from fleetloop_hub.training.preparation import learn_preparation

_LEARN: dict[Family, Callable[[CandidateTable, Lesson], Learned]] = {
    "linear": fit_linear,
    "mlp": fit_mlp,
    "random-forest": fit_forest,
    "extra-trees": fit_forest,
    "gradient-boosting": fit_boosting,
    "svm": fit_svm,
    "knn": fit_knn,
    "isolation-forest": fit_isolation_forest,
    "one-class-svm": fit_one_class_svm,
}


@dataclass(frozen=True)
class Material:
    """Rows to learn from, and what is to be learned.

    Attributes:
        spec: The model spec.
        classes: The labels as numbers; empty for a regression.
        train: Rows to learn from.
        newer: Validation rows, which only say when to stop.
    """

    spec: ModelSpec
    classes: list[int]
    train: Frame
    newer: Frame


def fit(
    candidate: CandidateTable, spec: ModelSpec, classes: list[int], train: Frame, newer: Frame
) -> Fitted:
    """Fit one candidate; see `learn`."""
    return learn(candidate, Material(spec, classes, train, newer), lambda _share, _text: None)


def learn(candidate: CandidateTable, material: Material, watch: Watch) -> Fitted:
    """Fit one candidate; equal rows and seed give an equal model on the same machine.

    On one core: matrices this small gain nothing from two, and sums do not depend on how many.

    Args:
        candidate: What is fitted.
        material: The rows and their spec.
        watch: Told how far a long fit is.

    Raises:
        TrainingError: A class has no row to learn from.
        FitError: The algorithm fails on these rows with these keys.
    """
    spec, train, newer = material.spec, material.train, material.newer
    preparation = learn_preparation(spec.features, train.values, candidate.family)
    supervised = spec.model.task == "classification"
    lesson = Lesson(
        x=preparation.transform(train.values),
        y=_targets(train, material.classes) if supervised else train.label,
        newer_x=preparation.transform(newer.values),
        newer_y=_targets(newer, material.classes) if supervised else newer.label,
        classes=len(material.classes) if supervised else 0,
        seed=spec.model.seed,
        watch=watch,
    )
    if supervised:
        _all_present(lesson, material)
    with threadpool_limits(limits=1), warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            learned = _LEARN[candidate.family](candidate, lesson)
        except ValueError as error:
            raise FitError(f"{candidate.name} cannot be fitted: {_sentence(str(error))}") from error
    given: Parameters = {"family": candidate.family, "seed": spec.model.seed}
    return Fitted(
        family=candidate.family,
        task=spec.model.task,
        preparation=preparation,
        estimator=learned.estimator,
        parameters=given | learned.parameters,
        curves=learned.curves,
        notes=(*learned.notes, *dict.fromkeys(_in_short(w) for w in warned)),
    )


def _targets(frame: Frame, classes: list[int]) -> npt.NDArray[np.float64]:
    return np.searchsorted(np.array(classes), frame.label).astype(np.float64)


def _all_present(lesson: Lesson, material: Material) -> None:
    there = set(lesson.y.astype(int).tolist())
    absent = [str(n) for place, n in enumerate(material.classes) if place not in there]
    if absent:
        raise TrainingError(
            f"the training rows have none with the label {', '.join(absent)}, so it cannot be "
            "learned: add rows, leave it out of label.classes, or make gates.held_out and "
            "training.validation smaller"
        )


def _in_short(warned: warnings.WarningMessage) -> str:
    return f"scikit-learn: {_sentence(str(warned.message))}"


def _sentence(text: str) -> str:
    """The first sentence of what a library says."""
    return " ".join(text.split()).partition(". ")[0]
