"""How every table of the command line looks."""

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fleetloop_hub.web.words import number

_ROOMY = 120
"""Characters in a line from which notes stand beside their rows."""

_TELLING = 20
"""Characters of a note below which it says nothing."""

_GAP = 2
_ENDLESS = 1_000


def table(*headings: str, wraps: str) -> Table:
    """An empty table without lines.

    Args:
        headings: Of its columns.
        wraps: The heading of the column that may take several lines; the others never do.
    """
    made = Table(box=None, header_style="dim", pad_edge=False, padding=(0, _GAP, 0, 0))
    for heading in headings:
        made.add_column(heading, overflow="fold", no_wrap=heading != wraps)
    return made


def interval(low: float | None, high: float | None) -> str:
    """The ends of an interval in brackets, "" where there is none."""
    return "" if low is None or high is None else f" ({number(low)} to {number(high)})"


class Noted:
    """A table whose rows have a long note each: beside the row where there is room, else below all.

    The first column wraps where even the rows are too wide.
    """

    def __init__(self, *headings: str, note: str) -> None:
        """Without rows yet.

        Args:
            headings: Of the short columns.
            note: Heading of the notes.
        """
        self._headings, self._note = headings, note
        self._rows: list[tuple[tuple[str | Text, ...], str]] = []

    def add_row(self, *cells: str | Text, note: str) -> None:
        """A row, and what there is to say about it."""
        self._rows.append((cells, note))

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it in the width that there is."""
        if options.max_width >= _ROOMY:
            beside = table(*self._headings, self._note, wraps=self._note)
            for cells, note in self._rows:
                beside.add_row(*cells, Text(note))
            yield beside
            return
        above = table(*self._headings, wraps=self._headings[0])
        for cells, _note in self._rows:
            above.add_row(*cells)
        yield above
        for cells, note in self._rows:
            if note:
                yield Padding(Text(f"{Text(str(cells[0])).plain}: {note}", "dim"), (0, 0, 0, 2))


class Lines:
    """A table with a line a row, whatever the width: what is left of it is for the row's note."""

    def __init__(self, *headings: str, note: str) -> None:
        """Without rows yet.

        Args:
            headings: Of the short columns.
            note: Heading of the notes.
        """
        self._headings, self._note = headings, note
        self._rows: list[tuple[tuple[str | Text, ...], str]] = []

    def add_row(self, *cells: str | Text, note: str) -> None:
        """A row, and what there is to say about it."""
        self._rows.append((cells, " ".join(note.split())))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it in the width that there is; a note that is too long is cut, with an ellipsis."""
        short, noted = (table(*self._headings, *more, wraps="") for more in ((), (self._note,)))
        for cells, _note in self._rows:
            short.add_row(*cells)
        width = Measurement.get(console, options.update(width=_ENDLESS), short).maximum
        room = options.max_width - width - _GAP
        for cells, note in self._rows:
            cut = Text(note)
            cut.truncate(room, overflow="ellipsis")
            noted.add_row(*cells, cut)
        shown = noted if room >= _TELLING else short
        for column in shown.columns:
            column.overflow = "ellipsis"
        yield shown
