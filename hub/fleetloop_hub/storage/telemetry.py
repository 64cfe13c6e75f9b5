"""Telemetry on SQLite: what devices say, in write-ahead-log mode.

Two connections serve all threads, each behind a lock. The one that writes waits for the disk at
each commit; the one that reads sees the last commit meanwhile and never waits for it. A connection
a thread would let no more happen at once, since SQLite has one writer, and would leave connections
behind with every thread that ends. Whoever walks through all labelled samples gets a connection of
his own, so that he may take his time.

Reports are acknowledged to devices, so each `store` is synced before it returns. Pulses and
refusals are not: devices say them again, and a power cut may take the last of them.
"""

import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from fleetloop_hub.digests_port import Digests
from fleetloop_hub.errors import TelemetryError
from fleetloop_hub.ports import Telemetry
from fleetloop_hub.storage.telemetry_digests import SqliteDigests
from fleetloop_hub.storage.telemetry_intake import Intake
from fleetloop_hub.storage.telemetry_kinds import KINDS, read
from fleetloop_hub.storage.telemetry_labels import ClassesOf, labelled_sample, sample
from fleetloop_hub.storage.telemetry_schema import explained, open_database
from fleetloop_hub.telemetry_records import (
    DevicePulse,
    LabelFate,
    LabelledSample,
    LabelSums,
    Refusal,
    StoredReport,
)
from fleetloop_shared.reports import Label, Report, Sample

_REPORTS = """
SELECT payload, stored_at FROM reports WHERE kind = ? AND stored_at >= ?
ORDER BY stored_at DESC, boot DESC, seq DESC, device DESC LIMIT ?
"""
_REPORTS_OF_DEVICE = """
SELECT payload, stored_at FROM reports WHERE device = ? AND kind = ? AND stored_at >= ?
ORDER BY stored_at DESC, boot DESC, seq DESC LIMIT ?
"""
_LABELLED = """
SELECT s.device, s.prediction_id, s.at, s.row, s.score, s.label, s.version, s.reason,
s.probability, l.label, l.at
FROM samples s JOIN labels l USING (device, prediction_id)
WHERE s.model = ? AND s.at >= ? ORDER BY s.at, s.device, s.prediction_id
"""
_LABELLED_AFTER = """
SELECT s.device, s.prediction_id, s.at, s.row, s.score, s.label, s.version, s.reason,
s.probability, l.label, l.at, m.number
FROM met m JOIN samples s USING (device, prediction_id) JOIN labels l USING (device, prediction_id)
WHERE m.model = ? AND m.number > ? ORDER BY m.number LIMIT ?
"""
_UNLABELLED = """
SELECT s.device, s.prediction_id, s.at, s.row, s.score, s.label, s.version, s.reason, s.probability
FROM samples s LEFT JOIN labels l USING (device, prediction_id)
WHERE s.model = ? AND l.label IS NULL ORDER BY s.at DESC, s.device, s.prediction_id LIMIT ?
"""
_LABELLED_AFTER_OF_VERSION = _LABELLED_AFTER.replace("m.model = ?", "m.model = ? AND m.version = ?")
_COUNT = "SELECT coalesce(sum(labels), 0), coalesce(sum(correct), 0) FROM labelled WHERE model = ?"
_COUNT_OF_VERSION = f"{_COUNT} AND version = ?"
_COUNT_OF_LATER_HOURS = f"{_COUNT} AND hour > ?"
_COUNT_WITHIN_HOUR = """
SELECT count(*), coalesce(sum(s.label = l.label), 0)
FROM samples s JOIN labels l USING (device, prediction_id)
WHERE s.model = ? AND s.at >= ? AND s.at < ?
"""
_ERROR_OF_VERSION = """
SELECT sum(distance) / sum(labels) FROM labelled WHERE model = ? AND version = ? AND labels > 0
"""
_LABEL_SUMS = """
SELECT s.device, count(*), sum(1 / s.probability), sum((s.label = l.label) / s.probability),
sum(1 / (s.probability * s.probability)), min(s.probability)
FROM samples s JOIN labels l USING (device, prediction_id)
WHERE s.model = ? AND s.version = ? AND s.probability > 0 GROUP BY s.device ORDER BY s.device
"""
_SAMPLED = """
SELECT coalesce(sum(length(payload)), 0) FROM reports
WHERE device = ? AND kind = 'samples' AND stored_at >= ?
"""
_COUNTS = """
SELECT source, reason, count FROM refusals WHERE refused_by = 'hub' ORDER BY source, reason
"""
_LAST_REFUSALS = """
SELECT source, reason, count, text, at, topic, first_at, refused_by FROM refusals
ORDER BY at DESC LIMIT ?
"""

_HOUR_S = 3_600.0

AT_ONCE = 5_000
"""Labelled samples that are read at once."""


class SqliteTelemetry(Telemetry):
    """One database file."""

    def __init__(
        self,
        path: Path,
        now: Callable[[], float] = time.time,
        classes_of: ClassesOf = lambda _model, _version: [],
        keep_s: float = math.inf,
    ) -> None:
        """Open the database; it is made if it is not there.

        Args:
            path: Its file.
            now: The hub's clock, in Unix seconds.
            classes_of: What labels of a version's answers may be; a label that is none is refused
                as soon as its answer is known.
            keep_s: Seconds for which reports are kept at least; see `forget`.

        Raises:
            TelemetryError: It is damaged, no database, or of a newer schema; it was not changed.
            DiskFullError: No room for it.
        """
        self._path = path.absolute()
        self._now = now
        self._classes_of, self._keep_s = classes_of, keep_s
        self._write_lock = threading.Lock()
        self._read_lock = threading.Lock()
        self._revision = 0
        self._count: int | None = None
        self._digests = SqliteDigests(self._rows)
        self._writer = open_database(self._path)
        self._reader = open_database(self._path)

    @property
    def digests(self) -> Digests:
        return self._digests

    def store(self, reports: Iterable[tuple[str, bytes, Report]]) -> list[tuple[str, Report]]:
        fresh = []
        with self._intake(synced=True) as intake:
            for kind, payload, report in reports:
                if kind not in KINDS:
                    raise TelemetryError(f"{kind!r} is no kind of report: nothing was stored")
                if intake.take(kind, payload, report):
                    fresh.append((kind, report))
        return fresh

    def pulse(self, device: str, *, state: bytes | None, reported: bytes | None) -> None:
        with self._intake(synced=False) as intake:
            intake.pulse(device, state, reported)

    def pulses(self) -> list[DevicePulse]:
        return self._digests.pulses()

    def reports(
        self, kind: str, *, device: str | None = None, since: float = 0.0, limit: int = 1000
    ) -> list[StoredReport]:
        if device is None:
            rows = self._rows(_REPORTS, kind, since, limit)
        else:
            rows = self._rows(_REPORTS_OF_DEVICE, device, kind, since, limit)
        return [StoredReport(kind, read(kind, p), stored_at) for p, stored_at in reversed(rows)]

    def report_count(self, device: str | None = None) -> int:
        if device is not None:
            rows = self._rows("SELECT count(*) FROM reports WHERE device = ?", device)
            return int(rows[0][0])
        if self._count is None:
            with self._write_lock:
                self._count = int(self._rows("SELECT count(*) FROM reports")[0][0])
        return self._count

    def labelled(self, model: str, *, since: float = 0.0) -> Iterator[LabelledSample]:
        with explained(self._path), contextlib.closing(open_database(self._path)) as connection:
            for row in connection.execute(_LABELLED, (model, since)):
                yield labelled_sample(row)

    def labelled_after(
        self, model: str, after: int, *, version: int | None = None
    ) -> tuple[list[LabelledSample], int]:
        if version is None:
            rows = self._rows(_LABELLED_AFTER, model, after, AT_ONCE)
        else:
            rows = self._rows(_LABELLED_AFTER_OF_VERSION, model, version, after, AT_ONCE)
        return [labelled_sample(row[:-1]) for row in rows], rows[-1][-1] if rows else after

    def labelled_count(
        self, model: str, *, version: int | None = None, since: float | None = None
    ) -> tuple[int, int]:
        if since is not None:
            return self._labelled_since(model, since)
        if version is None:
            rows = self._rows(_COUNT, model)
        else:
            rows = self._rows(_COUNT_OF_VERSION, model, version)
        labelled, right = rows[0]
        return labelled, right

    def _labelled_since(self, model: str, since: float) -> tuple[int, int]:
        """Whole hours are counted already; what is left of one is counted now."""
        hour = int(since // _HOUR_S)
        parts = [
            self._rows(_COUNT_OF_LATER_HOURS, model, hour)[0],
            self._rows(_COUNT_WITHIN_HOUR, model, since, (hour + 1) * _HOUR_S)[0],
        ]
        return sum(labels for labels, _ in parts), sum(right for _, right in parts)

    def labelled_error(self, model: str, *, version: int) -> float | None:
        ((error,),) = self._rows(_ERROR_OF_VERSION, model, version)
        return None if error is None else float(error)

    def label(self, told: Iterable[tuple[str, Label]], source: str) -> list[LabelFate]:
        with self._intake(synced=True) as intake:
            return [intake.label(device, label, source) for device, label in told]

    def label_sums(self, model: str, version: int) -> list[LabelSums]:
        return [LabelSums(*row) for row in self._rows(_LABEL_SUMS, model, version)]

    def unlabelled(self, model: str, limit: int) -> list[tuple[str, Sample]]:
        return [(row[0], sample(row)) for row in self._rows(_UNLABELLED, model, limit)]

    def labels_waiting(self) -> dict[str, int]:
        query = "SELECT device, count(*) FROM labels WHERE waiting GROUP BY device ORDER BY device"
        return dict(self._rows(query))

    def boot(self, device: str) -> int:
        ((boot,),) = self._rows("SELECT max(boot) FROM reports WHERE device = ?", device)
        return int(boot or 0)

    def sampled_bytes(self, device: str, since: float) -> int:
        ((size,),) = self._rows(_SAMPLED, device, since)
        return int(size)

    def refuse(self, source: str, reason: str, text: str, topic: str = "", count: int = 1) -> None:
        with self._intake(synced=False) as intake:
            intake.refuse(source, reason, text, topic, count)

    def forget(self, most: int) -> int:
        if not math.isfinite(self._keep_s):
            return 0
        with self._intake(synced=False) as intake:
            return intake.forget(most)

    def refusals(self) -> dict[tuple[str, str], int]:
        rows = self._rows(_COUNTS)
        return {(source, reason): count for source, reason, count in rows}

    def last_refusals(self, limit: int) -> list[Refusal]:
        return [Refusal(*row) for row in self._rows(_LAST_REFUSALS, limit)]

    def revision(self) -> int:
        return self._revision

    def close(self) -> None:
        with self._write_lock, self._read_lock:
            self._reader.close()
            self._writer.close()

    @contextlib.contextmanager
    def _intake(self, *, synced: bool) -> Iterator[Intake]:
        with self._write_lock, explained(self._path):
            self._writer.execute(f"PRAGMA synchronous = {'FULL' if synced else 'NORMAL'}")
            self._writer.execute("BEGIN IMMEDIATE")
            intake = Intake(self._writer, self._now(), self._classes_of, self._keep_s)
            try:
                yield intake
                self._writer.execute("COMMIT")
                self._digests.note(intake.devices, labelled=intake.labelled)
                self._count = None if self._count is None else self._count + intake.kept
            finally:
                if self._writer.in_transaction:  # SQLite may have rolled back by itself
                    self._writer.execute("ROLLBACK")
                self._revision += 1

    def _rows(self, query: str, *values: str | float) -> list[tuple[Any, ...]]:
        with self._read_lock, explained(self._path):
            return self._reader.execute(query, values).fetchall()
