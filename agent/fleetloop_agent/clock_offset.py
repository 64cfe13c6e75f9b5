"""Compares the device's clock with the hub's, by how the hub acknowledges reports.

An acknowledgement is not signed: the offset is shown to people and sets no clock.
"""

from collections.abc import Iterable

from fleetloop_shared.system import ClockOffset

Key = tuple[int, int]
"""A report's boot and number."""

_LONGEST_S = 3_600.0
"""A round trip that took longer says nothing worth telling."""


class OffsetMeter:
    """The surest comparison since it was last asked for."""

    def __init__(self) -> None:
        """Nothing was sent yet."""
        self._sent: dict[Key, float] = {}
        self._best: ClockOffset | None = None

    def sent(self, key: Key, now: float) -> None:
        """A report goes out; the first time counts, also if it goes out again.

        Args:
            key: The report.
            now: Monotonic seconds.
        """
        self._sent.setdefault(key, now)

    def keep(self, keys: Iterable[Key]) -> None:
        """Forget all reports but these."""
        self._sent = {key: self._sent[key] for key in keys if key in self._sent}

    def acknowledged(self, keys: Iterable[Key], hub_at: float, now: float, at: float) -> None:
        """The hub has them.

        Args:
            keys: Reports that are acknowledged together.
            hub_at: When, by the hub's clock, Unix seconds.
            now: Monotonic seconds.
            at: The same moment by the device's clock, Unix seconds.
        """
        sent = [self._sent.pop(key) for key in keys if key in self._sent]
        if not sent:
            return
        half_s = (now - max(sent)) / 2
        if not 0 <= 2 * half_s <= _LONGEST_S:
            return
        if self._best is None or half_s < self._best.uncertain_s:
            self._best = ClockOffset(offset_s=at - half_s - hub_at, uncertain_s=half_s)

    def take(self) -> ClockOffset | None:
        """The surest comparison since the last call, None if there was none."""
        best, self._best = self._best, None
        return best
