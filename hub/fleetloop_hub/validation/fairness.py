"""How groups of people are answered: rates by group with Fairlearn, and how far they are apart."""

import warnings
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from fairlearn.metrics import (
    MetricFrame,
    count,
    false_positive_rate,
    selection_rate,
    true_positive_rate,
)

from fleetloop_hub.spec.validation_tables import FairnessTable
from fleetloop_hub.validation.bootstrap import draws, ends
from fleetloop_hub.validation.metrics import Answers, Flags, Floats
from fleetloop_hub.validation.shares import RATIO, wilson, within
from fleetloop_hub.version_parts import GroupGap, GroupRow, Rate
from fleetloop_shared.manifest import NO_CLASS

Column = npt.NDArray[np.str_]

_TWO = 2
_RATES: dict[str, Callable[..., float]] = {
    "selection": selection_rate,
    "true_positive": true_positive_rate,
    "false_positive": false_positive_rate,
}
_MEASURES = {
    "selection_gap": ("selection gap", "selection"),
    "selection_ratio": ("selection ratio", "selection"),
    "true_positive_gap": ("true positive gap", "true_positive"),
    "false_positive_gap": ("false positive gap", "false_positive"),
}


def applies(answers: Answers) -> bool:
    """Whether there is a yes and a no: rates of groups say nothing about other answers."""
    return answers.signature.positive != NO_CLASS and len(answers.signature.classes) == _TWO


def group_rows(answers: Answers, column: str, groups: Column, least_rows: int) -> list[GroupRow]:
    """Rates of every group, the largest first; "" is the group whose value is missing.

    Args:
        answers: With a yes and a no; see `applies`.
        column: What the groups are values of.
        groups: The group of each row.
        least_rows: With fewer a group is not judged.
    """
    yes, said = _yes(answers)
    found = _by_group(yes, said, groups)
    rows = []
    for group in sorted(found, key=lambda g: (-found[g]["count"], g)):
        mine = groups == group
        known = {
            "selection": int(mine.sum()),
            "true_positive": int((mine & yes).sum()),
            "false_positive": int((mine & ~yes).sum()),
        }
        rates = {name: _rate(found[group][name], known[name]) for name in _RATES}
        judged = known["selection"] >= least_rows
        rows.append(
            GroupRow(column=column, group=group, rows=known["selection"], judged=judged, **rates)
        )
    return rows


def gaps(
    answers: Answers,
    rows: list[GroupRow],
    groups: Column,
    limits: FairnessTable,
    seed: int | None = None,
) -> list[GroupGap]:
    """How far the judged groups are apart, by each measure.

    Args:
        answers: With a yes and a no.
        rows: Of `group_rows`, for the same column.
        groups: The group of each row.
        limits: What is allowed.
        seed: Of the resampling that gives each gap its interval; None for no interval.
    """
    judged = [row for row in rows if row.judged]
    drawn = {}
    if seed is not None and len(judged) >= _TWO:
        drawn = _drawn(answers, [row.group for row in judged], groups, seed)
    return [
        _gap(rows[0].column, key, judged, drawn, limits) for key in _MEASURES if len(rows) >= _TWO
    ]


def _gap(
    column: str,
    key: str,
    judged: list[GroupRow],
    drawn: dict[str, Floats],
    limits: FairnessTable,
) -> GroupGap:
    measure, rate = _MEASURES[key]
    have = [(_of(row, rate).value, row.group) for row in judged]
    values = sorted((value, group) for value, group in have if value is not None)
    value, low, high, lowest, highest = None, None, None, "", ""
    if len(values) >= _TWO:
        (smallest, lowest), (largest, highest) = values[0], values[-1]
        value = float(_apart(measure, np.array([smallest]), np.array([largest]))[0])
        if drawn:
            known = drawn[rate][np.isfinite(drawn[rate]).all(axis=1)]
            low, high = ends(_apart(measure, known.min(axis=1), known.max(axis=1)), value)
    return GroupGap(
        column=column,
        measure=measure,
        value=value,
        low=low,
        high=high,
        lowest=lowest,
        highest=highest,
        limit=getattr(limits, key),
    )


def misses(answers: Answers, groups: dict[str, Column], limits: FairnessTable) -> list[str]:
    """The limits that answers miss, in words.

    Args:
        answers: On rows that candidates are chosen by.
        groups: The group of each row, by the name of the column.
        limits: What is allowed.
    """
    if not applies(answers):
        return []
    found = []
    for column in limits.groups:
        rows = group_rows(answers, column, groups[column], limits.group_rows)
        found += [g for g in gaps(answers, rows, groups[column], limits) if not within(g)]
    return [
        f"{g.column}: {g.measure} {'unknown' if g.value is None else f'{g.value:.3f}'}, "
        f"limit {g.limit:g}"
        for g in found
    ]


def _yes(answers: Answers) -> tuple[Flags, Flags]:
    number = answers.signature.classes[answers.signature.positive]
    return answers.truth == number, answers.labels == number


def _by_group(yes: Flags, said: Flags, groups: Column) -> dict[str, dict[str, float]]:
    """Rates by Fairlearn; of rows that a group has not it says 0, which `_rate` leaves out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a group without positive rows is expected
        frame = MetricFrame(
            metrics={"count": count, **_RATES},
            y_true=yes.astype(int),
            y_pred=said.astype(int),
            sensitive_features=groups,
        )
    table: dict[str, dict[str, float]] = frame.by_group.to_dict(orient="index")
    return table


def _rate(value: float, rows: int) -> Rate:
    low, high = wilson(value * rows if rows else 0.0, rows)
    return Rate(value=float(value) if rows else None, rows=rows, low=low, high=high)


def _of(row: GroupRow, rate: str) -> Rate:
    found: Rate = getattr(row, rate)
    return found


def _apart(measure: str, smallest: Floats, largest: Floats) -> Floats:
    if measure == RATIO:
        return np.divide(smallest, largest, out=np.ones(len(largest)), where=largest > 0)
    return largest - smallest


def _drawn(answers: Answers, names: list[str], groups: Column, seed: int) -> dict[str, Floats]:
    """Rates of the named groups in each resample, shape (resamples, groups)."""
    yes, said = _yes(answers)
    member = np.column_stack([groups == name for name in names]).astype(np.float64)
    parts = {
        "selection": np.ones(len(yes)),
        "true_positive": yes.astype(np.float64),
        "false_positive": (~yes).astype(np.float64),
    }
    blocks: dict[str, list[Floats]] = {name: [] for name in parts}
    for weights in draws(len(answers), seed):
        for name, part in parts.items():
            whole = weights @ (member * part[:, None])
            hit = weights @ (member * (part * said)[:, None])
            rate = np.full(whole.shape, np.nan)
            np.divide(hit, whole, out=rate, where=whole > 0)
            blocks[name].append(rate)
    return {name: np.concatenate(found) for name, found in blocks.items()}
