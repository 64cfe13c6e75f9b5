"""What a rollout's judgement rests on, as a table: a line a measure and hardware type."""

from rich.table import Table
from rich.text import Text

from fleetloop_hub.judgement_records import Comparison, Finding
from fleetloop_hub.tables.forms import table

_MIB = 1_048_576
_US_PER_MS = 1_000
_STYLES = {Finding.HEALTHY: "green", Finding.HARMFUL: "red", Finding.UNDECIDED: "yellow"}


def comparisons_table(comparisons: list[Comparison]) -> Table:
    """All measures for all types together, then those of single types."""
    shown = table(
        "measure",
        "hardware",
        "new",
        "control",
        "worse by",
        "interval",
        "limit",
        "finding",
        wraps="measure",
    )
    for one in comparisons:
        shown.add_row(
            one.measure,
            Text(one.hardware or "all"),
            _figure(one, one.treated),
            _figure(one, one.control),
            _amount(one, one.difference),
            _interval(one),
            _amount(one, one.limit) or "only shown",
            Text(str(one.finding), _STYLES[one.finding]),
        )
    return shown


def _figure(comparison: Comparison, value: float | None) -> str:
    """A side's figure in the unit that a person knows; records have shares and doublings."""
    if value is None:
        return "nothing yet"
    if comparison.unit == "points":
        return f"{value * 100:.2f} %"
    if comparison.measure == "latency":
        return f"{2**value / _US_PER_MS:.3g} ms"
    if comparison.measure == "memory":
        return f"{2**value / _MIB:.1f} MiB"
    if comparison.unit == "x":
        return f"{2**value:.2f}"
    return f"{value:.2g} {comparison.unit}"


def _amount(comparison: Comparison, value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.2f} times" if comparison.unit == "x" else f"{value:+.2f} {comparison.unit}"


def _interval(comparison: Comparison) -> str:
    if comparison.difference is None:
        return ""
    low, high = (_end(end) for end in (comparison.low, comparison.high))
    return f"{low} to {high}"


def _end(value: float | None) -> str:
    return "no end" if value is None else f"{value:.2f}"
