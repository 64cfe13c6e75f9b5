"""Tries the settings of one candidate, each on rows newer than those it was fitted on."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from msgspec import structs

from fleetloop_hub.errors import FitError
from fleetloop_hub.packaging.fitted import Parameters
from fleetloop_hub.run_parts import Setting
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.spec.training_tables import CandidateTable
from fleetloop_hub.training.families import Material, learn
from fleetloop_hub.training.finishing import Model, Parts, finish, score
from fleetloop_hub.training.folds import Fold
from fleetloop_hub.training.progress import Units
from fleetloop_shared.manifest import Signature

KEPT = 6
"""So many of the best settings are kept, of which as many as three are packed."""


@dataclass(frozen=True)
class Ground:
    """What every candidate is tried on.

    Attributes:
        spec: The model spec.
        form: Inputs and outputs of the model.
        folds: The newest first.
        units: Told of every fit.
        expired: Whether the time for drawing further settings is over, for this candidate.
    """

    spec: ModelSpec
    form: Signature
    folds: list[Fold]
    units: Units
    expired: Callable[[], bool]


@dataclass(frozen=True)
class Found:
    """A setting that was tried and may be packed.

    Attributes:
        model: Fitted on the newest fold.
        scores: The metric on each fold, the newest first.
    """

    model: Model
    scores: list[float]

    @property
    def mean(self) -> float:
        """What settings are ranked by."""
        there = [value for value in self.scores if math.isfinite(value)]
        return sum(there) / len(there) if there else -math.inf

    @property
    def known_scores(self) -> list[float | None]:
        """The scores, None where the metric is not defined."""
        return [value if math.isfinite(value) else None for value in self.scores]


def search(settings: list[CandidateTable], ground: Ground) -> tuple[list[Found], list[Setting]]:
    """The best settings, best first, and what is recorded about all of them.

    Time only ends the search; it orders nothing.

    Args:
        settings: In the order in which they are tried; the first is tried always.
        ground: What they are tried on.
    """
    best: list[Found] = []
    records: list[Setting] = []
    for number, setting in enumerate(settings, 1):
        if number > 1 and ground.expired():
            ground.units.finish((len(settings) - number + 1) * len(ground.folds))
            break
        named = setting
        if len(settings) > 1:
            named = structs.replace(setting, name=f"{setting.name}#{number}")
        try:
            found = _try(named, ground, _named(setting, number, len(settings)))
        except FitError as error:
            records.append(Setting(parameters=_given(setting), scores=[], note=str(error)))
            continue
        parameters, notes = found.model.fitted.parameters, found.model.fitted.notes
        records.append(
            Setting(parameters=parameters, scores=found.known_scores, note="; ".join(notes))
        )
        best.append(found)
        best = sorted(best, key=lambda f: f.mean, reverse=True)[:KEPT]
    return best, records


def _given(setting: CandidateTable) -> Parameters:
    """What the spec says about a setting."""
    left_out = {"name", "search"}
    keys = [k for k in setting.__struct_fields__ if k not in left_out and getattr(setting, k)]
    return {key: getattr(setting, key) for key in keys}


def _named(setting: CandidateTable, number: int, total: int) -> str:
    if total == 1:
        return f"fitting {setting.name}"
    return f"fitting {setting.name}, setting {number} of {total}"


def _try(setting: CandidateTable, ground: Ground, text: str) -> Found:
    models, scores = [], []
    for place, fold in enumerate(ground.folds):
        watch = ground.units.watch(text)
        material = Material(ground.spec, ground.form.classes, fold.train, fold.newer)
        try:
            fitted = learn(setting, material, watch)
        except FitError:
            ground.units.finish(len(ground.folds) - place)
            raise
        parts = Parts(fold.train, fold.newer)
        model = finish(setting, fitted, ground.spec, ground.form, parts)
        models.append(model)
        scores.append(score(model, fold.judged, ground.spec))
        ground.units.finish()
    return Found(models[0], scores)
