"""Labels as numbers: a class is its whole number or its place among the classes."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from fleetloop_hub.data import columns
from fleetloop_hub.spec.labels import class_numbers
from fleetloop_hub.spec.model_spec import ModelSpec

Floats = npt.NDArray[np.float64]
Truths = npt.NDArray[np.bool_]

_LARGEST_LABEL = 1_000_000


def read(column: pa.ChunkedArray, spec: ModelSpec) -> tuple[Floats, list[tuple[str, Truths]]]:
    """The labels' numbers, NaN where unknown, and what is wrong with which rows."""
    name = spec.label.column or ""
    if spec.label.classes:
        found = columns.places(columns.texts(column), spec.label.classes)
        unseen = found == -1
        to_number = np.array(class_numbers(spec.label), float)
        known = np.isfinite(found) & ~unseen
        values = np.full(len(found), np.nan)
        values[known] = to_number[found[known].astype(np.int64)]
        return values, [(f"{name} is none of label.classes", unseen)]
    values, wrong = columns.numbers(column)
    if spec.model.task == "regression":
        infinite = np.isinf(values)
        values[infinite] = np.nan
        return values, [(f"{name} not a finite number", wrong | infinite)]
    return values, [(f"{name} not a whole number", wrong | not_whole(values))]


def not_whole(values: Floats) -> Truths:
    """Where a class label is no whole number of a sensible size; a missing one is not wrong."""
    with np.errstate(invalid="ignore"):
        odd = (values != np.floor(values)) | (np.abs(values) > _LARGEST_LABEL)
    result: Truths = odd & ~np.isnan(values)
    return result
