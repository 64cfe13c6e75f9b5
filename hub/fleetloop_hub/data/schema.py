"""What the spec says about single columns, as a pandera schema; a check is named by its reason."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pandera.pandas as pandera
from pandera.errors import SchemaErrors

from fleetloop_hub.spec.data_tables import FeatureTable
from fleetloop_hub.spec.model_spec import ModelSpec

LARGEST = float(np.finfo(np.float32).max)
AT, LABEL = "at", "label"


def feature_column(name: str) -> str:
    """What a feature is called among a dataset version's columns."""
    return f"x.{name}"


def schema(spec: ModelSpec, *, label_needed: bool) -> pandera.DataFrameSchema:
    """The checks of all columns; values are in the feature's unit, a category is its place."""
    columns = {
        feature_column(f.name): pandera.Column(float, _checks(f), nullable=True)
        for f in spec.features
    }
    when = spec.rows.time or "place in time"
    columns[AT] = pandera.Column(float, [_check(f"no {when}", np.isfinite)], nullable=True)
    if label_needed:
        there = _check(f"no {spec.label.column}", pd.notna)
        columns[LABEL] = pandera.Column(float, [there], nullable=True)
    return pandera.DataFrameSchema(columns)


def failures(
    frame: pd.DataFrame, checks: pandera.DataFrameSchema
) -> dict[tuple[str, str], np.ndarray]:
    """Which rows fail, by (column, reason); pandera finds which checks fail, all in one go."""
    try:
        checks.validate(frame, lazy=True)
    except SchemaErrors as errors:
        failed = {(e.schema.name, e.check.name): e.check for e in errors.schema_errors}
        return {
            key: ~np.asarray(check._check_fn(frame[key[0]]), bool)  # noqa: SLF001  # the check's own function
            for key, check in failed.items()
        }
    return {}


def _check(reason: str, passes: Callable[[pd.Series], object]) -> pandera.Check:
    return pandera.Check(passes, name=reason, ignore_na=False, n_failure_cases=1)


def _checks(feature: FeatureTable) -> list[pandera.Check]:
    name, low, high = feature.name, feature.low, feature.high
    found = []
    if feature.missing == "quarantine":
        found.append(_check(f"{name} is missing", pd.notna))
    if feature.kind == "category":
        if feature.unseen == "quarantine":
            found.append(_check(f"{name} is none of its categories", lambda s: s != -1))
        return found
    found.append(_check(f"{name} too large for float32", lambda s: ~(s.abs() > LARGEST)))
    if feature.outside == "quarantine":
        if low is not None:
            found.append(_check(f"{name} below {low:g}", lambda s: ~(s < low)))
        if high is not None:
            found.append(_check(f"{name} above {high:g}", lambda s: ~(s > high)))
    return found
