"""What follows a model inside the graph: calibration of its scores, thresholds of groups."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]

_NEVER_CERTAIN = 1e-7


@dataclass(frozen=True)
class Calibration:
    """How raw scores become probabilities.

    Attributes:
        method: "none"; "sigmoid" (Platt, 1999), `sigmoid(x[0] * logit + x[1])`; "isotonic"
            (Zadrozny and Elkan, 2002), straight lines between the points (x, y), level outside;
            "temperature" (Guo et al., 2017), the softmax of log-probabilities times x[0], for
            several classes.
        x: Parameters, or the places of the points, ascending.
        y: The heights of the points.
    """

    method: Literal["none", "sigmoid", "isotonic", "temperature"] = "none"
    x: tuple[float, ...] = ()
    y: tuple[float, ...] = ()


@dataclass(frozen=True)
class GroupOffsets:
    """What is added to the logit of the score, by the value of one feature.

    With one decision threshold for all, it gives every group a threshold of its own.

    Attributes:
        feature: The feature's place among the inputs; a category, or a number with few values.
        values: The values that have an offset; for a category the numbers of places.
        offsets: What is added for each of them; nothing is added for any other value.
    """

    feature: int
    values: tuple[float, ...]
    offsets: tuple[float, ...]


@dataclass(frozen=True)
class Head:
    """What turns raw outputs into the artifact's outputs.

    Attributes:
        calibration: Of the probabilities of a classification.
        positive: The column of the positive class; -1 where no class is special.
        groups: Thresholds of groups, if there are any; they need a positive class of two.
    """

    calibration: Calibration = Calibration()
    positive: int = -1
    groups: GroupOffsets | None = None

    def apply(self, raw: Doubles, values: Floats) -> Doubles:
        """The artifact's outputs for raw outputs, both of shape (rows, classes or 1).

        Args:
            raw: Probabilities, or the values of a regression.
            values: The inputs, shape (rows, features), for the offsets of groups.
        """
        if self.calibration.method == "temperature":
            power = np.maximum(raw, _NEVER_CERTAIN) ** self.calibration.x[0]
            tempered: Doubles = power / power.sum(axis=1, keepdims=True)
            return tempered
        if self.positive < 0 or raw.shape[1] != 2:  # noqa: PLR2004  # yes and no
            return raw
        score = self._shifted(self._calibrated(raw[:, self.positive]), values)
        outputs = np.column_stack([1 - score, score])
        return outputs if self.positive == 1 else outputs[:, ::-1]

    def _calibrated(self, score: Doubles) -> Doubles:
        x, y = self.calibration.x, self.calibration.y
        if self.calibration.method == "sigmoid":
            return _sigmoid(x[0] * _logit(score) + x[1])
        if self.calibration.method == "isotonic":
            return np.interp(score, x, y)
        return score

    def _shifted(self, score: Doubles, values: Floats) -> Doubles:
        if self.groups is None:
            return score
        column, shift = values[:, self.groups.feature], np.zeros(len(score))
        for value, offset in zip(self.groups.values, self.groups.offsets, strict=True):
            shift[column == np.float32(value)] = offset
        return np.where(shift == 0, score, _sigmoid(_logit(score) + shift))


def _logit(score: Doubles) -> Doubles:
    sure = np.clip(score, _NEVER_CERTAIN, 1 - _NEVER_CERTAIN)
    logit: Doubles = np.log(sure / (1 - sure))
    return logit


def _sigmoid(x: Doubles) -> Doubles:
    sigmoid: Doubles = 1 / (1 + np.exp(-x))
    return sigmoid
