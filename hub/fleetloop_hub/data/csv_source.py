"""Reads rows from a CSV file: what cannot be read stops it, what cannot be true is quarantined."""

import csv
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from fleetloop_hub.data.row import Row, checked
from fleetloop_hub.errors import DataError
from fleetloop_hub.spec.model_spec import ModelSpec

_LARGEST_LABEL = 1_000_000


def read(path: Path, spec: ModelSpec) -> Iterator[Row]:
    """The file's rows in the file's order, the faulty ones with their fault.

    An empty field is a missing value. Times are numbers or ISO 8601 dates, UTC if they do not say
    otherwise.

    Raises:
        DataError: No such file, no header, a column that is missing or stands twice, a line of
            another length, or text in a number; with the line.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            source = _Source(path.name, next(reader, []), spec)
            for fields in reader:
                if fields:
                    yield source.row(fields, reader.line_num)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: {error}; a CSV file in UTF-8 with a header is needed") from error


class _Source:
    """Where the spec's columns stand in one file."""

    def __init__(self, file: str, header: list[str], spec: ModelSpec) -> None:
        self._file, self._width, self._spec = file, len(header), spec
        names = [name.strip() for name in header]
        wanted = [spec.rows.time or "", spec.label.column or "", *spec.feature_names]
        for name in wanted:
            if names.count(name) != 1:
                how = "is missing" if name not in names else "stands twice"
                raise DataError(
                    f"{file}: column {name!r} {how}; the header has {', '.join(names) or 'nothing'}"
                )
        self._time, self._label, *self._features = (names.index(name) for name in wanted)

    def row(self, fields: list[str], line: int) -> Row:
        if len(fields) != self._width:
            raise DataError(
                f"{self._file} line {line}: {len(fields)} fields where the header has {self._width}"
            )
        label, fault = self._truth(fields[self._label])
        row = Row(
            at=self._when(fields[self._time], line),
            label=label,
            values=tuple(
                self._number(fields[at], feature.name, line)
                for at, feature in zip(self._features, self._spec.features, strict=True)
            ),
            device="",
            origin=str(line),
            fault=fault,
        )
        return checked(row, self._spec)

    def _truth(self, text: str) -> tuple[int | None, str]:
        """The label; one that cannot be is a fault of its row, not of the file."""
        if not text.strip():
            return None, ""
        value = _parsed(text)
        if value is None or not value.is_integer() or abs(value) > _LARGEST_LABEL:
            return None, f"{self._spec.label.column} not a whole number"
        return int(value), ""

    def _when(self, text: str, line: int) -> float:
        value = _parsed(text)
        if value is not None:
            return value
        try:
            when = datetime.fromisoformat(text.strip())
        except ValueError:
            return self._number(text, self._spec.rows.time or "", line)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()

    def _number(self, text: str, column: str, line: int) -> float:
        value = _parsed(text)
        if value is None:
            raise DataError(
                f"{self._file} line {line}, column {column!r}: {text[:40]!r} is not a number; "
                "leave the field empty if the value is missing"
            )
        return value


def _parsed(text: str) -> float | None:
    """The number in the text, NaN for none, None if it is something else."""
    text = text.strip()
    if not text:
        return math.nan
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None
