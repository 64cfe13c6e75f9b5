"""The device's own clocks."""

import time

from fleetloop_agent.ports import Clock


class RealClock(Clock):
    """The operating system's clocks."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    monotonic_ns = staticmethod(time.monotonic_ns)

    def ahead_s(self, at: float) -> float:
        try:
            return float(time.localtime(at).tm_gmtoff)
        except (OverflowError, ValueError, OSError):  # further away than the zone's tables reach
            return 0.0
