"""Rows that were measured once, in a CSV, to be replayed as if they were measured now."""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fleetloop_agent.ports import Rows
from fleetloop_firmware_sim.errors import RecordingError

Truth = int | float | str
"""A class as its number or its name, or the number of a regression."""


@dataclass(frozen=True)
class Recording:
    """Measured rows.

    Attributes:
        columns: The columns' names, without the label's.
        rows: Their values; NaN where a cell was empty, or held a text.
        labels: The truth about each row; None where it never became known.
        texts: The columns in which there are texts, by name: the text of each row, None where there
            is none.
    """

    columns: list[str]
    rows: Rows
    labels: Sequence[Truth | None]
    texts: dict[str, list[str | None]] = field(default_factory=dict)

    def select(self, columns: list[str]) -> "Recording":
        """The same rows with these columns only, in this order.

        Raises:
            RecordingError: A column is not there.
        """
        missing = [name for name in columns if name not in self.columns]
        if missing:
            raise RecordingError(
                f"the recording has no column {missing[0]!r}, which the model needs;"
                f" it has {', '.join(self.columns)}"
            )
        order = [self.columns.index(name) for name in columns]
        return Recording(
            columns,
            np.ascontiguousarray(self.rows[:, order]),
            self.labels,
            {name: self.texts[name] for name in columns if name in self.texts},
        )

    def part(self, start: int, stop: int | None) -> "Recording":
        """The rows from `start` up to `stop`, which is not among them; None: up to the end."""
        texts = {name: column[start:stop] for name, column in self.texts.items()}
        return Recording(self.columns, self.rows[start:stop], self.labels[start:stop], texts)

    def named(self) -> list[dict[str, float | str | None]]:
        """The rows as a program gives them: by name, None where nothing was measured."""
        named: list[dict[str, float | str | None]] = []
        for number, row in enumerate(self.rows.tolist()):
            given = dict(zip(self.columns, map(_measured, row), strict=True))
            texts = {name: column[number] for name, column in self.texts.items()}
            named.append(given | {name: text for name, text in texts.items() if text is not None})
        return named


def read(path: Path, label: str) -> Recording:
    """Read a CSV with a line of names.

    Args:
        path: The file.
        label: The column that holds the truth.

    Raises:
        RecordingError: No such file, no such column, or a line of another length.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            names, *lines = list(csv.reader(file)) or [[]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RecordingError(f"{path} cannot be read: {error}") from error
    if label not in names:
        raise RecordingError(f"{path} has no column {label!r}; it has {', '.join(names)}")
    for number, line in enumerate(lines, start=2):
        if len(line) != len(names):
            raise RecordingError(f"{path} line {number}: {len(line)} cells, not {len(names)}")
    cells = {name: [_cell(line[at]) for line in lines] for at, name in enumerate(names)}
    truths = cells.pop(label)
    rows = np.full((len(lines), len(cells)), np.nan, np.float32)
    for at, column in enumerate(cells.values()):
        rows[:, at] = [math.nan if x is None or isinstance(x, str) else x for x in column]
    return Recording(
        columns=list(cells),
        rows=rows,
        labels=[_truth(x) for x in truths],
        texts={
            name: [x if isinstance(x, str) else None for x in column]
            for name, column in cells.items()
            if any(isinstance(x, str) for x in column)
        },
    )


def _cell(cell: str) -> float | str | None:
    text = cell.strip()
    try:
        number = float(text or "nan")
    except ValueError:
        return text
    return None if math.isnan(number) else number


def _truth(cell: float | str | None) -> Truth | None:
    return int(cell) if isinstance(cell, float) and cell.is_integer() else cell


def _measured(value: float) -> float | str | None:
    return None if math.isnan(value) else value
