"""Reads on in what devices say, so that a look every second costs what is new and no more."""

from fleetloop_hub.ports import Telemetry
from fleetloop_hub.telemetry_records import StoredReport

_OVERLAP_S = 2.0
_MOST_AT_ONCE = 2_000


class FreshReports:
    """One kind of report, each told once.

    Reports of the last seconds are asked for again and told by their number: two that are stored
    at the same time need not become visible in order.
    """

    def __init__(self, telemetry: Telemetry, kind: str, most_at_start: int) -> None:
        """Begin before the first report.

        Args:
            telemetry: Where they are kept.
            kind: Which ones.
            most_at_start: How many of each device are told at first, the newest.
        """
        self._telemetry, self._kind = telemetry, kind
        self._most_at_start = most_at_start
        self._since: float | None = None
        self._seen: dict[tuple[str, int, int], float] = {}

    def read(self) -> list[StoredReport]:
        """What is new, by device, boot and number."""
        stored = self._first() if self._since is None else self._next(self._since)
        fresh = {_name(s): s for s in stored if _name(s) not in self._seen}
        new = [fresh[name] for name in sorted(fresh)]
        self._since = max([self._since or 0.0, *(s.stored_at for s in new)])
        self._seen |= {_name(s): s.stored_at for s in new}
        keep = self._since - 2 * _OVERLAP_S
        self._seen = {name: at for name, at in self._seen.items() if at >= keep}
        return new

    def _first(self) -> list[StoredReport]:
        """Of devices whose presence was not noted in time, as far as they are among the newest."""
        devices = [pulse.device for pulse in self._telemetry.pulses()]
        newest = self._telemetry.reports(self._kind, limit=_MOST_AT_ONCE)
        of_each = [s for d in devices for s in self._newest(d, 0.0, self._most_at_start)]
        return of_each + [s for s in newest if s.report.device not in set(devices)]

    def _next(self, since: float) -> list[StoredReport]:
        """A burst larger than what is read at once is read device by device."""
        after = max(0.0, since - _OVERLAP_S)
        stored = self._telemetry.reports(self._kind, since=after, limit=_MOST_AT_ONCE)
        if len(stored) < _MOST_AT_ONCE:
            return stored
        devices = [pulse.device for pulse in self._telemetry.pulses()]
        return [s for device in devices for s in self._newest(device, after, _MOST_AT_ONCE)]

    def _newest(self, device: str, since: float, limit: int) -> list[StoredReport]:
        return self._telemetry.reports(self._kind, device=device, since=since, limit=limit)


def _name(stored: StoredReport) -> tuple[str, int, int]:
    return stored.report.device, stored.report.boot, stored.report.seq
