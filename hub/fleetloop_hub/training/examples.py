"""Rows as arrays, and their split in time: older to fit, newer to choose, newest to judge."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fleetloop_hub.data.row import Row
from fleetloop_hub.errors import TrainingError

_VALIDATION = 0.2


@dataclass(frozen=True)
class Examples:
    """Rows to learn from, in time order.

    Attributes:
        values: Shape (rows, features), NaN where missing.
        truth: Whether each row is positive.
        at: Its place in time.
        device: Who saw it, "" for the source.
    """

    values: npt.NDArray[np.float32]
    truth: npt.NDArray[np.bool_]
    at: npt.NDArray[np.float64]
    device: npt.NDArray[np.str_]

    def take(self, which: slice) -> "Examples":
        """Some of them."""
        return Examples(self.values[which], self.truth[which], self.at[which], self.device[which])

    def by_device(self) -> npt.NDArray[np.float32]:
        """The values as each device saw them: one after the other, each in order of time."""
        return self.values[np.argsort(self.device, kind="stable")]


@dataclass(frozen=True)
class Split:
    """Three parts of a dataset version, each newer than the one before.

    Attributes:
        train: Models are fitted on these.
        validation: Models, recipes and the end of fitting are chosen on these.
        held_out: Nothing is chosen on these; the gates judge by them.
    """

    train: Examples
    validation: Examples
    held_out: Examples


def to_examples(rows: list[Row], positive: int) -> tuple[Examples, list[int]]:
    """The rows that are not quarantined, and the two labels they bear.

    Raises:
        TrainingError: They bear another number of labels than two, or never the positive one.
    """
    usable = [row for row in rows if not row.fault]
    labels = sorted({row.label for row in usable if row.label is not None})
    if len(labels) != 2 or positive not in labels:  # noqa: PLR2004  # yes and no
        raise TrainingError(
            f"the rows bear the labels {labels[:10]}; two are needed, and label.positive = "
            f"{positive} must be one of them"
        )
    examples = Examples(
        values=np.array([row.values for row in usable], np.float32),
        truth=np.array([row.label == positive for row in usable]),
        at=np.array([row.at for row in usable], np.float64),
        device=np.array([row.device for row in usable]),
    )
    return examples, labels


def split(examples: Examples, held_out: float) -> Split:
    """Cut by time, never between rows of the same moment.

    Args:
        examples: In time order.
        held_out: The share of the newest that is held out.

    Raises:
        TrainingError: A part has no row of either class, so that nothing can be learned or judged.
    """
    rows = len(examples.truth)
    second = _boundary(examples, round(rows * (1 - held_out)))
    first = _boundary(examples, round(second * (1 - _VALIDATION)))
    parts = Split(
        train=examples.take(slice(0, first)),
        validation=examples.take(slice(first, second)),
        held_out=examples.take(slice(second, rows)),
    )
    for name in ("train", "validation", "held_out"):
        truth = getattr(parts, name).truth
        if truth.all() or not truth.any():
            raise TrainingError(
                f"the {name} part has {len(truth):,} rows, {int(truth.sum()):,} of them positive; "
                "it needs rows of both classes: add rows, or change gates.held_out"
            )
    return parts


def _boundary(examples: Examples, index: int) -> int:
    """The first row at or before `index` whose moment the row before does not share."""
    at, seen = examples.at, examples.device != ""
    while 0 < index < len(at) and at[index] == at[index - 1] and seen[index] == seen[index - 1]:
        index -= 1
    return index
