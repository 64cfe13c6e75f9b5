"""A job's rows, ready to be learned from: read, split in time, and with the form of the model."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from msgspec import structs

from fleetloop_hub.data import parquet
from fleetloop_hub.data.frame import Frame
from fleetloop_hub.errors import TrainingError
from fleetloop_hub.packaging.assembly import signature
from fleetloop_hub.spec import reading as specs
from fleetloop_hub.spec.data_tables import LabelTable
from fleetloop_hub.spec.labels import positive_place
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.training.classes import classes_of
from fleetloop_hub.training.deciding import decision_threshold
from fleetloop_hub.training.fading import faded
from fleetloop_hub.training.field_note import field_note
from fleetloop_hub.training.job import Job
from fleetloop_hub.training.oddities import MADE_UP, judged, marked
from fleetloop_hub.training.split import Split, ordered, split
from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.manifest import NO_CLASS, Signature

_LARGEST_LABEL = 1e30
_TWO = 2


@dataclass(frozen=True)
class Prepared:
    """What a run begins with.

    Attributes:
        spec: The model spec.
        frame: All rows that are used, in order of time.
        split: Its parts.
        form: Inputs and outputs of the model.
        notes: What a person should know about the rows.
    """

    spec: ModelSpec
    frame: Frame
    split: Split
    form: Signature
    notes: list[str]


def prepare(job: Job) -> Prepared:
    """Read a job's dataset version.

    Rows without a label are used by an anomaly model only.

    Raises:
        SpecError: The job's spec is not one.
        DataError: The dataset version cannot be read.
        TrainingError: Nothing can be learned from it; the text says what to change.
    """
    spec = specs.parse(job.spec)
    _check(job.dataset_path, job.dataset)
    return ready(spec, ordered(parquet.read_frame(Path(job.dataset_path), spec), spec))


def ready(spec: ModelSpec, frame: Frame) -> Prepared:
    """Split rows in time, and say what form a model of them has.

    Args:
        spec: The model spec.
        frame: In the order in which they are split.

    Raises:
        TrainingError: Nothing can be learned from them; the text says what to change.
    """
    if spec.model.task == "anomaly":
        return _anomaly(spec, marked(frame, spec))
    known = np.isfinite(frame.label)
    notes = []
    if not known.all():
        notes = [f"{int((~known).sum()):,} of {len(known):,} rows have no label and were not used"]
    frame = frame.take(known)
    if spec.model.task == "regression" and (np.abs(frame.label) > _LARGEST_LABEL).any():
        raise TrainingError(
            f"{spec.label.column} has values beyond ±{_LARGEST_LABEL:g}, more than a device can "
            "compute with; write it in a larger unit"
        )
    notes += field_note(frame.device)
    classes = classes_of(frame, spec)
    parts = split(frame, spec)
    if spec.retrain.window == "weighted":
        train, note = faded(parts.train, spec.retrain.half_life_rows)
        parts, notes = replace(parts, train=train), [*notes, note]
    older = frame.take(slice(0, len(frame) - len(parts.held_out)))
    form = signature(spec, classes, _threshold(older, spec, classes), _score_range(older, spec))
    return Prepared(spec, frame, parts, form, notes)


def _check(path: str, sha256: str) -> None:
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise TrainingError(f"the dataset version cannot be read: {error}") from error
    if sha256_hex(data) != sha256:
        raise TrainingError(
            f"the dataset version in {path} is not {sha256[:12]}: restore it from a copy"
        )


def _anomaly(spec: ModelSpec, frame: Frame) -> Prepared:
    parts = split(frame, spec)
    made_up = judged(parts.validation, parts.train, spec.model.seed)[1]
    notes = [MADE_UP] if made_up else []
    form = signature(structs.replace(spec, label=LabelTable()), [0, 1], 0.5, (0.0, 1.0))
    names, odd = spec.label.classes, str(spec.label.positive)
    if len(names) == _TWO and odd in names:
        form = structs.replace(form, class_names=[next(n for n in names if n != odd), odd])
    return Prepared(spec, frame, parts, form, notes)


def _threshold(older: Frame, spec: ModelSpec, classes: list[int]) -> float:
    place = positive_place(spec, classes)
    if place == NO_CLASS:
        return 0.0
    return decision_threshold(spec, float((older.label == classes[place]).mean()))


def _score_range(older: Frame, spec: ModelSpec) -> tuple[float, float]:
    """Where the score histogram lies: [0, 1], or half as wide again as a regression's labels."""
    if spec.model.task != "regression":
        return 0.0, 1.0
    low, high = float(older.label.min()), float(older.label.max())
    margin = (high - low) / 4
    return low - margin, high + margin
