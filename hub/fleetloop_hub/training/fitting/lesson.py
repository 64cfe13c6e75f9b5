"""What an algorithm is given to learn from, and what it hands back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from fleetloop_hub.packaging.fitted import Parameters

Floats = npt.NDArray[np.float64]

Watch = Callable[[float, str], object]
"""Told the share of a fit that is done, and what is being done, in words."""


@dataclass(frozen=True)
class Lesson:
    """What a candidate is fitted on.

    Attributes:
        x: Prepared training rows.
        y: Places of their classes, values of a regression; all NaN for an anomaly model.
        newer_x: Prepared validation rows, which only say when to stop.
        newer_y: The same of these.
        classes: How many classes there are; 0 for a regression.
        seed: Of every random choice.
        watch: Told how far a long fit is.
    """

    x: Floats
    y: Floats
    newer_x: Floats
    newer_y: Floats
    classes: int
    seed: int
    watch: Watch

    def class_weights(self) -> dict[int, float]:
        """The weight at which each class counts alike; an absent class has none."""
        counts = np.bincount(self.y.astype(int), minlength=self.classes)
        present = np.flatnonzero(counts)
        return {int(k): len(self.y) / (len(present) * int(counts[k])) for k in present}

    def row_weights(self) -> tuple[Floats, Floats]:
        """The weights of the classes, for each row and each newer row."""
        table = np.ones(self.classes)
        for place, weight in self.class_weights().items():
            table[place] = weight
        return table[self.y.astype(int)], table[self.newer_y.astype(int)]


@dataclass(frozen=True)
class Learned:
    """What comes of a fit.

    Attributes:
        estimator: scikit-learn's, fitted.
        parameters: What it was fitted with.
        curves: By a name, a value an epoch or round.
        notes: What a person should know, in words.
    """

    estimator: Any
    parameters: Parameters
    curves: dict[str, list[float]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def newest(lesson: Lesson, most: int, family: str) -> tuple[Floats, Floats, tuple[str, ...]]:
    """The newest rows for an algorithm whose time grows with the square of their number.

    Args:
        lesson: All rows, oldest first.
        most: The rows that are few enough.
        family: Named in the note.
    """
    if len(lesson.x) <= most:
        return lesson.x, lesson.y, ()
    note = f"{family} was fitted on the newest {most:,} of {len(lesson.x):,} training rows"
    return lesson.x[-most:], lesson.y[-most:], (note,)
