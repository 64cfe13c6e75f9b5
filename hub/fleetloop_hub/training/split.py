"""Splits rows in time: older to fit, newer to choose, newest to judge."""

from dataclasses import dataclass, replace

import numpy as np

from fleetloop_hub.data.frame import Frame
from fleetloop_hub.errors import TrainingError
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.spec.scalars import Task

_ENOUGH = 20

_NEEDED: dict[Task, str] = {
    "classification": "of both classes",
    "regression": "with different labels",
    "anomaly": "at all",
}


@dataclass(frozen=True)
class Split:
    """Three parts of a dataset version, each newer than the one before.

    Attributes:
        train: Models are fitted on these.
        validation: Models, recipes and the end of fitting are chosen on these.
        held_out: Nothing is chosen on these; the gates judge by them.
    """

    train: Frame
    validation: Frame
    held_out: Frame


def ordered(frame: Frame, spec: ModelSpec) -> Frame:
    """The rows in the order in which they are split: that of time, unless the spec has none.

    Only rows of sources are shuffled; what devices have seen came in an order that means something.
    """
    if not spec.rows.shuffle:
        return frame
    of_sources = np.flatnonzero(frame.device == "")
    drawn = np.random.default_rng(spec.model.seed).permutation(of_sources)
    taken = frame.take(np.concatenate([drawn, np.flatnonzero(frame.device != "")]))
    place = np.where(taken.device == "", np.arange(len(taken), dtype=np.float64), taken.at)
    known = np.where(taken.device == "", place, taken.label_at)
    return replace(taken, at=place, label_at=known)


def split(frame: Frame, spec: ModelSpec) -> Split:
    """Cut by time, never between rows of the same moment.

    A label that became known only after a part had ended is not used in that part: whoever had
    trained then could not have known it.

    Args:
        frame: In time order.
        spec: Says how large the parts are, and the task.

    Raises:
        TrainingError: A part has too few rows, or rows of one class only, so that nothing can be
            learned or judged.
    """
    rows = len(frame)
    second = boundary(frame, round(rows * (1 - spec.gates.held_out)))
    first = boundary(frame, round(second * (1 - spec.training.validation)))
    parts = Split(
        train=known(frame, 0, first),
        validation=known(frame, first, second),
        held_out=frame.take(slice(second, rows)),
    )
    if rows >= _ENOUGH and not 0 < first < second:
        moments = len(np.unique(frame.at))
        raise TrainingError(
            f"rows.time puts {rows:,} rows at {moments:,} different moments, too few to cut the "
            "parts between them: name a finer column, or leave rows.time out; without it the rows "
            "are in order of time as they stand, or in none with rows.shuffle = true"
        )
    for name in ("train", "validation", "held_out"):
        _check(name, getattr(parts, name), spec)
    return parts


def _check(name: str, part: Frame, spec: ModelSpec) -> None:
    found = np.unique(part.label[np.isfinite(part.label)])
    fewest = {"classification": 2, "regression": 2, "anomaly": 0}[spec.model.task]
    if not len(part) or len(found) < fewest:
        labels = ", ".join(f"{label:g}" for label in found[:10]) or "none"
        raise TrainingError(
            f"the {name} part has {len(part):,} rows with the labels {labels}; "
            f"it needs rows {_NEEDED[spec.model.task]}: add rows, or change gates.held_out"
        )


def boundary(frame: Frame, index: int) -> int:
    """The first row at or before `index` whose moment the row before does not share."""
    at, seen = frame.at, frame.device != ""
    while 0 < index < len(at) and at[index] == at[index - 1] and seen[index] == seen[index - 1]:
        index -= 1
    return index


def known(frame: Frame, first: int, end: int) -> Frame:
    """The rows from `first` to `end` whose labels were known when those after `end` began."""
    part = frame.take(slice(first, end))
    if not len(part) or end >= len(frame):
        return part
    # Times of sources and of devices are not compared: a source may count days.
    comparable = (part.device != "") == (frame.device[end] != "")
    late = comparable & (part.label_at > part.at) & (part.label_at > frame.at[end])
    return part.take(~late) if late.any() else part
