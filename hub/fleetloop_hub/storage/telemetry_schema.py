"""The telemetry database: its tables, how it is opened, and what its errors mean."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from fleetloop_hub.errors import TelemetryError
from fleetloop_hub.storage.telemetry_fifth import FIFTH, add_up
from fleetloop_shared.durable import make_folder
from fleetloop_shared.errors import DiskFaultError, DiskFullError

VERSION = 5
"""The schema's version, kept as SQLite's `user_version`; grows with every change of a table."""

_TABLES = """
CREATE TABLE reports (
    device TEXT NOT NULL,
    boot INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    at REAL NOT NULL,
    stored_at REAL NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (device, boot, seq)
);
CREATE INDEX reports_of_kind ON reports (kind, stored_at, boot, seq, device);
CREATE INDEX reports_of_device ON reports (device, kind, stored_at, boot, seq);

-- A device speaks of its own answers only, so another one can neither collide with it nor lie
-- about it: the prediction id is a key within the device. A label is a class or the number of a
-- regression: SQLite keeps a REAL in an INTEGER column as it is, and one that is whole as INTEGER.
CREATE TABLE samples (
    device TEXT NOT NULL,
    prediction_id TEXT NOT NULL,
    model TEXT NOT NULL,
    version INTEGER NOT NULL,
    at REAL NOT NULL,
    row TEXT NOT NULL,
    score REAL NOT NULL,
    label INTEGER NOT NULL,
    reason TEXT NOT NULL DEFAULT 'random',
    probability REAL DEFAULT 1.0,
    PRIMARY KEY (device, prediction_id)
) WITHOUT ROWID;
CREATE INDEX samples_by_time ON samples (model, at, device, prediction_id);
CREATE INDEX samples_by_version ON samples (model, version, device, prediction_id, label);

CREATE TABLE labels (
    device TEXT NOT NULL,
    prediction_id TEXT NOT NULL,
    label INTEGER NOT NULL,
    at REAL NOT NULL,
    source TEXT NOT NULL DEFAULT '',
    waiting INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (device, prediction_id)
) WITHOUT ROWID;
CREATE INDEX labels_waiting ON labels (device, at) WHERE waiting;

CREATE TABLE pulses (
    device TEXT PRIMARY KEY,
    state BLOB,
    reported BLOB,
    seen_at REAL NOT NULL
) WITHOUT ROWID;

"""

_REFUSALS = """
-- One row a refuser, source and reason: whoever writes what he likes adds to a count, not a row.
CREATE TABLE refusals (
    source TEXT NOT NULL,
    reason TEXT NOT NULL,
    count INTEGER NOT NULL,
    text TEXT NOT NULL,
    at REAL NOT NULL,
    topic TEXT NOT NULL,
    first_at REAL NOT NULL,
    refused_by TEXT NOT NULL,
    PRIMARY KEY (refused_by, source, reason)
) WITHOUT ROWID;
CREATE INDEX refusals_by_time ON refusals (at);
"""

_THIRD = """
ALTER TABLE samples ADD COLUMN reason TEXT NOT NULL DEFAULT 'random';
ALTER TABLE samples ADD COLUMN probability REAL DEFAULT 1.0;
ALTER TABLE labels ADD COLUMN source TEXT NOT NULL DEFAULT '';
ALTER TABLE labels ADD COLUMN waiting INTEGER NOT NULL DEFAULT 0;
CREATE INDEX labels_waiting ON labels (device, at) WHERE waiting;
"""

_FOURTH = """
-- A number for each label that has met its row, in the order in which they met: a reader goes on
-- where he was, whichever of the two came late.
CREATE TABLE met (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    device TEXT NOT NULL,
    prediction_id TEXT NOT NULL
);
INSERT INTO met (device, prediction_id) SELECT s.device, s.prediction_id
FROM samples s JOIN labels l USING (device, prediction_id) ORDER BY s.at, s.device, s.prediction_id;
CREATE TRIGGER label_meets_its_row AFTER INSERT ON labels WHEN NOT NEW.waiting BEGIN
    INSERT INTO met (device, prediction_id) VALUES (NEW.device, NEW.prediction_id);
END;
CREATE TRIGGER row_meets_its_label AFTER UPDATE OF waiting ON labels
WHEN OLD.waiting AND NOT NEW.waiting BEGIN
    INSERT INTO met (device, prediction_id) VALUES (NEW.device, NEW.prediction_id);
END;
"""

_FROM = {
    0: f"{_TABLES}{_REFUSALS}{_FOURTH}{FIFTH}",
    1: f"DROP TABLE refusals;{_REFUSALS}{_THIRD}{_FOURTH}{FIFTH}",
    2: f"{_THIRD}{_FOURTH}{FIFTH}",
    3: f"{_FOURTH}{FIFTH}",
    4: FIFTH,
}
"""What makes a database of an earlier version one of this; the refusals of version 1 did not say
where, and are counted anew."""

_BUSY_S = 10.0
_CACHE_KIB = 32_768
"""Of pages, each connection: indexes of a large fleet are not read again for each report."""


def open_database(path: Path) -> sqlite3.Connection:
    """A connection that any thread may use, one at a time; the tables are made if there are none.

    Args:
        path: The database's file.

    Raises:
        TelemetryError: It is damaged, no database, or of a newer schema; it was not changed.
        DiskFullError: No room for it.
    """
    make_folder(path.parent)
    with explained(path):
        connection = sqlite3.connect(
            path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
        )
        try:
            _prepare(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found > VERSION:
        raise TelemetryError(
            f"{path} has schema {found}, this hub knows up to {VERSION}: start the newer version "
            "of the hub that wrote it; nothing was changed"
        )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    if found < VERSION:
        try:
            connection.executescript(f"BEGIN IMMEDIATE;{_FROM[found]}")
            if found:
                add_up(connection)
            connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ones that say what to do.

    Raises:
        DiskFullError: No room.
        TelemetryError: Anything else.
    """
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            raise DiskFullError(
                f"no room to write {path}: free some space; nothing was stored, nothing harmed"
            ) from error
        if code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PERM}:
            raise DiskFaultError(
                f"{path} takes no writes ({error}): check the disk, and that this user may write "
                "there; nothing was stored, nothing harmed"
            ) from error
        if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
            raise TelemetryError(
                f"{path} is damaged ({error}): stop the hub, save what can be read with "
                f"`sqlite3 {path} .recover`, or move the file away to begin a new one"
            ) from error
        raise TelemetryError(f"{path} cannot be used: {error}") from error
