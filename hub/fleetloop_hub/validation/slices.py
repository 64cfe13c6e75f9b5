"""The metric slice by slice: a model that is good on average may be bad for some rows."""

import statistics
from itertools import pairwise

import numpy as np

from fleetloop_hub.spec.data_tables import SliceTable
from fleetloop_hub.spec.scalars import Metric
from fleetloop_hub.validation.bootstrap import deviation
from fleetloop_hub.validation.fairness import Column
from fleetloop_hub.validation.metrics import Answers, Flags, measure
from fleetloop_hub.version_parts import SliceRow

_MOST = 50
"""Values of a column that are slices of their own; rarer ones are one slice together."""
MISSING = "missing"


def parts(table: SliceTable, column: Column) -> dict[str, Flags]:
    """The rows of each slice, by its name, in ascending order; missing values are a slice.

    Args:
        table: Which slices there are.
        column: The column's value in each row, as text, "" where it is missing.
    """
    found = _between(table.edges, column) if table.edges else _values(column)
    if (column == "").any():
        found[MISSING] = column == ""
    return found


def slice_rows(
    metric: Metric, answers: Answers, cut: dict[tuple[str, str], Flags], least_rows: int, seed: int
) -> list[SliceRow]:
    """The metric on every slice, with intervals that hold together.

    With k judged slices each interval is one of 1 - 0.05 / k (Bonferroni), normal around the value
    with the bootstrap's standard deviation: all of them hold at once in 95 % of cases.

    Args:
        metric: What is measured.
        answers: All rows.
        cut: The rows of each slice, by column and name.
        least_rows: With fewer a slice is not judged.
        seed: Of the resampling.
    """
    judged = sum(int(mine.sum()) >= least_rows for mine in cut.values())
    z = statistics.NormalDist().inv_cdf(1 - 0.025 / max(1, judged))
    return [
        _row(metric, answers.take(mine), name, (least_rows, z, seed)) for name, mine in cut.items()
    ]


def _row(
    metric: Metric, answers: Answers, name: tuple[str, str], how: tuple[int, float, int]
) -> SliceRow:
    least_rows, z, seed = how
    value = measure(metric, answers) if len(answers) else float("nan")
    half = z * deviation(metric, answers, seed) if np.isfinite(value) else 0.0
    known = bool(np.isfinite(value))
    return SliceRow(
        column=name[0],
        name=name[1],
        rows=len(answers),
        judged=len(answers) >= least_rows,
        value=value if known else None,
        low=value - half if known else None,
        high=min(1.0, value + half) if known else None,
    )


def _values(column: Column) -> dict[str, Flags]:
    names, counts = np.unique(column[column != ""], return_counts=True)
    often = sorted(names[np.argsort(-counts, kind="stable")][:_MOST].tolist(), key=_order)
    found: dict[str, Flags] = {name: column == name for name in often}
    if len(names) > _MOST:
        found[f"{len(names) - _MOST} others"] = ~np.isin(column, often) & (column != "")
    return found


def _between(edges: list[float], column: Column) -> dict[str, Flags]:
    numbers = np.array([_number(text) for text in column])
    place = np.searchsorted(edges, numbers, side="right")
    names = [f"below {edges[0]:g}"]
    names += [f"{low:g} to {high:g}" for low, high in pairwise(edges)]
    names.append(f"{edges[-1]:g} and above")
    return {name: (place == k) & np.isfinite(numbers) for k, name in enumerate(names)}


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _order(text: str) -> tuple[bool, float, str]:
    number = _number(text)
    return not np.isfinite(number), number if np.isfinite(number) else 0.0, text
