"""Keeps reports in SQLite until the hub has acknowledged them."""

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from fleetloop_agent.errors import StateError
from fleetloop_agent.ports import Outbox, Pending
from fleetloop_shared.codec import encode, encode_compressed
from fleetloop_shared.durable import RealDisk, make_folder, own_file, put_aside
from fleetloop_shared.errors import DiskFullError
from fleetloop_shared.reports import Report
from fleetloop_shared.topics import Topic

LIMIT_RECORDS = 100_000
LIMIT_BYTES = 64 * 1024 * 1024

_SCHEMA = """
CREATE TABLE IF NOT EXISTS reports (
    boot INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    topic TEXT NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (boot, seq)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counts (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
INSERT OR IGNORE INTO counts
VALUES ('boot', 0), ('appended', 0), ('acknowledged', 0), ('dropped', 0);
"""
_ADD = "UPDATE counts SET value = value + ? WHERE name = ?"
_BOOT = "UPDATE counts SET value = ? WHERE name = 'boot'"
_REMOVE = "DELETE FROM reports WHERE boot = ? AND seq = ?"
_SQLITE_LIMIT = 2**63
_NO_ROOM = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
_NO_WRITING = {*_NO_ROOM, sqlite3.SQLITE_READONLY}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class SqliteOutbox(Outbox):
    """One database file; every change is synced before the call returns."""

    def __init__(
        self,
        path: Path,
        limit_records: int = LIMIT_RECORDS,
        limit_bytes: int = LIMIT_BYTES,
    ) -> None:
        """Open it and count this start; on a full disk it counts with the first report.

        Args:
            path: The file; one that is damaged is put aside beside it.
            limit_records: The most reports kept.
            limit_bytes: The most bytes of payload kept.

        Raises:
            DiskFullError: No room to open it.
            StateError: It cannot be opened.
        """
        self._path = path
        self._limit_records, self._limit_bytes = limit_records, limit_bytes
        make_folder(path.parent)
        self._db, first_boot = _open_or_put_aside(path)
        self._boot = max(self._count("boot") + 1, first_boot)
        self._seq = 0
        kept = self._db.execute("SELECT COUNT(*), TOTAL(LENGTH(payload)) FROM reports").fetchone()
        self._records, self._bytes = int(kept[0]), int(kept[1])
        with contextlib.suppress(DiskFullError), self._change() as db:
            db.execute(_BOOT, [self._boot])

    @property
    def boot(self) -> int:
        return self._boot

    def append(self, topic: Topic, build: Callable[[int, int], Report]) -> None:
        report = build(self._boot, self._seq + 1)
        payload = encode_compressed(report) if topic.row.compressed else encode(report)
        oldest = self._surplus(len(payload))
        with self._change() as db:
            db.execute(_BOOT, [self._boot])
            db.executemany(_REMOVE, [(boot, seq) for boot, seq, _ in oldest])
            row = (report.boot, report.seq, topic.name, payload)
            db.execute("INSERT INTO reports VALUES (?, ?, ?, ?)", row)
            db.execute(_ADD, [1, "appended"])
            db.execute(_ADD, [len(oldest), "dropped"])
        self._seq += 1
        self._records += 1 - len(oldest)
        self._bytes += len(payload) - sum(size for _, _, size in oldest)

    def pending(self, limit: int) -> list[Pending]:
        query = "SELECT boot, seq, topic, payload FROM reports ORDER BY boot, seq LIMIT ?"
        rows = self._db.execute(query, [limit]).fetchall()
        return [Pending(boot, seq, Topic[topic], payload) for boot, seq, topic, payload in rows]

    def acknowledge(self, boot: int, seqs: list[int]) -> None:
        sizes: list[int] = []
        with self._change() as db:
            for seq in seqs:
                if max(abs(boot), abs(seq)) < _SQLITE_LIMIT:
                    query = f"{_REMOVE} RETURNING LENGTH(payload)"
                    sizes += [size for (size,) in db.execute(query, [boot, seq]).fetchall()]
            db.execute(_ADD, [len(sizes), "acknowledged"])
        self._records -= len(sizes)
        self._bytes -= sum(sizes)

    def counts(self) -> tuple[int, int, int]:
        return self._count("appended"), self._count("acknowledged"), self._count("dropped")

    @property
    def size_bytes(self) -> int:
        return self._bytes

    def close(self) -> None:
        """Let the file go."""
        self._db.close()

    def _surplus(self, coming_bytes: int) -> list[tuple[int, int, int]]:
        """The oldest reports, as (boot, seq, bytes), that make room for one more."""
        records = self._records + 1 - self._limit_records
        over_bytes = self._bytes + coming_bytes - self._limit_bytes
        oldest: list[tuple[int, int, int]] = []
        if records <= 0 and over_bytes <= 0:
            return oldest
        query = "SELECT boot, seq, LENGTH(payload) FROM reports ORDER BY boot, seq"
        with contextlib.closing(self._db.execute(query)) as rows:
            for boot, seq, size in rows:
                if len(oldest) >= records and over_bytes <= 0:
                    break
                oldest.append((boot, seq, size))
                over_bytes -= size
        return oldest

    def _count(self, name: str) -> int:
        row = self._db.execute("SELECT value FROM counts WHERE name = ?", [name]).fetchone()
        return int(row[0])

    @contextlib.contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._db:
                yield self._db
        except sqlite3.OperationalError as error:
            if _primary(error) in _NO_WRITING:
                raise _full(self._path) from error
            raise


def _open_or_put_aside(path: Path) -> tuple[sqlite3.Connection, int]:
    """The database, and the lowest number this start may have.

    Reports of a damaged file are lost, its boots are not known: the time stands in for them.
    """
    try:
        return _open(path), 1
    except sqlite3.DatabaseError as error:
        if _primary(error) in _NO_ROOM:
            raise _full(path) from error
        if _primary(error) not in _DAMAGED:
            raise StateError(
                f"{path} cannot be opened ({error}): give this user write access to its folder"
            ) from error
        disk = RealDisk(path.parent)
        for suffix in ("-wal", "-shm"):
            disk.remove(Path(path.name + suffix))
        put_aside(disk, Path(path.name), Path(f"{path.name}.damaged"))
        return _open(path), int(time.time())


def _primary(error: sqlite3.Error) -> int:
    return error.sqlite_errorcode & 0xFF


def _open(path: Path) -> sqlite3.Connection:
    with contextlib.suppress(DiskFullError, OSError):  # whatever is in the way, SQLite says better
        own_file(path)  # rows are in it; its log and index get the same rights
    db = sqlite3.connect(path)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.executescript(_SCHEMA)
    except sqlite3.DatabaseError:
        db.close()
        raise
    return db


def _full(path: Path) -> DiskFullError:
    return DiskFullError(
        f"no room to keep a report in {path}: free some space; earlier reports are unharmed"
    )
