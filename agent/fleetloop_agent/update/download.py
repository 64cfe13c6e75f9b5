"""Fetches a blob by its chunks, some topics at a time; hashes and a stall timer make it reliable.

Chunks are retained at the broker and read at QoS 0 from exact topics. What does
not come is asked for on `up/get`; the hub then publishes it again for everyone.
"""

import math

from fleetloop_agent.config import FetchConfig
from fleetloop_agent.update.parts import Part
from fleetloop_shared.codec import encode
from fleetloop_shared.errors import ChunkError
from fleetloop_shared.ids import bucket
from fleetloop_shared.link import Link
from fleetloop_shared.messages import ChunkRequest
from fleetloop_shared.topics import Topic

SYNC_S = 1.0
"""A chunk is durable at most this long after it came."""

CORRUPT_S = 1.0
"""A corrupt chunk is asked for again after this long: the broker would only repeat it."""

STALL_LIMIT_S = 60.0
"""The longest pause between two requests while nothing comes."""

_BUCKETS = 10_000
_DOUBLINGS = 6


class Download:
    """One blob on its way."""

    def __init__(self, device: str, link: Link, part: Part, config: FetchConfig) -> None:
        """Nothing is asked for before `step`.

        Args:
            device: Whose jitter it is.
            link: The connection.
            part: Where the chunks go.
            config: Window, pace and stall time.
        """
        self.part = part
        self._device = device
        self._link = link
        self._config = config
        self._waiting: set[int] = set()
        self._stalls = 0
        self._ask_at = math.inf
        self._sync_at = math.inf
        self._pace_at = -math.inf

    @property
    def sha256(self) -> str:
        """The blob's name."""
        return self.part.transport.sha256

    @property
    def done(self) -> bool:
        """Whether every chunk is here and durable."""
        return not self.part.missing

    def reconnected(self) -> None:
        """Subscriptions have ended with the connection: `step` makes them anew."""
        self._waiting.clear()
        self._ask_at = math.inf

    def stop(self) -> None:
        """Ask for no more."""
        for index in self._waiting:
            self._link.unsubscribe(self._topic(index))
        self.reconnected()

    def receive(self, index: int, payload: bytes, now: float) -> None:
        """Take a chunk in; an empty one is the broker's retained message being cleared.

        Raises:
            ChunkError: Not the signed bytes; it stays asked for.
            DiskFullError: No room; it stays asked for.
        """
        if not payload or self.part.has(index):
            return
        try:
            self.part.put(index, payload)
        except ChunkError:
            self._ask_at = min(self._ask_at, now + CORRUPT_S)
            raise
        self._waiting.discard(index)
        self._link.unsubscribe(self._topic(index))
        self._stalls = 0
        self._sync_at = min(self._sync_at, now + SYNC_S)
        self._ask_at = now + self._stall_s() if self._waiting else math.inf

    def step(self, now: float) -> float:
        """Move the window, ask for what does not come; returns when to step again at the latest.

        Raises:
            DiskFullError: No room to make chunks durable.
        """
        if now >= self._sync_at:
            self.part.sync()
            self._sync_at = math.inf
        if not self._link.connected:
            self.reconnected()
            return self._sync_at
        self._subscribe(now)
        if now >= self._ask_at:
            self._ask(now)
        return min(self._ask_at, self._sync_at, self._pace_at if self._pace_at > now else math.inf)

    def _subscribe(self, now: float) -> None:
        for index in self.part.missing:
            if len(self._waiting) >= self._config.window or now < self._pace_at:
                return
            if index in self._waiting:
                continue
            if not self._waiting:
                self._ask_at = now + self._stall_s()
            self._waiting.add(index)
            self._link.subscribe(self._topic(index), qos=0)
            if self._config.max_bytes_per_s is not None:
                seconds = self.part.transport.chunk_bytes / self._config.max_bytes_per_s
                self._pace_at = max(now, self._pace_at) + seconds

    def _ask(self, now: float) -> None:
        """Nothing came: the broker may have lost the chunks, or our subscriptions."""
        for index in sorted(self._waiting):
            self._link.unsubscribe(self._topic(index))
            self._link.subscribe(self._topic(index), qos=0)
        request = ChunkRequest(sha256=self.sha256, missing=self._wanted())
        topic = Topic.GET
        self._link.publish(topic.at(device=self._device), encode(request), qos=topic.row.qos)
        self._stalls += 1
        self._ask_at = now + self._stall_s()

    def _wanted(self) -> list[int]:
        missing = self.part.missing
        return missing if self._config.max_bytes_per_s is None else sorted(self._waiting)

    def _stall_s(self) -> float:
        """Half to one and a half times the stall time, doubled with every request in vain."""
        spread = bucket(self._device, f"{self.sha256}/{self._stalls}") / _BUCKETS
        return min(
            STALL_LIMIT_S,
            self._config.stall_s * (1 << min(self._stalls, _DOUBLINGS)) * (0.5 + spread),
        )

    def _topic(self, index: int) -> str:
        return Topic.BLOB.at(sha256=self.sha256, index=index)
