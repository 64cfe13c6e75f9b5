"""Decides by looking at real answers what a foreign model's numbers mean."""

import math
from typing import Literal

import numpy as np
import numpy.typing as npt

from fleetloop_hub.errors import ModelFileError
from fleetloop_hub.packaging.foreign_adapting import Sense
from fleetloop_shared.manifest import ANOMALY, REGRESSION, Signature

Raw = npt.NDArray[np.float32]
Wanted = Literal["auto", "none", "sigmoid", "softmax"]
"""What a person says about the activation."""

Labels = tuple[int | str, ...]

_EXACT = 1e-3
_TWO = 2
_MEDIAN_LOGIT = 4.0
_ODD_SHARE = 0.01


def make_sense(
    raw: Raw, labels: Labels, signature: Signature, wanted: Wanted, truth: npt.NDArray[np.float64]
) -> tuple[Sense, list[str]]:
    """What the raw outputs mean, and in words what was decided.

    Args:
        raw: Answers to real rows, shape (rows, columns).
        labels: The classes that the graph names, if it does.
        signature: What the artifact's outputs must be.
        wanted: What a person says about the activation.
        truth: The labels of these rows, NaN where unknown.

    Raises:
        ModelFileError: They cannot be what the spec says.
    """
    if not np.isfinite(raw).all():
        raise ModelFileError(
            "the model's answers to complete rows are not all finite: check the model where it was "
            "made, and that the spec's columns have the units it was trained on"
        )
    if signature.task == REGRESSION:
        return _number(raw, wanted)
    if signature.task == ANOMALY:
        return _oddness(raw, wanted, truth)
    return _classes(raw, labels, signature, wanted)


def _number(raw: Raw, wanted: Wanted) -> tuple[Sense, list[str]]:
    if raw.shape[1] != 1:
        raise ModelFileError(
            f"the model answers with {raw.shape[1]} numbers a row, a regression with one: name "
            'another with --output NAME, or write task = "classification" in the spec'
        )
    if wanted in {"sigmoid", "softmax"}:
        raise ModelFileError(f"--activation {wanted} is for classes; leave it out for a regression")
    return Sense(), [f"its answers lie between {raw.min():.4g} and {raw.max():.4g}"]


def _classes(
    raw: Raw, labels: Labels, signature: Signature, wanted: Wanted
) -> tuple[Sense, list[str]]:
    names = signature.class_names or [str(number) for number in signature.classes]
    if raw.shape[1] == 1 and len(names) == _TWO:
        return _one_column(raw, names, wanted)
    if raw.shape[1] != len(names):
        raise ModelFileError(
            f"the model answers with {raw.shape[1]} numbers a row, but there are {len(names)} "
            f"classes ({', '.join(names[:10])}): write the classes that it knows in label.classes, "
            "or name another output with --output NAME"
        )
    order, told = _order(labels, signature, names)
    activation, shares, words = _activation(raw, wanted)
    natural = tuple(range(len(names)))
    return Sense(activation, () if order == natural else order, shares=shares), [told, words]


def _one_column(raw: Raw, names: list[str], wanted: Wanted) -> tuple[Sense, list[str]]:
    if wanted == "softmax":
        raise ModelFileError("--activation softmax needs a column a class; this model has one")
    activation, _, words = _activation(raw, "sigmoid" if wanted == "sigmoid" else wanted)
    told = f"its one number is taken for the probability of {names[1]}, the rest for {names[0]}"
    if wanted == "auto" and activation == "softmax":
        activation, words = "sigmoid", f"{_range(raw)} are no probabilities: a sigmoid was added"
    return Sense(activation, pair=True), [told, words]


def _activation(
    raw: Raw, wanted: Wanted
) -> tuple[Literal["none", "sigmoid", "softmax"], bool, str]:
    """What makes probabilities of the outputs, whether they are divided by their sum, and why."""
    inside = bool(((raw > -_EXACT) & (raw < 1 + _EXACT)).all())
    several = raw.shape[1] > 1
    whole = not several or bool((np.abs(raw.sum(axis=1) - 1) < _EXACT).all())
    if wanted == "softmax":
        return "softmax", False, "a softmax was added, as asked"
    if wanted == "sigmoid":
        return "sigmoid", several, "a sigmoid was added, as asked"
    if wanted == "none" and not inside:
        raise ModelFileError(
            f"{_range(raw)} are no probabilities: leave --activation out, or write sigmoid or "
            "softmax"
        )
    if inside and whole:
        return "none", False, f"{_range(raw)} are probabilities and were left as they are"
    if inside:
        return (
            "none",
            True,
            (f"{_range(raw)} are a probability a class alone: they were divided by their sum"),
        )
    return "softmax", False, f"{_range(raw)} are no probabilities: a softmax was added"


def _order(labels: Labels, signature: Signature, names: list[str]) -> tuple[tuple[int, ...], str]:
    """For each class its column, by the names that the graph has for them; and that in words."""
    natural = tuple(range(len(names)))
    shown = ", ".join(names)
    if not labels:
        return natural, f"it names no classes: its columns were taken for {shown}, in this order"
    ours = [str(number) for number in signature.classes]
    theirs = [str(label) for label in labels]
    for known in (names, ours):
        if sorted(known) == sorted(theirs):
            order = tuple(theirs.index(name) for name in known)
            return order, f"its classes are {', '.join(theirs)}"
    if theirs == [str(place) for place in natural]:
        return natural, f"its classes 0 to {natural[-1]} were taken for {shown}, in this order"
    raise ModelFileError(
        f"the model's classes are {', '.join(theirs[:10])}, the spec's are "
        f"{', '.join(names[:10])}: write the former in label.classes"
    )


def _oddness(raw: Raw, wanted: Wanted, truth: npt.NDArray[np.float64]) -> tuple[Sense, list[str]]:
    if raw.shape[1] > _TWO or wanted == "softmax":
        raise ModelFileError(
            f"the model answers with {raw.shape[1]} numbers a row; an anomaly model says how odd a "
            "row is: name that output with --output NAME"
        )
    column, order = raw[:, -1], (1,) if raw.shape[1] == _TWO else ()
    inside = bool(((column > -_EXACT) & (column < 1 + _EXACT)).all())
    if inside and wanted != "sigmoid":
        return Sense(order=order, pair=True), [f"{_range(column)} are taken for how odd a row is"]
    sign, why = _direction(column.astype(np.float64), truth)
    odd = sign * column.astype(np.float64)
    median, far = np.quantile(odd, [0.5, 1 - _ODD_SHARE])
    slope = _MEDIAN_LOGIT / max(float(far - median), 1e-6 * max(1.0, math.fabs(far)))
    words = (
        f"{_range(column)} were put between 0 and 1, so that {_ODD_SHARE:.0%} of the training rows "
        f"are above one half; {'larger' if sign > 0 else 'smaller'} is odder: {why}"
    )
    sense = Sense("sigmoid", order, pair=True, slope=sign * slope, shift=-slope * float(far))
    return sense, [words]


def _direction(
    column: npt.NDArray[np.float64], truth: npt.NDArray[np.float64]
) -> tuple[float, str]:
    """Which way odd rows lie: as the labels say, or else where the longer tail is."""
    odd, usual = column[truth == 1], column[truth == 0]
    if len(odd) and len(usual):
        higher = np.median(odd) >= np.median(usual)
        return (1.0 if higher else -1.0), "as the labels say"
    low, median, high = np.quantile(column, [0.01, 0.5, 0.99])
    return (1.0 if high - median >= median - low else -1.0), "the longer tail lies there"


def _range(raw: npt.NDArray[np.float32]) -> str:
    return f"its answers ({raw.min():.4g} to {raw.max():.4g})"
