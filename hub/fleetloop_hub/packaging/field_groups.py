"""Which groups of people devices count: values of features that the spec's fairness gates name."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from fleetloop_hub.data.columns import texts
from fleetloop_hub.spec.data_tables import FeatureTable
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_shared.groups import GroupColumn, GroupLimits

MOST_GROUPS = 32
"""A number with more values than this is no group: ages are parted into bands in the data."""

Rows = npt.NDArray[np.float32]


def field_groups(spec: ModelSpec, rows: Rows) -> GroupLimits | None:
    """The groups and their limits; None where no sensitive column is a feature with few values.

    Args:
        spec: The model spec.
        rows: The rows of training, as devices see them.
    """
    columns = []
    for name in spec.fairness.groups:
        if name not in spec.feature_names:
            continue
        place = spec.feature_names.index(name)
        found = _column(spec.features[place], place, rows[:, place])
        if found is not None:
            columns.append(found)
    if not columns:
        return None
    limits = spec.fairness
    return GroupLimits(
        columns=columns,
        selection_gap=limits.selection_gap,
        selection_ratio=limits.selection_ratio,
        true_positive_gap=limits.true_positive_gap,
        false_positive_gap=limits.false_positive_gap,
        group_rows=limits.group_rows,
    )


def _column(feature: FeatureTable, place: int, values: Rows) -> GroupColumn | None:
    if feature.kind == "category":
        names = list(feature.categories)
        numbers = [float(k) for k in range(len(names))]
        return GroupColumn(column=feature.name, place=place, names=names, values=numbers)
    numbers = np.unique(values[np.isfinite(values)]).tolist()
    if not 1 < len(numbers) <= MOST_GROUPS:
        return None
    source = (np.array(numbers) - feature.offset) / feature.scale
    names = [text or "" for text in texts(pa.array(source)).to_pylist()]
    return GroupColumn(column=feature.name, place=place, names=names, values=numbers)
