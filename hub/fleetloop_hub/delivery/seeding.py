"""Chunks on the broker: each published once, retained, under its content's hash, for everybody.

The broker holds at most what live statements name. What it lost (a restart, an expiry) is put back
when the hub connects or a device asks; requests of many devices for one chunk cost one message.
A hub that was killed in between publishes everything live again when it starts, and clears again
what it had begun to clear.

A broker that keeps nothing gets no chunks in advance: each device is answered on its own topic.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from fleetloop_hub.delivery.pace import Pace
from fleetloop_hub.delivery.source import Source
from fleetloop_hub.errors import BlobError
from fleetloop_hub.fleet_records import Seeded
from fleetloop_hub.ports import Blobs, Catalog
from fleetloop_hub.records import Version
from fleetloop_shared.chunks import CHUNK_BYTES
from fleetloop_shared.messages import ChunkRequest
from fleetloop_shared.topics import Topic

Publish = Callable[[str, bytes, bool], bool]
"""(topic, payload, retained) → whether it was handed over."""

COALESCE_S = 2.0
"""Whoever asks for a chunk so soon after another is answered by the same message."""

LONGEST_COALESCE_S = 30.0
"""The same for a chunk that is asked for again and again: nobody makes the hub publish for ever."""

DIRECT_CHUNKS = 64
"""Of one device's requests, so many chunks wait to be sent to it alone; it asks for the rest."""

HOLD_S = 60.0
"""What names new chunks waits for them so long at most."""

RECLEARED = 4
"""So many blobs of the past are cleared again on a connect: a broker that was killed has them."""

_log = logging.getLogger(__name__)

Item = tuple[str, int, str]
"""Content, chunk, and the device it is for; "" is for everybody."""


@dataclass(frozen=True)
class Uplink:
    """The way to the broker.

    Attributes:
        publish: Hands a message over.
        backlog_bytes: What was handed over and is not there yet.
        retains: Whether the broker keeps retained messages.
        max_bytes_per_s: The fastest average pace of chunks, None for what the link takes.
    """

    publish: Publish
    backlog_bytes: Callable[[], int] = lambda: 0
    retains: bool = True
    max_bytes_per_s: int | None = None


class Seeder:
    """Keeps the broker's chunks equal to what live statements need."""

    def __init__(self, catalog: Catalog, blobs: Blobs, uplink: Uplink) -> None:
        """Begin with nothing to publish; `resume` after each connect."""
        self._catalog, self._blobs, self._uplink = catalog, blobs, uplink
        self._pace = Pace(uplink.max_bytes_per_s)
        self._queue: deque[Item] = deque()
        self._queued: set[Item] = set()
        self._sources: dict[str, Source] = {}
        self._answered: dict[tuple[str, int], tuple[float, float]] = {}
        self._clearing: dict[str, deque[int]] = {}
        self._fresh: set[Item] = set()
        self._hold_until: float | None = None
        self._draining = False

    def want(self, versions: list[tuple[Version, int]]) -> None:
        """These versions (with their chunk length) are named by live statements; no others are."""
        wanted: dict[str, int] = {}
        for version, chunk_bytes in versions:
            if version.manifest is not None and version.transport is not None:
                wanted[version.manifest] = version.manifest_bytes
                wanted[version.transport] = chunk_bytes
        self._sources = {name: s for name, s in self._sources.items() if name in wanted}
        self._answered = {key: at for key, at in self._answered.items() if key[0] in wanted}
        for sha256 in [name for name in wanted if name not in self._sources]:
            self._load(sha256, wanted[sha256])
        for seeded in self._catalog.all(Seeded):
            if seeded.live and seeded.key not in wanted:
                self._clearing.setdefault(seeded.key, deque(range(seeded.chunks)))

    def resume(self) -> None:
        """Connected: put everything live back, as the broker may have started empty.

        Or it may have forgotten that something was cleared, which is cleared again.
        """
        self._answered.clear()
        self._queue.clear()
        self._queued.clear()
        self._fresh.clear()
        if not self._uplink.retains:
            return
        for sha256, source in self._sources.items():
            self._put(sha256, source)
        past = [s for s in self._catalog.all(Seeded) if not s.live][-RECLEARED:]
        for seeded in [s for s in self._catalog.all(Seeded) if s.key in self._clearing] + past:
            if seeded.key not in self._sources:
                self._clearing[seeded.key] = deque(range(seeded.chunks))

    def answer(self, device: str, request: ChunkRequest, now: float) -> bool:
        """Publish chunks that a device misses, once for all who ask within two seconds.

        Args:
            device: Who asks.
            request: For what.
            now: Seconds of any clock.

        Returns:
            False if no live statement names this content.
        """
        source = self._sources.get(request.sha256)
        if source is None:
            return False
        missing = [index for index in request.missing if 0 <= index < len(source)]
        if not self._uplink.retains:
            items = [(request.sha256, index, device) for index in missing[:DIRECT_CHUNKS]]
            underway = sum(1 for item in self._queued if item[2] == device)
            self._enqueue(items[: max(0, DIRECT_CHUNKS - underway)])
            return True
        self._enqueue(
            (request.sha256, i, "") for i in missing if self._is_due(request.sha256, i, now)
        )
        return True

    def is_ahead(self, now: float) -> bool:
        """Whether all that was to be put on the broker is there, or has been waited for enough.

        A statement that names it is told after that: NATS sends a chunk to who listens a moment
        before it keeps it for who comes, so whoever subscribes in between would have to ask for it.

        Args:
            now: Seconds of any clock.
        """
        self._draining &= self._uplink.backlog_bytes() >= CHUNK_BYTES
        if not self._fresh and not self._draining:
            self._hold_until = None
            return True
        if self._hold_until is None:
            self._hold_until = now + HOLD_S
        return now >= self._hold_until

    @property
    def queued(self) -> int:
        """How many chunks wait to be handed over."""
        return len(self._queue)

    def pump(self, now: float) -> None:
        """Hand over as much as the link takes without holding up anything else.

        Args:
            now: Seconds of any clock.
        """
        while self._queue and self._pace.room_bytes(self._uplink.backlog_bytes(), now) > 0:
            if not self._send(self._queue[0], now):
                return
            item = self._queue.popleft()
            self._queued.discard(item)
            self._draining |= item in self._fresh
            self._fresh.discard(item)
        if not self._queue:
            self._clear()

    def _send(self, item: Item, now: float) -> bool:
        sha256, index, device = item
        source = self._sources.get(sha256)
        if source is None:
            return True  # no statement names it any more
        try:
            chunk = source.chunk(index)
        except BlobError as error:
            _log.error("%s", error)
            return True
        if device:
            topic = Topic.CHUNK.at(device=device, sha256=sha256, index=index)
        else:
            topic = Topic.BLOB.at(sha256=sha256, index=index)
        if not self._uplink.publish(topic, chunk, not device):
            return False
        self._pace.sent(len(chunk), now)
        return True

    def _is_due(self, sha256: str, index: int, now: float) -> bool:
        at, pause_s = self._answered.get((sha256, index), (now - LONGEST_COALESCE_S, 0.0))
        if now - at < pause_s:
            return False
        calm = now - at >= 2 * LONGEST_COALESCE_S
        pause_s = COALESCE_S if calm or not pause_s else min(LONGEST_COALESCE_S, 2 * pause_s)
        self._answered[sha256, index] = (now, pause_s)
        return True

    def _load(self, sha256: str, chunk_bytes: int) -> None:
        try:
            source = Source(self._blobs, sha256, chunk_bytes)
        except BlobError as error:
            _log.error("%s", error)
            return
        self._sources[sha256] = source
        self._clearing.pop(sha256, None)
        if self._uplink.retains:
            self._catalog.put(Seeded(key=sha256, chunks=len(source), live=True))
            self._put(sha256, source)

    def _put(self, sha256: str, source: Source) -> None:
        items = [(sha256, index, "") for index in range(len(source))]
        self._fresh.update(items)
        self._enqueue(items)

    def _enqueue(self, items: Iterable[Item]) -> None:
        for item in items:
            if item not in self._queued:
                self._queued.add(item)
                self._queue.append(item)

    def _clear(self) -> None:
        """Take back what nothing names; it counts as done when the broker has all of it."""
        for sha256, indexes in self._clearing.items():
            while indexes:
                topic = Topic.BLOB.at(sha256=sha256, index=indexes[0])
                if not self._uplink.publish(topic, b"", True):  # noqa: FBT003  # the port's order
                    return
                indexes.popleft()
        if self._uplink.backlog_bytes() > 0:
            return
        for sha256 in self._clearing:
            seeded = self._catalog.find(Seeded, sha256)
            if seeded is not None and seeded.live:
                self._catalog.put(Seeded(key=sha256, chunks=seeded.chunks, live=False))
        self._clearing.clear()
