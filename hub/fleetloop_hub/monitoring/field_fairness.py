"""How groups of people are answered in the field: the measures and limits of the gate, on counts.

Devices count answers by group and send sums, never rows. A share has its Wilson interval; the
difference of two shares the interval that Newcombe makes of theirs (method 10 of R. G. Newcombe,
Interval estimation for the difference between independent proportions, Statistics in Medicine 17,
1998); their ratio runs from the lowest share by the highest to the reverse, which is wider than
95 %. A limit is broken once the whole interval lies beyond it.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from math import hypot

import msgspec

from fleetloop_hub.records import Version
from fleetloop_hub.validation.shares import RATIO, wilson, within
from fleetloop_hub.version_parts import GroupGap, GroupRow, Rate
from fleetloop_shared.groups import GroupCounts, GroupLimits

_MEASURES = {
    "selection_gap": ("selection gap", "selection"),
    "selection_ratio": (RATIO, "selection"),
    "true_positive_gap": ("true positive gap", "true_positive"),
    "false_positive_gap": ("false positive gap", "false_positive"),
}
_TWO = 2


class FieldVerdict(StrEnum):
    """What a measure of the field says about its limit."""

    WITHIN = "within"
    BEYOND = "beyond"
    BROKEN = "broken"
    UNKNOWN = "unknown"
    NO_LIMIT = "no-limit"


class FieldGap(msgspec.Struct, frozen=True, kw_only=True):
    """One measure of one column.

    Attributes:
        gap: The value with its interval, the groups furthest apart, and the limit.
        verdict: Broken if all of the interval is beyond the limit; beyond if the value is.
    """

    gap: GroupGap
    verdict: FieldVerdict


class FieldFairness(msgspec.Struct, frozen=True, kw_only=True):
    """How a version answers groups of people in the field.

    Attributes:
        model: The model.
        version: Its version.
        devices: Devices that have told counts.
        alarm: Whether a limit is broken.
        groups: Every group, by column; "" is the group whose value is missing.
        gaps: How far the groups of each column are apart.
        note: What is not known, in words; "" if all is.
    """

    model: str
    version: int
    devices: int
    alarm: bool
    groups: list[GroupRow]
    gaps: list[FieldGap]
    note: str = ""


def judge(
    version: Version, limits: GroupLimits, counts: list[GroupCounts], devices: int
) -> FieldFairness:
    """A verdict on sums.

    Args:
        version: The version they are of.
        limits: What is allowed, and which groups there are.
        counts: The sums by group; of groups that the limits do not name nothing is said.
        devices: How many devices they are of.
    """
    rows, gaps = [], []
    for column in limits.columns:
        of_column = [c for c in counts if c.column == column.column]
        found = sorted((_row(c, limits) for c in of_column), key=lambda r: (-r.rows, r.group))
        rows += found
        gaps += list(_gaps(column.column, found, limits))
    return FieldFairness(
        model=version.model,
        version=version.number,
        devices=devices,
        alarm=any(g.verdict is FieldVerdict.BROKEN for g in gaps),
        groups=rows,
        gaps=gaps,
        note="" if counts else "no device has told counts of this version yet",
    )


def _row(counts: GroupCounts, limits: GroupLimits) -> GroupRow:
    return GroupRow(
        column=counts.column,
        group=counts.group,
        rows=counts.rows,
        judged=counts.rows >= limits.group_rows,
        selection=_rate(counts.yes, counts.rows),
        true_positive=_rate(counts.positive_yes, counts.positive),
        false_positive=_rate(counts.negative_yes, counts.negative),
    )


def _rate(part: int, rows: int) -> Rate:
    low, high = wilson(part, rows)
    return Rate(value=part / rows if rows else None, rows=rows, low=low, high=high)


def _gaps(column: str, rows: list[GroupRow], limits: GroupLimits) -> Iterator[FieldGap]:
    for key, (measure, rate) in _MEASURES.items():
        limit = getattr(limits, key)
        known = [(row.group, getattr(row, rate)) for row in rows]
        judged = [(g, r) for g, r in known if r.rows >= limits.group_rows and r.value is not None]
        gap = _gap(column, measure, judged, limit)
        yield FieldGap(gap=gap, verdict=_verdict(gap))


def _gap(
    column: str, measure: str, judged: Iterable[tuple[str, Rate]], limit: float | None
) -> GroupGap:
    ordered = sorted(judged, key=lambda pair: (pair[1].value or 0.0, pair[0]))
    value = low = high = None
    lowest = highest = ""
    if len(ordered) >= _TWO:
        (lowest, small), (highest, large) = ordered[0], ordered[-1]
        value, low, high = (ratio if measure == RATIO else difference)(small, large)
    return GroupGap(
        column=column,
        measure=measure,
        value=value,
        low=low,
        high=high,
        lowest=lowest,
        highest=highest,
        limit=limit,
    )


def difference(small: Rate, large: Rate) -> tuple[float, float, float]:
    """How much larger one share is than another, with its 95 % interval.

    >>> a = Rate(value=48 / 80, rows=80, low=wilson(48, 80)[0], high=wilson(48, 80)[1])
    >>> b = Rate(value=56 / 70, rows=70, low=wilson(56, 70)[0], high=wilson(56, 70)[1])
    >>> [round(x, 4) for x in difference(a, b)]
    [0.2, 0.0524, 0.3339]
    """
    p, q = large.value or 0.0, small.value or 0.0
    low = p - q - hypot(p - large.low, small.high - q)
    return p - q, low, p - q + hypot(large.high - p, q - small.low)


def ratio(small: Rate, large: Rate) -> tuple[float, float, float]:
    """The smaller share by the larger, with an interval that is no narrower than 95 %."""
    p, q = large.value or 0.0, small.value or 0.0
    value = q / p if p > 0 else 1.0
    low = small.low / large.high if large.high > 0 else 0.0
    return value, min(low, value), max(value, small.high / large.low if large.low > 0 else 1.0)


def _verdict(gap: GroupGap) -> FieldVerdict:
    if gap.limit is None:
        return FieldVerdict.NO_LIMIT
    if gap.value is None or gap.low is None or gap.high is None:
        return FieldVerdict.UNKNOWN
    if within(gap):
        return FieldVerdict.WITHIN
    proven = gap.high < gap.limit if gap.measure == RATIO else gap.low > gap.limit
    return FieldVerdict.BROKEN if proven else FieldVerdict.BEYOND
