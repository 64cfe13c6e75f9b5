"""Reads the answer to a SQL query in chunks, on from the place in time of the last reading."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, CursorResult, create_engine, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from fleetloop_hub.data.chunk import CHUNK_ROWS, Chunk
from fleetloop_hub.data.jsonl_source import to_table
from fleetloop_hub.data.parquet_source import as_text
from fleetloop_hub.data.wanted import Wanted, check_header
from fleetloop_hub.dataset_parts import SourceMark
from fleetloop_hub.errors import DataError

_BEFORE_ALL: tuple[object, ...] = (-1e300, datetime(1, 1, 1), "")  # noqa: DTZ001  # any database takes it
_SINCE = ":since"


def read(  # noqa: PLR0913, PLR0917  # where to ask, what, and from where on
    folder: Path,
    database: str,
    query: str,
    words: str,
    wanted: Wanted,
    after: SourceMark | None,
) -> Iterator[Chunk]:
    """The query's rows, those since the last reading if it says `:since`.

    Raises:
        DataError: The database cannot be reached or refuses the query, or a column is missing.
    """
    if _SINCE in query and wanted.time is None:
        raise DataError(f"{words}: :since stands for rows.time; write rows.time, or leave it out")
    try:
        engine = create_engine(_url(folder, database, words))
        with engine.connect() as connection:
            yield from _chunks(connection, query, words, wanted, after)
    except (SQLAlchemyError, ImportError) as error:
        raise DataError(
            f"{words}: {_first_line(error)}; nothing was stored: correct query or database in the "
            "spec"
        ) from error


def _chunks(
    connection: Connection, query: str, words: str, wanted: Wanted, after: SourceMark | None
) -> Iterator[Chunk]:
    result = _asked(connection, query, after)
    names = list(result.keys())
    check_header(words, names, wanted)
    digest = hashlib.sha256(
        b"" if after is None or _SINCE not in query else bytes.fromhex(after.sha256)
    )
    going_on = after is not None and _SINCE in query
    size, rows = (after.bytes, after.rows) if after is not None and going_on else (0, 0)
    since = after.since if after is not None and going_on else None
    while True:
        part = result.fetchmany(CHUNK_ROWS)
        for row in part:
            line = repr(tuple(row)).encode()
            digest.update(line)
            size += len(line)
        since = _latest(since, part, names, wanted.time)
        first, rows = rows + 1, rows + len(part)
        objects = [dict(zip(names, map(_plain, row), strict=True)) for row in part]
        table = to_table(objects, wanted.columns)
        yield Chunk(
            table=table,
            lines=np.arange(first, rows + 1, dtype=np.int64),
            raw=partial(as_text, table),
            mark=SourceMark(
                words=words, sha256=digest.hexdigest(), bytes=size, rows=rows, since=since
            ),
            share=0.5,
        )
        if len(part) < CHUNK_ROWS:
            return


def _asked(connection: Connection, query: str, after: SourceMark | None) -> CursorResult[Any]:
    """The answer; of the values that stand for "before everything", the one the database takes."""
    streaming = connection.execution_options(stream_results=True, yield_per=CHUNK_ROWS)
    if _SINCE not in query:
        return streaming.execute(text(query))
    if after is not None and after.since is not None:
        return streaming.execute(text(query), {"since": _value(after.since)})
    for since in _BEFORE_ALL[:-1]:
        try:
            return streaming.execute(text(query), {"since": since})
        except DBAPIError:
            connection.rollback()
    return streaming.execute(text(query), {"since": _BEFORE_ALL[-1]})


def _latest(
    since: str | None, part: Sequence[Sequence[Any]], names: list[str], time: str | None
) -> str | None:
    """The largest time so far, as JSON that remembers its kind."""
    if time is None:
        return since
    place = names.index(time)
    found = [row[place] for row in part if row[place] is not None]
    if since is not None:
        found.append(_value(since))
    try:
        newest = max(found, default=None)
    except TypeError:
        newest = max(found, key=str)
    return since if newest is None else _kept(newest)


def _kept(value: Any) -> str:  # noqa: ANN401  # whatever the database holds
    if isinstance(value, datetime):
        return json.dumps({"datetime": value.isoformat()})
    if isinstance(value, date):
        return json.dumps({"date": value.isoformat()})
    if isinstance(value, Decimal):
        return json.dumps({"decimal": str(value)})
    return json.dumps(value if isinstance(value, int | float | str) else str(value))


def _value(since: str) -> Any:  # noqa: ANN401  # as above
    kept = json.loads(since)
    if not isinstance(kept, dict):
        return kept
    if "datetime" in kept:
        return datetime.fromisoformat(kept["datetime"])
    return Decimal(kept["decimal"]) if "decimal" in kept else date.fromisoformat(kept["date"])


def _plain(value: Any) -> Any:  # noqa: ANN401  # as above
    return float(value) if isinstance(value, Decimal) else value


def _url(folder: Path, database: str, words: str) -> URL:
    url = make_url(database)
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        path = folder / url.database
        if not path.is_file():
            raise DataError(f"{words}: there is no {path.name}; correct database in the spec")
        return url.set(database=str(path))
    return url


def _first_line(error: Exception) -> str:
    """What the database says, without the statement and without a password."""
    said = getattr(error, "orig", None) or error
    return str(said).strip().splitlines()[0] if str(said).strip() else type(error).__name__
