"""Reads files of labels that people have: CSV, Parquet or JSON lines, row by row."""

import csv
import json
import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from fleetloop_hub.data.told_labels import ToldLabel
from fleetloop_hub.errors import DataError

NEEDED = "columns prediction_id, label and, if known, at (Unix seconds, or ISO 8601)"

_LONGEST_LINE = 10_000
_SHOWN = 10
_SHOWN_CHARACTERS = 200

Row = tuple[int, dict[str, Any]]
"""The line of a row, or its number in a Parquet file, from 1; and its values."""


def read(file: Path, now: float) -> Iterator[tuple[int, ToldLabel]]:
    """The labels in a file, each with its line.

    The whole file is looked through before the first label is given out, so that one with a mistake
    tells nothing.

    Args:
        file: `.csv`, `.parquet` or `.jsonl`.
        now: What `at` is where a row has none, Unix seconds.

    Raises:
        DataError: It cannot be read, or rows are no labels; their lines are named.
    """
    wrong: list[str] = []
    for line, row in _rows(file):
        try:
            _label(row, now)
        except (ValueError, msgspec.ValidationError) as error:
            wrong.append(f"line {line}: {error}")
            if len(wrong) > _SHOWN:
                break
    if wrong:
        more = "; and more" if len(wrong) > _SHOWN else ""
        said = "; ".join(wrong[:_SHOWN])
        raise DataError(f"{file.name} {said}{more}; {NEEDED} are needed; nothing was told")
    for line, row in _rows(file):
        yield line, _label(row, now)


def _rows(file: Path) -> Iterator[Row]:
    kinds = {".csv": _csv, ".parquet": _parquet, ".jsonl": _jsonl}
    reader = kinds.get(file.suffix.lower())
    if reader is None:
        raise DataError(f"{file.name}: give a .csv, .parquet or .jsonl file; nothing was told")
    try:
        yield from reader(file)
    except FileNotFoundError as error:
        raise DataError(f"{file} is not there; nothing was told") from error
    except (OSError, UnicodeDecodeError, csv.Error, pa.ArrowException) as error:
        raise DataError(f"{file}: {error}; nothing was told") from error


def _lines(file: Path) -> Iterator[str]:
    """The lines of a text file.

    Raises:
        DataError: One of them is longer than any row of labels.
    """
    with file.open(encoding="utf-8-sig", newline="") as text:
        number = 0
        while line := text.readline(_LONGEST_LINE + 1):
            number += 1
            if len(line) > _LONGEST_LINE:
                raise DataError(
                    f"{file.name} line {number} is longer than {_LONGEST_LINE:,} characters: is it "
                    f"a file of labels? {NEEDED} are needed; nothing was told"
                )
            yield line


def _csv(file: Path) -> Iterator[Row]:
    reader = csv.DictReader(_lines(file))
    _check_columns(file, reader.fieldnames or [])
    for row in reader:
        yield reader.line_num, {k: v for k, v in row.items() if k is not None}


def _jsonl(file: Path) -> Iterator[Row]:
    for number, line in enumerate(_lines(file), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise DataError(f"{file.name} line {number}: {error}; nothing was told") from error
        yield number, row if isinstance(row, dict) else {}


def _parquet(file: Path) -> Iterator[Row]:
    with pq.ParquetFile(file) as table:
        _check_columns(file, table.schema_arrow.names)
        names = [n for n in table.schema_arrow.names if n in ToldLabel.__struct_fields__]
        rows = (
            row for batch in table.iter_batches(10_000, columns=names) for row in batch.to_pylist()
        )
        yield from enumerate(rows, 1)


def _check_columns(file: Path, names: Sequence[str]) -> None:
    lacking = [name for name in ("prediction_id", "label") if name not in names]
    if lacking:
        has = ", ".join(names)[:_SHOWN_CHARACTERS] or "none"
        raise DataError(
            f"{file.name} has no column {' and no '.join(lacking)}, but {has}; {NEEDED} are "
            "needed; nothing was told"
        )


def _label(row: dict[str, Any], now: float) -> ToldLabel:
    told: dict[str, Any] = {name: row.get(name) for name in ("prediction_id", "label", "device")}
    told = {k: v.strip() if isinstance(v, str) else v for k, v in told.items() if v is not None}
    if isinstance(told.get("label"), bool):
        told["label"] = int(told["label"])
    return msgspec.convert({**told, "at": _time(row.get("at"), now)}, ToldLabel, strict=False)


def _time(given: object, now: float) -> float:
    if given is None or given == "":
        return now
    if isinstance(given, datetime):
        return (given if given.tzinfo else given.replace(tzinfo=UTC)).timestamp()
    text = str(given).strip()
    try:
        at = float(text)
    except ValueError:
        at = _time(datetime.fromisoformat(text), now)
    if not math.isfinite(at):
        raise ValueError(f"at = {text[:40]!r} is no time")
    return at


def in_pieces(
    told: Iterator[tuple[int, ToldLabel]], size: int
) -> Iterator[list[tuple[int, ToldLabel]]]:
    """So many labels at a time."""
    while piece := list(islice(told, size)):
        yield piece
