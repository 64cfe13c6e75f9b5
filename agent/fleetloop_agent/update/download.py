"""Fetches a blob by its chunks, some topics at a time; hashes and a stall timer make it reliable.

Chunks are retained at the broker and read at QoS 0 from exact topics. What does not come is asked
for on `up/get`; the hub then publishes it again for everyone. Where a broker keeps nothing, the hub
answers on the device's own topic (`direct`), and every chunk is asked for.

A sender can slow a download down and no more: while anything comes, a chunk comes at least every
`SLOWEST_S`; when nothing comes, the device says so after `SLOW_REQUESTS` requests in vain.
"""

import math

from fleetloop_agent.config import FetchConfig
from fleetloop_agent.update.parts import Part
from fleetloop_shared.codec import encode
from fleetloop_shared.errors import ChunkError, EndlessDataError, SlowRetrievalError
from fleetloop_shared.ids import bucket
from fleetloop_shared.link import Link
from fleetloop_shared.messages import ChunkRequest
from fleetloop_shared.topics import Topic

SYNC_S = 1.0
"""A chunk is durable at most this long after it came."""

CORRUPT_S = 1.0
"""A corrupt chunk is asked for again after this long: the broker would only repeat it."""

STALL_LIMIT_S = 60.0
"""The longest pause between two requests while nothing comes, on a link that is not slow itself."""

SLOWEST_S = 300.0
"""The same on a link so slow that a chunk takes a minute."""

SLOW_REQUESTS = 4
"""So many requests in vain are reported as slow retrieval."""

ASKED_AT_ONCE = 256
"""The most chunks that one request names."""

_BUCKETS = 10_000
_DOUBLINGS = 6
_USUAL_FACTOR = 3.0
_FORGET = 0.75


class Download:
    """One blob on its way.

    Attributes:
        part: The chunks that are here.
        direct: Whether chunks come on the device's own topic, and only when asked for.
    """

    def __init__(self, device: str, link: Link, part: Part, config: FetchConfig) -> None:
        """Nothing is asked for before `step`.

        Args:
            device: Whose jitter it is.
            link: The connection.
            part: Where the chunks go.
            config: Pace and stall time.
        """
        self.part = part
        self.direct = False
        self._device = device
        self._folder = Topic.BLOB.at(sha256=part.transport.sha256, index="")
        self._link = link
        self._config = config
        self._waiting: set[int] = set()
        self._new: list[int] = []
        self._next = 0
        self._listens = False
        self._stalls = 0
        self._spread, self._spread_of = 0.0, -1
        self._complaint: SlowRetrievalError | None = None
        self._complained = False
        self._usual_s = 0.0
        self._progress_at = 0.0
        self._ask_at = math.inf
        self._sync_at = math.inf

    @property
    def sha256(self) -> str:
        """The blob's name."""
        return self.part.transport.sha256

    @property
    def done(self) -> bool:
        """Whether every chunk is here and durable."""
        return self.part.whole

    @property
    def waits_for(self) -> int:
        """How many chunks it waits for."""
        return len(self._waiting)

    @property
    def wants_more(self) -> bool:
        """Whether it could wait for more of them."""
        return len(self.part.transport.chunks) - self.part.count > len(self._waiting)

    def reconnected(self) -> None:
        """Subscriptions have ended with the connection."""
        self._waiting.clear()
        self._new.clear()
        self._next = 0
        self._listens = False
        self._ask_at = math.inf

    def stop(self) -> None:
        """Ask for no more."""
        for index in self._waiting:
            self._link.unsubscribe(self._topic(index))
        if self._listens:
            self._link.unsubscribe(self._own_topics())
        self.reconnected()

    def receive(self, index: int, payload: bytes, now: float) -> None:
        """Take a chunk in; an empty one is the broker's retained message being cleared.

        Raises:
            ChunkError: Not the signed bytes; it stays asked for.
            EndlessDataError: More than the signed bytes; it stays asked for.
            DiskFullError: No room; it stays asked for.
        """
        if not payload or self.part.has(index):
            return
        try:
            self.part.put(index, payload)
        except (ChunkError, EndlessDataError):
            pause_s = min(STALL_LIMIT_S, CORRUPT_S * (1 << min(self._stalls, _DOUBLINGS)))
            self._ask_at = min(self._ask_at, now + pause_s)
            raise
        if index in self._waiting:
            self._waiting.discard(index)
            if not self.direct:
                self._link.unsubscribe(self._topic(index))
        self._usual_s = max(now - self._progress_at, self._usual_s * _FORGET)
        self._progress_at = now
        self._stalls = 0
        self._sync_at = min(self._sync_at, now + SYNC_S)
        self._ask_at = now + self._stall_s() if self._waiting else math.inf

    def step(self, now: float) -> float:
        """Make chunks durable, ask for what does not come; returns when to step again at latest.

        Raises:
            DiskFullError: No room to make chunks durable.
        """
        if now >= self._sync_at:
            self.part.sync()
            self._sync_at = math.inf
        if not self._link.connected:
            self.reconnected()
            return self._sync_at
        if now >= self._ask_at:
            self._ask_again(now)
        return min(self._ask_at, self._sync_at)

    def take_place(self, now: float) -> int:
        """Wait for one more chunk; returns its length in bytes."""
        while self.part.has(self._next) or self._next in self._waiting:
            self._next += 1
        index = self._next
        if not self._waiting:
            self._progress_at = now
            self._ask_at = now + self._stall_s()
        self._waiting.add(index)
        if self.direct:
            self._new.append(index)
        else:
            self._link.subscribe(self._topic(index), qos=0)
        return self.part.length_of(index)

    def flush(self, now: float) -> float:
        """Send for the chunks that only come when asked for; returns when to step again."""
        if self._new:
            self._listen()
            self._request(self._new)
            self._new = []
            self._ask_at = now + self._stall_s()
        return self._ask_at

    def take_complaint(self) -> SlowRetrievalError | None:
        """What is to be said about content that does not come: once a download."""
        complaint, self._complaint = self._complaint, None
        return complaint

    def _ask_again(self, now: float) -> None:
        """Nothing came: the broker may have lost the chunks, or our subscriptions."""
        self._listen()
        if not self.direct:
            for index in sorted(self._waiting):
                self._link.unsubscribe(self._topic(index))
                self._link.subscribe(self._topic(index), qos=0)
        self._request(self._wanted())
        self._stalls += 1
        self._ask_at = now + self._stall_s()
        if self._stalls >= SLOW_REQUESTS and not self._complained:
            self._complained = True
            first = min(self._waiting, default=0)
            self._complaint = SlowRetrievalError(
                f"{self.sha256[:12]}: chunk {first} of {len(self.part.transport.chunks)} was asked"
                f" for {self._stalls} times and does not come; it is asked for on and on, and"
                " serving goes on: see whether the hub is there, and who holds messages back"
            )

    def _request(self, indexes: list[int]) -> None:
        request = ChunkRequest(sha256=self.sha256, missing=indexes)
        topic = Topic.GET
        self._link.publish(topic.at(device=self._device), encode(request), qos=topic.row.qos)

    def _wanted(self) -> list[int]:
        if self.direct or self._config.max_bytes_per_s is not None:
            return sorted(self._waiting)
        return self.part.missing[:ASKED_AT_ONCE]

    def _listen(self) -> None:
        """Hear what the hub answers to this device alone."""
        if not self._listens:
            self._listens = True
            self._link.subscribe(self._own_topics(), qos=0)

    def _stall_s(self) -> float:
        """Half to one and a half times the stall time, doubled with every request in vain.

        On a slow link the stall time is three times what a chunk has taken there: asked for again
        sooner, the same chunk would only come twice.
        """
        if self._spread_of != self._stalls:
            self._spread_of = self._stalls
            self._spread = bucket(self._device, f"{self.sha256}/{self._stalls}") / _BUCKETS
        usual_s = min(_USUAL_FACTOR * self._usual_s, SLOWEST_S)
        base_s = max(self._config.stall_s, usual_s)
        pause_s = base_s * (1 << min(self._stalls, _DOUBLINGS)) * (0.5 + self._spread)
        return min(max(STALL_LIMIT_S, usual_s), pause_s)

    def _topic(self, index: int) -> str:
        return f"{self._folder}{index}"

    def _own_topics(self) -> str:
        return Topic.CHUNK.at(device=self._device, sha256=self.sha256, index="+")
