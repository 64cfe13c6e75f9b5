"""A clock that stands still until it is stepped."""

from fleetloop_agent.ports import Clock

EPOCH_S = 1_700_000_000.0
"""What time it is when a simulated clock is made, Unix seconds."""


class SimClock(Clock):
    """Virtual time; a reboot starts `monotonic` anew, and may put `now` wrong.

    Attributes:
        drift_ratio: How much too fast both clocks run; below 0: too slowly.
    """

    def __init__(self, now_s: float = EPOCH_S) -> None:
        """Set the time.

        Args:
            now_s: Unix seconds.
        """
        self.drift_ratio = 0.0
        self._now_s = now_s
        self._monotonic_s = 0.0

    def now(self) -> float:
        return self._now_s

    def monotonic(self) -> float:
        return self._monotonic_s

    def step(self, seconds: float) -> None:
        """Let time pass; by these clocks it may be more or less."""
        passed_s = seconds * (1.0 + self.drift_ratio)
        self._now_s += passed_s
        self._monotonic_s += passed_s

    def set(self, now_s: float) -> None:
        """Make it another time; no time has passed."""
        self._now_s = now_s

    def reboot(self) -> None:
        """Start `monotonic` anew; a clock with a battery goes on."""
        self._monotonic_s = 0.0
