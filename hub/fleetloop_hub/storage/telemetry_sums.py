"""Adds up reports within the transaction that takes them in."""

import sqlite3
from typing import Any

import msgspec

from fleetloop_hub.digest_records import moved_most
from fleetloop_shared.groups import GroupCounts, added
from fleetloop_shared.reports import DriftReport, HealthReport, Report

TABLES = """
-- The last report of each kind, by (boot, seq) and never by arrival.
CREATE TABLE latest (
    device TEXT NOT NULL,
    kind TEXT NOT NULL,
    boot INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (device, kind)
) WITHOUT ROWID;

-- The verdict on each window in a few bytes: thousands of devices are looked at without reading
-- what was found on each feature.
CREATE TABLE windows (
    device TEXT NOT NULL,
    boot INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    at REAL NOT NULL,
    stored_at REAL NOT NULL,
    model TEXT NOT NULL,
    version INTEGER NOT NULL,
    first_row INTEGER NOT NULL,
    closed INTEGER NOT NULL,
    alarm INTEGER NOT NULL,
    ratio REAL NOT NULL,
    feature TEXT NOT NULL,
    PRIMARY KEY (device, boot, seq)
) WITHOUT ROWID;

-- What health reports add up to; model and version are "" and 0 where nothing was loaded.
CREATE TABLE served (
    device TEXT NOT NULL,
    model TEXT NOT NULL,
    version INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    labels INTEGER NOT NULL,
    correct INTEGER,
    PRIMARY KEY (device, model, version)
) WITHOUT ROWID;

CREATE TABLE groups_answered (
    model TEXT NOT NULL,
    version INTEGER NOT NULL,
    device TEXT NOT NULL,
    counts BLOB NOT NULL,
    PRIMARY KEY (model, version, device)
) WITHOUT ROWID;
"""

_LATEST = """
INSERT INTO latest (device, kind, boot, seq) VALUES (?, ?, ?, ?)
ON CONFLICT (device, kind) DO UPDATE SET boot = excluded.boot, seq = excluded.seq
WHERE (excluded.boot, excluded.seq) > (boot, seq)
"""
_WINDOW = """
INSERT INTO windows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
"""
_SERVED = """
INSERT INTO served (device, model, version, rows, labels, correct) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (device, model, version) DO UPDATE SET rows = rows + excluded.rows,
labels = labels + excluded.labels, correct = correct + excluded.correct
"""
_GROUPS_OF_DEVICE = """
SELECT counts FROM groups_answered WHERE model = ? AND version = ? AND device = ?
"""
_GROUPS = """
INSERT INTO groups_answered (model, version, device, counts) VALUES (?, ?, ?, ?)
ON CONFLICT (model, version, device) DO UPDATE SET counts = excluded.counts
"""
group_counts = msgspec.json.Decoder(list[GroupCounts]).decode


class DigestIntake:
    """Adds one report after the other, within the transaction that is open."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Add within it.

        Args:
            connection: The database.
        """
        self._connection = connection

    def take(self, kind: str, report: Report, stored_at: float) -> None:
        """Add a report that was not there before."""
        name = report.device, report.boot, report.seq
        self._connection.execute(_LATEST, (report.device, kind, *name[1:]))
        if isinstance(report, DriftReport):
            self._connection.execute(_WINDOW, (*name, *_brief(report, stored_at)))
        elif isinstance(report, HealthReport):
            loaded = report.model or "", report.version or 0
            added_up = report.rows, report.labels, report.labels_correct
            self._connection.execute(_SERVED, (report.device, *loaded, *added_up))
            if report.groups and report.model is not None:
                self._add_groups((*loaded, report.device), report.groups)

    def _add_groups(self, of: tuple[str, int, str], groups: list[GroupCounts]) -> None:
        found = self._connection.execute(_GROUPS_OF_DEVICE, of).fetchone()
        sums = groups if found is None else added(group_counts(found[0]), groups)
        self._connection.execute(_GROUPS, (*of, msgspec.json.encode(sums)))


def _brief(drift: DriftReport, stored_at: float) -> tuple[Any, ...]:
    return (
        min(drift.at, stored_at),
        stored_at,
        drift.model,
        drift.version,
        drift.first_row,
        drift.closed,
        drift.alarm,
        drift.ratio,
        moved_most(drift),
    )
