"""The device's own clocks."""

import time

from fleetloop_agent.ports import Clock


class RealClock(Clock):
    """The operating system's clocks."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()
