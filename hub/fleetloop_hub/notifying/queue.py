"""The queue of notices: each channel's, in one SQLite file, whole after a power cut.

A notice is put in once, by its id and channel, however often it is put; it leaves once the channel
has taken it. A process that is killed between the sending and the note of it sends it again: a
receiver tells the double by its id.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleetloop_hub.errors import AlertError
from fleetloop_hub.notifying.cloud_event import Notice
from fleetloop_hub.notifying.delivery import MOST_TRIES, Delivery
from fleetloop_shared.durable import make_folder
from fleetloop_shared.errors import DiskFullError

MOST_WAITING = 2_000
"""Notices that wait for one channel; what comes then is a dead letter at once."""
MOST_KEPT = 1_000
"""Sent notices, and dead letters, that are kept of one channel."""

_VERSION = 1
_NO_ROOM = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR}
_TABLE = """
CREATE TABLE notices (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    channel TEXT NOT NULL,
    event TEXT NOT NULL,
    body BLOB NOT NULL,
    made_at REAL NOT NULL,
    due_at REAL NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    error TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL DEFAULT 'waiting',
    ended_at REAL,
    UNIQUE (id, channel)
);
CREATE INDEX notices_due ON notices (state, channel, due_at);
"""
_FIELDS = "id, channel, event, body, made_at, due_at, tries, error"
_PRUNE = """
DELETE FROM notices WHERE channel = ? AND state = ? AND number NOT IN (
    SELECT number FROM notices WHERE channel = ? AND state = ? ORDER BY ended_at DESC LIMIT ?)
"""


@dataclass(frozen=True)
class Standing:
    """How the notices of one channel stand.

    Attributes:
        waiting: How many wait to be sent.
        sent: How many of those that are kept were taken.
        dead: How many were given up.
        sent_at: Unix seconds at which the last one was taken, None before the first.
        error: Why the last try of one that waits or was given up failed, "" if none did.
    """

    waiting: int = 0
    sent: int = 0
    dead: int = 0
    sent_at: float | None = None
    error: str = ""


class NoticeQueue:
    """One file. Safe to be called from many threads."""

    def __init__(self, path: Path) -> None:
        """Open it; it is made if it is not there.

        Raises:
            AlertError: It is damaged, or of a newer form.
            DiskFullError: No room.
        """
        make_folder(path.parent)
        self._path = path
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        try:
            with self._explained():
                self._open()
        except BaseException:
            self._connection.close()
            raise

    def put(self, notice: Notice, channels: Collection[str], now: float) -> None:
        """Have channels told; durable when it returns, harmless if it was put before.

        Raises:
            DiskFullError: No room; nothing was put.
        """
        with self._transaction() as connection:
            for channel in channels:
                waiting = connection.execute(
                    "SELECT count(*) FROM notices WHERE state = 'waiting' AND channel = ?",
                    (channel,),
                ).fetchone()[0]
                full = waiting >= MOST_WAITING
                connection.execute(
                    "INSERT OR IGNORE INTO notices (id, channel, event, body, made_at, due_at,"
                    " state, error, ended_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        notice.id,
                        channel,
                        notice.event,
                        notice.body,
                        now,
                        now,
                        "dead" if full else "waiting",
                        f"{MOST_WAITING:,} notices waited for this channel" if full else "",
                        now if full else None,
                    ),
                )

    def due(self, now: float, busy: Collection[str] = ()) -> list[Delivery]:
        """The first notice that is due of each channel, but of those that are busy."""
        rows = self._rows(
            f"SELECT {_FIELDS}, min(due_at) FROM notices"  # noqa: S608  # only our own names
            " WHERE state = 'waiting' AND due_at <= ? GROUP BY channel",
            (now,),
        )
        return [d for d in (Delivery(*row[:-1]) for row in rows) if d.channel not in busy]

    def next_at(self) -> float | None:
        """When the next notice is due, None if none waits."""
        found = self._rows("SELECT min(due_at) FROM notices WHERE state = 'waiting'", ())
        at: float | None = found[0][0]
        return at

    def sent(self, delivery: Delivery, now: float) -> None:
        """A channel has taken a notice."""
        with self._transaction() as connection:
            self._end(connection, delivery, "sent", "", now)

    def failed(self, delivery: Delivery, error: str, due_at: float, now: float) -> None:
        """A channel has not taken a notice: it is tried again, or given up.

        The others of this channel wait as well: one whose receiver is away costs a try at a time.
        """
        with self._transaction() as connection:
            if delivery.tries + 1 >= MOST_TRIES:
                self._end(connection, delivery, "dead", error, now)
            else:
                connection.execute(
                    "UPDATE notices SET tries = tries + 1, error = ?, due_at = ?"
                    " WHERE id = ? AND channel = ? AND state = 'waiting'",
                    (error, due_at, delivery.id, delivery.channel),
                )
            connection.execute(
                "UPDATE notices SET due_at = max(due_at, ?) WHERE channel = ? AND state ="
                " 'waiting'",
                (min(due_at, now + 60.0), delivery.channel),
            )

    def again(self, channel: str, id_: str | None, now: float) -> int:
        """Send dead letters of a channel again, one or all; returns how many."""
        with self._transaction() as connection:
            return connection.execute(
                "UPDATE notices SET state = 'waiting', tries = 0, due_at = ?, ended_at = NULL"
                " WHERE channel = ? AND state = 'dead' AND (? IS NULL OR id = ?)",
                (now, channel, id_, id_),
            ).rowcount

    def forget(self, channel: str) -> None:
        """A channel is no more: nothing of it is kept."""
        with self._transaction() as connection:
            connection.execute("DELETE FROM notices WHERE channel = ?", (channel,))

    def dead(self, limit: int = MOST_KEPT) -> list[Delivery]:
        """Dead letters, the last one first."""
        rows = self._rows(
            f"SELECT {_FIELDS} FROM notices WHERE state = 'dead'"  # noqa: S608  # the same
            " ORDER BY ended_at DESC, number DESC LIMIT ?",
            (limit,),
        )
        return [Delivery(*row) for row in rows]

    def standing(self) -> dict[str, Standing]:
        """How it stands with each channel that was ever told anything."""
        counts = self._rows(
            "SELECT channel, total(state = 'waiting'), total(state = 'sent'),"
            " total(state = 'dead'), max(CASE WHEN state = 'sent' THEN ended_at END)"
            " FROM notices GROUP BY channel",
            (),
        )
        errors: dict[str, str] = dict(
            self._rows(
                "SELECT channel, error FROM notices WHERE state != 'sent' AND error != ''"
                " ORDER BY coalesce(ended_at, due_at)",
                (),
            )
        )
        return {
            channel: Standing(int(waiting), int(sent), int(dead), sent_at, errors.get(channel, ""))
            for channel, waiting, sent, dead, sent_at in counts
        }

    def close(self) -> None:
        """Finish."""
        with self._lock:
            self._connection.close()

    def _open(self) -> None:
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version > _VERSION:
            raise AlertError(f"{self._path} is of a newer hub: start that one; nothing was changed")
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        if version < _VERSION:
            self._connection.executescript(
                f"BEGIN; {_TABLE} PRAGMA user_version = {_VERSION}; COMMIT;"
            )

    def _end(
        self, connection: sqlite3.Connection, delivery: Delivery, state: str, error: str, now: float
    ) -> None:
        connection.execute(
            "UPDATE notices SET state = ?, tries = tries + 1, error = ?, ended_at = ?"
            " WHERE id = ? AND channel = ? AND state = 'waiting'",
            (state, error, now, delivery.id, delivery.channel),
        )
        connection.execute(_PRUNE, (delivery.channel, state, delivery.channel, state, MOST_KEPT))

    def _rows(self, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        with self._lock, self._explained():
            return self._connection.execute(query, values).fetchall()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._explained():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in _NO_ROOM:
                raise DiskFullError(
                    f"no room for {self._path} ({error}): free some space; what was queued before "
                    "is there"
                ) from error
            raise AlertError(
                f"{self._path} cannot be used ({error}): put back a copy of it, or move it away "
                "while the hub is stopped; alerts are kept elsewhere and were not harmed"
            ) from error
