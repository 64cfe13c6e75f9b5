"""Chunks on the broker: each published once, retained, under its content's hash, for everybody.

The broker holds at most what live statements name. What it lost (a restart, an expiry) is put back
when the hub connects or a device asks; requests of many devices for one chunk cost one message.
"""

from collections import deque
from collections.abc import Callable

from fleetloop_hub.fleet_records import Seeded
from fleetloop_hub.ports import Blobs, Catalog
from fleetloop_hub.records import Version
from fleetloop_shared.chunks import split
from fleetloop_shared.messages import ChunkRequest
from fleetloop_shared.topics import Topic

Publish = Callable[[str, bytes, bool], bool]
"""(topic, payload, retained) → whether it was handed over."""

_COALESCE_S = 2.0


class Seeder:
    """Keeps the broker's chunks equal to what live statements need."""

    def __init__(self, catalog: Catalog, blobs: Blobs, publish: Publish) -> None:
        """Begin with nothing to publish; `resume` after each connect."""
        self._catalog, self._blobs, self._publish = catalog, blobs, publish
        self._queue: deque[tuple[str, int]] = deque()
        self._queued: set[tuple[str, int]] = set()
        self._chunks: dict[str, list[bytes]] = {}
        self._answered: dict[tuple[str, int], float] = {}
        self._wanted: dict[str, int] = {}

    def want(self, versions: list[tuple[Version, int]]) -> None:
        """These versions (with their chunk length) are named by live statements; no others are."""
        wanted: dict[str, int] = {}
        for version, chunk_bytes in versions:
            if version.manifest is not None and version.transport is not None:
                wanted[version.manifest] = version.manifest_bytes
                wanted[version.transport] = chunk_bytes
        for sha256 in [name for name in wanted if name not in self._wanted]:
            self._load(sha256, wanted[sha256])
            self._enqueue(sha256, range(len(self._chunks[sha256])))
        self._wanted = wanted
        for seeded in self._catalog.all(Seeded):
            if seeded.live and seeded.key not in wanted:
                self._clear(seeded)

    def resume(self) -> None:
        """Put everything live back: the broker may have started empty."""
        self._answered.clear()
        for sha256 in self._wanted:
            self._enqueue(sha256, range(len(self._chunks[sha256])))

    def answer(self, request: ChunkRequest, now: float) -> bool:
        """Publish chunks that a device misses, once for all who ask within two seconds.

        Returns:
            False if no live statement names this content.
        """
        chunks = self._chunks.get(request.sha256)
        if chunks is None:
            return False
        due = [
            i
            for i in request.missing
            if 0 <= i < len(chunks)
            and now - self._answered.get((request.sha256, i), -_COALESCE_S) >= _COALESCE_S
        ]
        self._answered.update({(request.sha256, i): now for i in due})
        self._enqueue(request.sha256, due)
        return True

    def pump(self) -> None:
        """Hand over as much as the link takes."""
        while self._queue:
            sha256, index = self._queue[0]
            chunk = self._chunks.get(sha256, [])[index : index + 1]
            topic = Topic.BLOB.at(sha256=sha256, index=index)
            if chunk and not self._publish(topic, chunk[0], True):  # noqa: FBT003  # the port's order
                return
            self._queued.discard(self._queue.popleft())

    def _load(self, sha256: str, chunk_bytes: int) -> None:
        self._chunks[sha256] = split(self._blobs.get(sha256), chunk_bytes)
        self._catalog.put(Seeded(key=sha256, chunks=len(self._chunks[sha256]), live=True))

    def _enqueue(self, sha256: str, indexes: "range | list[int]") -> None:
        for item in ((sha256, i) for i in indexes):
            if item not in self._queued:
                self._queued.add(item)
                self._queue.append(item)

    def _clear(self, seeded: Seeded) -> None:
        topics = [Topic.BLOB.at(sha256=seeded.key, index=i) for i in range(seeded.chunks)]
        if all(self._publish(topic, b"", True) for topic in topics):  # noqa: FBT003
            self._chunks.pop(seeded.key, None)
            self._catalog.put(Seeded(key=seeded.key, chunks=seeded.chunks, live=False))
