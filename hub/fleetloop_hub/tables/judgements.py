"""What a rollout's judgement rests on, as a table: a line a measure and hardware type."""

from rich.table import Table
from rich.text import Text

from fleetloop_hub.judgement_records import Comparison, Finding
from fleetloop_hub.judging.figures import amount, figure, interval
from fleetloop_hub.tables.forms import table

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
            figure(one, one.treated),
            figure(one, one.control),
            amount(one, one.difference),
            interval(one),
            amount(one, one.limit) or "only shown",
            Text(str(one.finding), _STYLES[one.finding]),
        )
    return shown
