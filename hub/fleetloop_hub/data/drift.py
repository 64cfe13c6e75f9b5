"""How new rows differ from the rows that were there before, column by column, before training."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from fleetloop_hub.dataset_parts import ShareShift, Shift
from fleetloop_hub.packaging.reference import inner_edges
from fleetloop_shared.drift.anderson_darling import anderson_darling
from fleetloop_shared.drift.bins import Bins
from fleetloop_shared.drift.psi import population_stability_index
from fleetloop_shared.drift.triangular import triangular_discrimination

Values = npt.NDArray[np.float32]

FEWEST_ROWS = 30
"""Fewer new rows than this say nothing."""

_EDGE_ROWS = 100_000
_MOST_SHARES = 3
_OTHER = "other"


@dataclass(frozen=True)
class Column:
    """One column of two sets of rows.

    Attributes:
        name: What reports call it.
        unit: What it is measured in.
        before: Its earlier values, NaN where missing.
        now: Its new values.
        names: Of categories and classes: their texts by their numbers, such as "0".
    """

    name: str
    unit: str
    before: Values
    now: Values
    names: dict[str, str] = field(default_factory=dict)


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
        shares=_shares(column) if column.names else [],
    )


def _shares(column: Column) -> list[ShareShift]:
    """The categories whose share has changed most."""
    before, now = _counted(column.before), _counted(column.now)
    found = [
        ShareShift(
            name=column.names.get(value, _OTHER if value == "-1" else value),
            before=before.get(value, 0.0),
            now=now.get(value, 0.0),
        )
        for value in sorted({*before, *now})
    ]
    return sorted(found, key=lambda one: -abs(one.now - one.before))[:_MOST_SHARES]


def _counted(values: Values) -> dict[str, float]:
    kinds, counts = np.unique(values[np.isfinite(values)], return_counts=True)
    whole = max(int(counts.sum()), 1)
    return {f"{k:g}": c / whole for k, c in zip(kinds.tolist(), counts.tolist(), strict=True)}


def _mean(values: npt.NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else 0.0
