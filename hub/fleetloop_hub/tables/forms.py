"""How every table of the command line looks."""

from rich.table import Table

from fleetloop_hub.web.words import number


def table(*headings: str, wraps: str) -> Table:
    """An empty table without lines.

    Args:
        headings: Of its columns.
        wraps: The heading of the column that may take several lines; the others never do.
    """
    made = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    for heading in headings:
        made.add_column(heading, overflow="fold", no_wrap=heading != wraps)
    return made


def interval(low: float | None, high: float | None) -> str:
    """The ends of an interval in brackets, "" where there is none."""
    return "" if low is None or high is None else f" ({number(low)} to {number(high)})"
