"""Rows that were measured once, in a CSV, to be replayed as if they were measured now."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fleetloop_agent.ports import Rows
from fleetloop_firmware_sim.errors import RecordingError


@dataclass(frozen=True)
class Recording:
    """Measured rows.

    Attributes:
        columns: The columns' names, without the label's.
        rows: Their values; NaN where a cell was empty.
        labels: The truth about each row; None where it never became known.
    """

    columns: list[str]
    rows: Rows
    labels: list[int | None]

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
        return Recording(columns, np.ascontiguousarray(self.rows[:, order]), self.labels)

    def part(self, start: int, stop: int | None) -> "Recording":
        """The rows from `start` up to `stop`, which is not among them; None: up to the end."""
        return Recording(self.columns, self.rows[start:stop], self.labels[start:stop])


def read(path: Path, label: str) -> Recording:
    """Read a CSV with a line of names.

    Args:
        path: The file.
        label: The column that holds the truth, whole numbers.

    Raises:
        RecordingError: No such file, no such column, or text where a number should be.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            names, *lines = list(csv.reader(file)) or [[]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RecordingError(f"{path} cannot be read: {error}") from error
    if label not in names:
        raise RecordingError(f"{path} has no column {label!r}; it has {', '.join(names)}")
    at = names.index(label)
    values = np.array(
        [_numbers(path, number, names, line) for number, line in enumerate(lines, start=2)],
        dtype=np.float32,
    ).reshape(-1, len(names))
    return Recording(
        columns=[name for name in names if name != label],
        rows=np.delete(values, at, axis=1),
        labels=[None if np.isnan(value) else int(value) for value in values[:, at]],
    )


def _numbers(path: Path, number: int, names: list[str], line: list[str]) -> list[float]:
    if len(line) != len(names):
        raise RecordingError(f"{path} line {number}: {len(line)} cells, not {len(names)}")
    try:
        return [float(cell) if cell.strip() else float("nan") for cell in line]
    except ValueError:
        column, cell = next(p for p in zip(names, line, strict=True) if not _is_number(p[1]))
        raise RecordingError(
            f"{path} line {number}, column {column!r}: {cell[:40]!r} is not a number"
        ) from None


def _is_number(cell: str) -> bool:
    try:
        float(cell.strip() or "nan")
    except ValueError:
        return False
    return True
