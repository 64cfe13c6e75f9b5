"""What the spec's sources hold that has not been read: each file, folder and query opened."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fleetloop_hub.data import csv_source, jsonl_source, parquet_source
from fleetloop_hub.data.chunk import Chunk
from fleetloop_hub.data.files import Standing, standing
from fleetloop_hub.data.wanted import Wanted
from fleetloop_hub.dataset_parts import SourceMark
from fleetloop_hub.errors import DataError
from fleetloop_hub.spec.data_tables import SourceTable

Marks = dict[str, SourceMark]

_WORDS_CHARS = 60

_FORMS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".log": "jsonl",
}


@dataclass(frozen=True)
class Opening:
    """One file or query.

    Attributes:
        words: What reports call it.
        standing: How it stands to what was read of it.
        read: Begins to read what is new.
    """

    words: str
    standing: Standing
    read: Callable[[], Iterator[Chunk]]


def openings(source: SourceTable, folder: Path, wanted: Wanted, marks: Marks) -> list[Opening]:
    """What there is of one source.

    Args:
        source: The source.
        folder: What its paths are relative to.
        wanted: The columns to read.
        marks: What has been read before, by its words.

    Raises:
        DataError: It is not there.
    """
    if source.query is not None and source.database is not None:
        return [_query(source.query, source.database, folder, wanted, marks)]
    if source.folder is not None:
        return _files(source, folder, wanted, marks)
    for form in ("csv", "parquet", "jsonl"):
        name = getattr(source, form)
        if name is not None:
            return [_file(form, folder / name, name, source.delimiter, wanted, marks)]
    return []


def words_of(query: str) -> str:
    """What reports call a query: its beginning, and a hash that tells it from others."""
    line = " ".join(query.split())
    return f"query {line[:_WORDS_CHARS]} ({hashlib.sha256(query.encode()).hexdigest()[:6]})"


def named(source: SourceTable, words: str) -> bool:
    """Whether a source that was read before is this one, or a file of this one."""
    if source.folder is not None:
        return words.startswith(f"{source.folder}/")
    if source.query is not None:
        return words == words_of(source.query)
    return words in {source.csv, source.parquet, source.jsonl}


def _files(source: SourceTable, folder: Path, wanted: Wanted, marks: Marks) -> list[Opening]:
    """Every file of a folder; one that is gone stays read."""
    place = folder / (source.folder or "")
    if not place.is_dir():
        raise DataError(f"there is no folder {source.folder!r} beside the spec; correct its name")
    found = []
    for path in sorted(place.glob(source.pattern)):
        if path.name.startswith(".") or not path.is_file():
            continue
        inner = path.with_suffix("") if path.suffix == ".gz" else path
        form = _FORMS.get(inner.suffix.lower())
        words = f"{source.folder}/{path.relative_to(place)}"
        if form is None:
            raise DataError(
                f"{words}: the ending {inner.suffix!r} says nothing about the form; name it "
                f'{", ".join(_FORMS)} or leave it out with pattern = "…" under [[sources]]'
            )
        delimiter = "\t" if inner.suffix.lower() == ".tsv" else source.delimiter
        found.append(_file(form, path, words, delimiter, wanted, marks))
    if not found and not any(words.startswith(f"{source.folder}/") for words in marks):
        raise DataError(
            f"folder {source.folder!r} holds no file of the pattern {source.pattern!r} yet"
        )
    return found


def _file(  # noqa: PLR0913, PLR0917  # a file, its form and what was read of it
    form: str, path: Path, words: str, delimiter: str, wanted: Wanted, marks: Marks
) -> Opening:
    mark = marks.get(words)
    how = standing(path, mark)
    if form == "parquet" and how is Standing.GROWN:
        how = Standing.REPLACED
    after = mark if how is Standing.GROWN else None
    readers: dict[str, Callable[[], Iterator[Chunk]]] = {
        "csv": lambda: csv_source.read(path, words, wanted, delimiter, after),
        "parquet": lambda: parquet_source.read(path, words, wanted),
        "jsonl": lambda: jsonl_source.read(path, words, wanted, after),
    }
    return Opening(words, how, readers[form])


def _query(query: str, database: str, folder: Path, wanted: Wanted, marks: Marks) -> Opening:
    words = words_of(query)
    mark = marks.get(words)

    def read(after: SourceMark | None) -> Iterator[Chunk]:
        from fleetloop_hub.data import sql_source  # noqa: PLC0415  # loads what only queries need

        return sql_source.read(folder, database, query, words, wanted, after)

    if mark is None:
        return Opening(words, Standing.NEW, lambda: read(None))
    if ":since" in query:
        return Opening(words, Standing.GROWN, lambda: read(mark))
    again = mark
    for chunk in read(None):
        again = chunk.mark
    how = Standing.SAME if again.sha256 == mark.sha256 else Standing.REPLACED
    return Opening(words, how, lambda: read(None))
