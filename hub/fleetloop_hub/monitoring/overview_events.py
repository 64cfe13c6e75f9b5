"""What happened on devices last, of no device more than a few, kept up with as it comes."""

import heapq
from collections import defaultdict
from collections.abc import Collection

from fleetloop_hub.monitoring import levels
from fleetloop_hub.monitoring.overview import EventView, Level
from fleetloop_hub.ports import Telemetry
from fleetloop_hub.telemetry_records import StoredReport
from fleetloop_shared.reports import EventKind, EventReport

_LISTED = 50
_A_DEVICE = 20
_ASKED_ALONE = 500
_NEWEST = 2_000


class EventReader:
    """Keeps the newest events of each device; for one thread at a time."""

    def __init__(self, telemetry: Telemetry) -> None:
        """Nothing is read yet."""
        self._telemetry = telemetry
        self._of: dict[str, list[StoredReport]] = {}
        self._begun = False
        self._views: list[EventView] = []

    def read(self, changed: Collection[str]) -> list[EventView]:
        """The newest, newest first; what was refused stands among the attempts.

        Args:
            changed: Devices that have said anything since the last reading.
        """
        if len(changed) > _ASKED_ALONE:
            anew = self._newest(changed)
        else:
            anew = {
                device: self._telemetry.reports("events", device=device, limit=_A_DEVICE)
                for device in changed
            }
        moved = {d: s for d, s in anew.items() if s and s != self._of.get(d)}
        if moved or not self._begun:
            self._of |= moved
            self._begun = True
            self._views = self._listed()
        return self._views

    def _newest(self, changed: Collection[str]) -> dict[str, list[StoredReport]]:
        """Of many devices at once, as far as they are among the newest of all."""
        found: defaultdict[str, list[StoredReport]] = defaultdict(list)
        for stored in self._telemetry.reports("events", limit=_NEWEST):
            if stored.report.device in changed:
                found[stored.report.device].append(stored)
        return {device: stored[-_A_DEVICE:] for device, stored in found.items()}

    def _listed(self) -> list[EventView]:
        told = (s for stored in self._of.values() for s in stored if _is_told(s))
        newest = heapq.nlargest(_LISTED, told, key=_when)
        return [
            EventView(
                at=report.at,
                device=report.device,
                kind=str(report.kind),
                level=levels.EVENT.get(report.kind, Level.BUSY),
                text=report.text,
            )
            for report in (s.report for s in newest)
            if isinstance(report, EventReport)
        ]


def _when(stored: StoredReport) -> tuple[float, int, int]:
    return stored.stored_at, stored.report.boot, stored.report.seq


def _is_told(stored: StoredReport) -> bool:
    report = stored.report
    return isinstance(report, EventReport) and report.kind is not EventKind.REFUSED
