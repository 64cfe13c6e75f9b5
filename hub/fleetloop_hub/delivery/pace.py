"""How fast chunks leave the hub, so that they never hold up what is small and urgent.

Pure: the clock and the link's backlog come from outside.
"""

import math

LEAST_BYTES = 256 * 1024
"""So much may wait for the broker on any link: four chunks, two seconds of 1 Mbit/s."""

MOST_BYTES = 4 * 1024 * 1024
"""So much on the fastest: half of what a link takes, the other half is for everything else."""

_QUEUE_S = 0.5
"""Chunks are at most this far ahead of the broker on a link that has shown its speed."""

_MEASURE_S = 0.02

_SAVED_S = 1.0
"""So much of an allowed pace that was not used is used later."""


class Pace:
    """Lets as much through as leaves within half a second, and never more than was allowed.

    How fast the link is shows in how fast its backlog goes down.
    """

    def __init__(self, max_bytes_per_s: int | None = None) -> None:
        """Begin carefully.

        Args:
            max_bytes_per_s: The fastest average, None for what the link takes.
        """
        self._max_bytes_per_s = max_bytes_per_s
        self._limit_bytes = float(LEAST_BYTES)
        self._sent_bytes = self._backlog_bytes = 0
        self._measured_at = -math.inf
        self._allowed_at = -math.inf

    def room_bytes(self, backlog_bytes: int, now: float) -> float:
        """How many bytes may be handed over now.

        Args:
            backlog_bytes: What is on its way to the broker already.
            now: Monotonic seconds.
        """
        if now < self._measured_at:  # the clock was put back
            self._measured_at = self._allowed_at = now
        if now - self._measured_at >= _MEASURE_S:
            self._measure(backlog_bytes, now)
        if now < self._allowed_at:
            return 0.0
        return self._limit_bytes - backlog_bytes

    def sent(self, size_bytes: int, now: float) -> None:
        """So much was handed over."""
        self._sent_bytes += size_bytes
        if self._max_bytes_per_s is not None:
            self._allowed_at = (
                max(now - _SAVED_S, self._allowed_at) + size_bytes / self._max_bytes_per_s
            )

    def _measure(self, backlog_bytes: int, now: float) -> None:
        drained_bytes = self._backlog_bytes + self._sent_bytes - backlog_bytes
        speed = max(0, drained_bytes) / (now - self._measured_at)  # bytes/s
        self._limit_bytes = min(MOST_BYTES, max(LEAST_BYTES, speed * _QUEUE_S))
        self._backlog_bytes, self._sent_bytes, self._measured_at = backlog_bytes, 0, now
