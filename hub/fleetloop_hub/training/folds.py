"""Validation parts of a rolling origin: each is newer than all that is fitted for it."""

from dataclasses import dataclass

import numpy as np

from fleetloop_hub.data.frame import Frame
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.training.oddities import judged
from fleetloop_hub.training.split import Split, boundary, known

_FEWEST = 2


@dataclass(frozen=True)
class Fold:
    """Rows to fit on, and newer ones to score with.

    Attributes:
        train: The older rows.
        newer: The rows just after them.
        judged: The rows that scores are of: `newer`, or what an anomaly model is judged on.
    """

    train: Frame
    newer: Frame
    judged: Frame


def folds(parts: Split, spec: ModelSpec) -> tuple[list[Fold], list[str]]:
    """The newest fold first: it is the split itself; each further one ends where one began.

    Args:
        parts: The split; its held-out rows are in no fold.
        spec: Says how many folds.

    Returns:
        The folds, and in words what became of those that cannot be.
    """
    wanted, task, rows = spec.training.folds, spec.model.task, parts.train
    found = [_fold(parts.train, parts.validation, spec)]
    notes: list[str] = []
    needed = set(_labels(rows))
    end, length = len(rows), len(parts.validation)
    for number in range(2, wanted + 1):
        first = boundary(rows, max(0, end - length))
        fold = _fold(known(rows, 0, first), known(rows, first, end), spec)
        short = len(fold.train) < _FEWEST or not len(fold.newer)
        if task == "classification" and not short:
            short = set(_labels(fold.train)) != needed or len(_labels(fold.newer)) < _FEWEST
        if short:
            notes.append(
                f"only {number - 1} of {wanted} folds: the older rows are too few, or lack a class"
            )
            break
        found.append(fold)
        end = first
    return found, notes


def _fold(train: Frame, newer: Frame, spec: ModelSpec) -> Fold:
    if spec.model.task != "anomaly" or not len(train):
        return Fold(train, newer, newer)
    return Fold(train, newer, judged(newer, train, spec.model.seed)[0])


def _labels(frame: Frame) -> list[float]:
    labels: list[float] = np.unique(frame.label[np.isfinite(frame.label)]).tolist()
    return labels
