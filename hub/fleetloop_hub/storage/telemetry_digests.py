"""What reports add up to, read back; `telemetry_sums` keeps it as they come."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from fleetloop_hub.digest_records import (
    LabelCounts,
    ServedRows,
    StoredPayload,
    WindowBrief,
    WindowCounts,
)
from fleetloop_hub.digests_port import Digests, T
from fleetloop_hub.storage.telemetry_kinds import KIND_OF, read
from fleetloop_hub.storage.telemetry_sums import group_counts
from fleetloop_hub.telemetry_records import DevicePulse
from fleetloop_shared.groups import GroupCounts, added
from fleetloop_shared.reports import ProfileReport, Report

_WINDOWS = """
SELECT boot, seq, at, stored_at, model, version, first_row, closed, alarm, ratio, feature
FROM windows WHERE device = ? AND (boot, seq) > (?, ?) ORDER BY boot DESC, seq DESC LIMIT ?
"""
_CLOSED = "SELECT count(*), coalesce(sum(alarm), 0) FROM windows WHERE closed"
_OPEN = """
SELECT count(*), coalesce(sum(w.alarm), 0) FROM latest l
JOIN windows w USING (device, boot, seq) WHERE l.kind = 'drift' AND NOT w.closed
"""
_FIRST_ALARM = "SELECT device, boot, seq FROM windows WHERE alarm ORDER BY at LIMIT 1"
_LATEST_REPORT = """
SELECT r.payload FROM latest l JOIN reports r USING (device, boot, seq)
WHERE l.device = ? AND l.kind = ?
"""
_PROFILES = """
SELECT boot, seq, stored_at, payload FROM reports WHERE device = ? AND kind = ?
ORDER BY stored_at DESC, boot DESC, seq DESC LIMIT ?
"""
_REPORT = "SELECT kind, payload FROM reports WHERE device = ? AND boot = ? AND seq = ?"
_LABELLED = """
SELECT model, version, sum(labels), sum(correct), coalesce(sum(distance), 0)
FROM labelled GROUP BY model, version
"""
_PULSES = "SELECT device, state, reported, seen_at FROM pulses ORDER BY device"
_PULSE = "SELECT device, state, reported, seen_at FROM pulses WHERE device = ?"
_ONE_BY_ONE = 200
"""From more changed devices on, all pulses are read."""

_HEARD_OF = "SELECT device FROM pulses UNION SELECT DISTINCT device FROM latest"

Rows = Callable[..., list[tuple[Any, ...]]]
"""Runs a query with values on the connection that reads."""


class SqliteDigests(Digests):
    """Read back with the connection of the telemetry they belong to."""

    def __init__(self, rows: Rows) -> None:
        """Nothing is read yet.

        Args:
            rows: Runs a query.
        """
        self._rows = rows
        self._changes: dict[str, int] = {}
        self._change = 1
        self._labelled: Mapping[tuple[str, int], LabelCounts] | None = None
        self._pulses_lock, self._pulses_upto = threading.Lock(), 0
        self._pulses: dict[str, DevicePulse] = {}

    def note(self, devices: set[str], *, labelled: bool) -> None:
        """Something of these was committed; called by who writes, one at a time.

        Args:
            devices: They.
            labelled: Whether labels met their rows, or were given up.
        """
        if labelled:
            self._labelled = None
        if devices:
            self._change += 1
            for device in devices:
                self._changes.pop(device, None)
                self._changes[device] = self._change

    def changed(self, after: int) -> tuple[set[str], int]:
        upto = self._change
        if after == 0:
            return {device for (device,) in self._rows(_HEARD_OF)}, upto
        found: set[str] = set()
        for device, change in reversed(self._changes.copy().items()):
            if change <= after:
                break
            found.add(device)
        return found, upto

    def pulse(self, device: str) -> DevicePulse | None:
        found = self._rows(_PULSE, device)
        return DevicePulse(*found[0]) if found else None

    def pulses(self) -> list[DevicePulse]:
        """Every pulse, by device; those that are as they were are not read again."""
        with self._pulses_lock:
            changed, upto = self.changed(self._pulses_upto)
            if not self._pulses_upto or len(changed) > _ONE_BY_ONE:
                self._pulses = {row[0]: DevicePulse(*row) for row in self._rows(_PULSES)}
            elif changed:
                found = [pulse for device in changed if (pulse := self.pulse(device)) is not None]
                news = any(pulse.device not in self._pulses for pulse in found)
                self._pulses |= {pulse.device: pulse for pulse in found}
                if news:
                    self._pulses = dict(sorted(self._pulses.items()))
            self._pulses_upto = upto
            return list(self._pulses.values())

    def windows(
        self, device: str, *, after: tuple[int, int] = (0, 0), limit: int = 100
    ) -> list[WindowBrief]:
        rows = self._rows(_WINDOWS, device, *after, limit)
        return [_window(row) for row in reversed(rows)]

    def window_counts(self) -> WindowCounts:
        (closed,), (opened,) = self._rows(_CLOSED), self._rows(_OPEN)
        first = self._rows(_FIRST_ALARM)
        return WindowCounts(
            windows=closed[0] + opened[0],
            alarms=closed[1] + opened[1],
            first_alarm=first[0] if first else None,
        )

    def latest(self, device: str, type_: type[T]) -> T | None:
        kind = KIND_OF[type_]
        found = self._rows(_LATEST_REPORT, device, kind)
        report = read(kind, found[0][0]) if found else None
        return report if isinstance(report, type_) else None

    def profiles(self, device: str, limit: int) -> list[StoredPayload]:
        rows = self._rows(_PROFILES, device, KIND_OF[ProfileReport], limit)
        return [StoredPayload(*row) for row in reversed(rows)]

    def report(self, device: str, boot: int, seq: int) -> Report | None:
        found = self._rows(_REPORT, device, boot, seq)
        return read(*found[0]) if found else None

    def served(self, device: str) -> list[ServedRows]:
        query = "SELECT model, version, rows, labels, correct FROM served WHERE device = ?"
        return [
            ServedRows(model or None, version if model else None, *sums)
            for model, version, *sums in self._rows(query, device)
        ]

    def labelled(self) -> Mapping[tuple[str, int], LabelCounts]:
        known = self._labelled
        if known is None:
            known = self._labelled = {
                (model, version): LabelCounts(labels, right, distance / labels)
                for model, version, labels, right, distance in self._rows(_LABELLED)
                if labels
            }
        return known

    def groups(self, model: str, version: int) -> tuple[list[GroupCounts], int]:
        query = "SELECT counts FROM groups_answered WHERE model = ? AND version = ?"
        rows, sums = self._rows(query, model, version), list[GroupCounts]()
        for (counts,) in rows:
            sums = added(sums, group_counts(counts))
        return sums, len(rows)

    def grouped(self) -> list[tuple[str, int]]:
        query = "SELECT DISTINCT model, version FROM groups_answered ORDER BY model, version"
        return [(model, version) for model, version in self._rows(query)]


def _window(row: tuple[Any, ...]) -> WindowBrief:
    """SQLite has numbers where Python has truth values."""
    boot, seq, at, stored_at, *of, closed, alarm, ratio, feature = row
    model, version, first_row = of
    return WindowBrief(
        boot=boot,
        seq=seq,
        at=at,
        stored_at=stored_at,
        model=model,
        version=version,
        first_row=first_row,
        closed=bool(closed),
        alarm=bool(alarm),
        ratio=ratio,
        feature=feature,
    )
