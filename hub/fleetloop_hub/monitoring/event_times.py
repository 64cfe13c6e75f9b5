"""When a row was really served: a device's own time, bounded by the hub's clock.

A device whose battery is empty starts in 1970, and one that lies may say 2038. A row that seems to
be of the future would be the newest for years, and drift that begins then never begins. So the
known offset of a device's clock is taken off, and what is still of the future becomes now.
"""

from fleetloop_hub.ports import Telemetry
from fleetloop_shared.reports import HealthReport

WRONG_S = 300.0
"""Clocks may differ by so much."""


class EventTimes:
    """Knows how far each device's clock is from the hub's, as far as it has said."""

    def __init__(self, telemetry: Telemetry) -> None:
        """Look at a device's last health report when it is first asked for."""
        self._telemetry = telemetry
        self._offsets: dict[str, float] = {}

    def note(self, report: HealthReport) -> None:
        """A device says how far its clock is from the hub's."""
        if report.clock is not None:
            self._offsets[report.device] = report.clock.offset_s

    def bounded(self, device: str, at: float, now: float) -> float:
        """When something really was.

        Args:
            device: Who says so.
            at: When it was, by the device's clock.
            now: The hub's clock.
        """
        offset_s = self._offset(device)
        true = at - offset_s if abs(offset_s) > WRONG_S else at
        return now if true > now + WRONG_S else max(0.0, true)

    def _offset(self, device: str) -> float:
        if device not in self._offsets:
            self._offsets[device] = 0.0
            for stored in self._telemetry.reports("health", device=device, limit=1):
                if isinstance(stored.report, HealthReport):
                    self.note(stored.report)
        return self._offsets[device]
