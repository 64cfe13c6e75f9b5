"""How new rows differ from the rows that were there before, column by column, before training."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fleetloop_hub.dataset_parts import Shift
from fleetloop_hub.packaging.reference import inner_edges
from fleetloop_shared.drift.anderson_darling import anderson_darling
from fleetloop_shared.drift.bins import Bins
from fleetloop_shared.drift.psi import population_stability_index
from fleetloop_shared.drift.triangular import triangular_discrimination

Values = npt.NDArray[np.float32]

FEWEST_ROWS = 30
"""Fewer new rows than this say nothing."""

_EDGE_ROWS = 100_000


@dataclass(frozen=True)
class Column:
    """One column of two sets of rows.

    Attributes:
        name: What reports call it.
        unit: What it is measured in.
        before: Its earlier values, NaN where missing.
        now: Its new values.
    """

    name: str
    unit: str
    before: Values
    now: Values


def shift(column: Column) -> Shift:
    """How the new values differ from the earlier ones."""
    before, now = column.before, column.now
    edges = inner_edges(before[:: max(1, len(before) // _EDGE_ROWS)])
    bins = Bins([edges])
    old, new = bins.count(before[None, :])[0], bins.count(now[None, :])[0]
    finite = before[np.isfinite(before)].astype(float)
    mean, mean_now = _mean(finite), _mean(now[np.isfinite(now)].astype(float))
    sd = float(finite.std()) if len(finite) else 0.0
    return Shift(
        column=column.name,
        unit=column.unit,
        before=mean,
        now=mean_now,
        shift=mean_now - mean,
        shift_sd=(mean_now - mean) / (sd or 1.0),
        psi=float(population_stability_index(old, new)),
        triangular=float(triangular_discrimination(old, new)),
        anderson_darling=float(anderson_darling(old, new)),
        missing_before=float(np.isnan(before).mean()) if len(before) else 0.0,
        missing_now=float(np.isnan(now).mean()) if len(now) else 0.0,
    )


def _mean(values: npt.NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else 0.0
