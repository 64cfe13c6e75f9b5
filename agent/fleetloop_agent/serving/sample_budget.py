"""The bytes of samples that a device may write: a bucket that fills through the day.

What may be saved up (a quarter of the day's bytes) and what flows in over a day (three quarters)
make the day's bytes together, so that no 24 hours see more. Bytes are granted before they are
spent: the bucket on the disk has given them away already, and a power cut loses a grant at most.
"""

import threading

DAY_S = 86_400.0
SAVED_SHARE = 0.25
"""What can be saved up, as a share of a day's bytes."""

_GRANTED_SHARE = 0.25
"""What may be granted at once, as a share of what can be saved up."""


class SampleBudget:
    """One bucket; safe to be called from many threads. Its owner says what time it is.

    Attributes:
        bytes_per_day: What no 24 hours exceed.
    """

    def __init__(self, bytes_per_day: int, level: float, now: float) -> None:
        """Go on with what there is.

        Args:
            bytes_per_day: What no 24 hours may exceed.
            level: Bytes that are in the bucket.
            now: Monotonic seconds.
        """
        self.bytes_per_day = bytes_per_day
        self._capacity = SAVED_SHARE * bytes_per_day
        self._per_s = (1 - SAVED_SHARE) * bytes_per_day / DAY_S
        self._level = min(level, self._capacity)
        self._granted = 0.0
        self._at = now
        self._lock = threading.Lock()

    @classmethod
    def full(cls, bytes_per_day: int, now: float) -> "SampleBudget":
        """A bucket that has never been used."""
        return cls(bytes_per_day, SAVED_SHARE * bytes_per_day, now)

    @property
    def fill(self) -> float:
        """How full it is, with what is granted, or less where the grant itself runs out: 0 to 1."""
        with self._lock:
            full = min(1.0, (self._level + self._granted) / self._capacity)
            return min(full, 2 * self._granted / (_GRANTED_SHARE * self._capacity))

    def spend(self, size_bytes: int) -> bool:
        """Take granted bytes; False if there are too few, and none are taken."""
        with self._lock:
            if self._granted < size_bytes:
                return False
            self._granted -= size_bytes
            return True

    def set_apart(self, now: float) -> float:
        """Bytes that are to be granted, no longer in the bucket; 0 where enough are granted.

        Args:
            now: Monotonic seconds.
        """
        with self._lock:
            room = self._capacity - self._granted
            flowed = max(0.0, now - self._at) * self._per_s
            self._level, self._at = min(self._level + flowed, room), now
            most = _GRANTED_SHARE * self._capacity
            if self._granted >= most / 2:
                return 0.0
            apart = min(self._level, most - self._granted)
            self._level -= apart
            return apart

    def grant(self, apart: float) -> None:
        """Let bytes be spent, now that the disk knows of it."""
        with self._lock:
            self._granted += apart

    def put_back(self, apart: float) -> None:
        """What was set apart could not be written down."""
        with self._lock:
            self._level += apart

    def level(self) -> float:
        """Bytes in the bucket, without those set apart or granted."""
        with self._lock:
            return self._level

    def take_back(self) -> float:
        """All bytes there are; none are granted any more."""
        with self._lock:
            self._level, self._granted = self._level + self._granted, 0.0
            return self._level
