"""How much of what was handed to the MQTT client has not come back."""

from collections import deque

MESSAGES = 1_000
"""So many messages may be on their way at once."""

BYTES = 8 * 1024 * 1024
"""So many bytes of payload may be."""


class InFlight:
    """What has been handed to paho and has not come back, counted so that it is bounded."""

    def __init__(self) -> None:
        """Nothing is on its way."""
        self._sizes: dict[int, int] = {}
        self._bytes = 0
        self._back: deque[int] = deque()

    @property
    def size_bytes(self) -> int:
        """Payload that is on its way."""
        while self._back:
            self._bytes -= self._sizes.pop(self._back.popleft(), 0)
        return self._bytes

    def has_room(self, size_bytes: int) -> bool:
        """Whether so much more may be handed over."""
        fits = self.size_bytes + size_bytes <= BYTES
        return fits and len(self._sizes) < MESSAGES

    def add(self, mid: int, size_bytes: int) -> None:
        """A message has been handed over."""
        self._sizes[mid] = size_bytes
        self._bytes += size_bytes

    def came_back(self, mid: int) -> None:
        """Called by the network thread inside paho's locks, so it takes none itself."""
        self._back.append(mid)
