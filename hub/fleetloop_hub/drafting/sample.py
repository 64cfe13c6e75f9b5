"""Reads the first rows of a file as text, to look at what its columns hold."""

import csv
import gzip
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from fleetloop_hub.data.utf8 import see_header, see_rows
from fleetloop_hub.errors import DataError
from fleetloop_hub.spec.reading import in_words

MAX_ROWS = 100_000
MAX_CELLS = 4_000_000

Form = Literal["csv", "parquet", "jsonl"]

_DELIMITERS = ",;\t|"
_HEADER_BYTES = 4_000_000
_BLOCK_BYTES = 1_048_576
_LINE_BYTES = 16_777_216
LONGEST_NAME = 200


@dataclass(frozen=True)
class Sample:
    """The first rows of a file.

    Attributes:
        form: What kind of file it is.
        names: Its columns, in their order, also those that are not in `columns`.
        columns: The values of each as text, null where missing; a column that stands twice, has no
            name or holds lists or tables is not there.
        rows: How many rows were read.
        whole: Whether that was all.
        delimiter: Of a CSV file.
    """

    form: Form
    names: list[str]
    columns: dict[str, Any]
    rows: int
    whole: bool
    delimiter: str = ","


def read(path: Path, delimiter: str | None = None) -> Sample:
    """The first rows, up to `MAX_ROWS`, and fewer of a file with many columns.

    Args:
        path: CSV, plain or gzip; Parquet; or JSON lines, plain or gzip; known by its name.
        delimiter: Of a CSV file; by default the likeliest one in its header.

    Raises:
        DataError: The file cannot be read, is empty, or has no rows.
    """
    try:
        sample = _read(path, delimiter)
    except (OSError, EOFError, pa.ArrowException, csv.Error, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from error
    if not sample.rows:
        raise DataError(f"{path} has no rows: a header alone says nothing about its columns")
    return sample


def _read(path: Path, delimiter: str | None) -> Sample:
    match form_of(path):
        case "parquet":
            return _parquet(path)
        case "jsonl":
            return _jsonl(path)
        case "csv":
            return _csv(path, delimiter)


def names(path: Path, delimiter: str) -> list[str]:
    """What the columns of a file are called.

    Raises:
        DataError: It cannot be read.
    """
    try:
        match form_of(path):
            case "parquet":
                return list(pq.read_schema(path).names)
            case "jsonl":
                return read(path).names
            case "csv":
                return _header(path, delimiter)[0]
    except (OSError, EOFError, pa.ArrowException, csv.Error) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> DataError:
    if isinstance(error, OSError) and error.strerror:
        return DataError(f"{in_words(path, error)}; nothing was read of it")
    said = "".join(c if c.isprintable() else "?" for c in str(error))
    return DataError(f"{path}: {said}; nothing was read of it")


def likelier_delimiter(path: Path, delimiter: str) -> str | None:
    """What parts the fields of a CSV file whose header is one column by `delimiter`, if anything.

    Raises:
        DataError: It cannot be read.
    """
    if form_of(path) != "csv" or len(names(path, delimiter)) > 1:
        return None
    header, _, found = _header(path, None)
    return found if len(header) > 1 else None


def form_of(path: Path) -> Form:
    """What kind of file it is, by its name; one that says nothing is taken for CSV."""
    name = path.name.lower()
    if name.endswith((".parquet", ".pq")):
        return "parquet"
    return "jsonl" if name.removesuffix(".gz").endswith((".jsonl", ".ndjson", ".json")) else "csv"


def _csv(path: Path, delimiter: str | None) -> Sample:
    header, line, delimiter = _header(path, delimiter)
    placeholders = [f"c{index}" for index in range(len(header))]
    kept = _usable(header)
    with _bytes(path) as file:
        see_rows(str(path), file, header, delimiter)
    options = pa_csv.ConvertOptions(
        column_types=dict.fromkeys(placeholders, pa.string()),
        include_columns=[placeholders[index] for index in kept],
        null_values=[""],
        strings_can_be_null=True,
    )
    with _bytes(path) as file:
        reader = pa_csv.open_csv(
            file,
            pa_csv.ReadOptions(
                column_names=placeholders,
                skip_rows=line,
                block_size=_BLOCK_BYTES,
                use_threads=False,
            ),
            pa_csv.ParseOptions(
                delimiter=delimiter,
                newlines_in_values=True,
                invalid_row_handler=lambda row: "skip",
            ),
            options,
        )
        table, whole = _first(reader, reader.schema, len(header))
    columns = [table.column(place) for place in range(len(kept))]
    named = dict(zip([header[index] for index in kept], columns, strict=True))
    return Sample("csv", header, named, table.num_rows, whole, delimiter)


def _header(path: Path, delimiter: str | None) -> tuple[list[str], int, str]:
    """Names, lines they take, and what parts them."""
    with _bytes(path) as file:
        begin = file.read(_HEADER_BYTES)
    see_header(str(path), begin)
    text = io.TextIOWrapper(io.BytesIO(begin), "utf-8-sig", "ignore", "")
    first = text.readline()
    text.seek(0)
    if delimiter is None:
        delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(text, delimiter=delimiter)
    header = [name.strip() for name in next(reader, [])]
    if not any(header):
        raise DataError(f"{path} begins with an empty line or is empty; a header is needed")
    return header, reader.line_num, delimiter


def _parquet(path: Path) -> Sample:
    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
        kept = _usable(schema.names)
        names = [schema.names[k] for k in kept if not pa.types.is_nested(schema.field(k).type)]
        size = min(4_096, _rows_for(len(schema.names)))
        batches = file.iter_batches(batch_size=size, columns=names)
        table, whole = _first(batches, pa.schema([schema.field(n) for n in names]), len(schema))
        columns = {name: _as_text(table.column(name)) for name in names}
        return Sample("parquet", schema.names, columns, table.num_rows, whole)


def _jsonl(path: Path) -> Sample:
    rows: list[dict[str, Any]] = []
    names: dict[str, None] = {}
    with _bytes(path) as file:
        lines = iter(lambda: file.readline(_LINE_BYTES), b"")
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            rows.append(_object(line, f"{path} line {number}"))
            names.update(dict.fromkeys(rows[-1]))
            if len(rows) >= _rows_for(len(names)):
                break
        whole = not file.readline(_LINE_BYTES)
    columns = {}
    for name in (list(names)[k] for k in _usable(list(names))):
        values = [row.get(name) for row in rows]
        if not any(isinstance(value, list | dict) for value in values):
            columns[name] = pa.chunked_array([pa.array([_text(v) for v in values], pa.string())])
    return Sample("jsonl", list(names), columns, len(rows), whole)


def _object(line: bytes, where: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(line, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError) as error:
        raise DataError(f"{where}: not a JSON object ({error})") from error


def _bytes(path: Path) -> io.BufferedIOBase:
    if path.name.lower().endswith(".gz"):
        return gzip.open(path)
    return path.open("rb")


def _first(batches: Iterator[Any], schema: Any, width: int) -> tuple[Any, bool]:  # noqa: ANN401  # pyarrow's own
    """The first rows as a table, and whether there were no more."""
    wanted, taken = _rows_for(width), []
    rows = 0
    for batch in batches:
        taken.append(batch)
        rows += batch.num_rows
        if rows > wanted:
            break
    return pa.Table.from_batches(taken, schema).slice(0, wanted), rows <= wanted


def _rows_for(width: int) -> int:
    return max(200, min(MAX_ROWS, MAX_CELLS // max(width, 1)))


def _usable(names: list[str]) -> list[int]:
    """The places of columns that a spec can name."""
    often = Counter(names)
    return [k for k, n in enumerate(names) if 0 < len(n) <= LONGEST_NAME and often[n] == 1]


def _as_text(column: Any) -> Any:  # noqa: ANN401  # pyarrow's own
    if pa.types.is_dictionary(column.type):
        column = pc.cast(column, column.type.value_type)
    return pc.cast(column, pa.string())


def _text(value: object) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)
