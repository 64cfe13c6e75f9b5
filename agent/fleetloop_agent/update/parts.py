"""A blob that is only partly here: its chunks on the disk, each checked, in any order."""

from collections.abc import Collection
from pathlib import Path

from fleetloop_shared import durable
from fleetloop_shared.chunks import check_chunk
from fleetloop_shared.durable import Disk
from fleetloop_shared.errors import ChunkError, EndlessDataError
from fleetloop_shared.manifest import Transport

PARTS = Path("parts")
SYNC_CHUNKS = 8
"""A power cut costs at most this many chunks."""

_HAVE = 1


class Part:
    """The chunks of one blob that are here.

    The bitmap is only written after the chunks it names are synced. It is a hint and no proof: each
    chunk it names is checked again when the part is opened.
    """

    def __init__(self, disk: Disk, transport: Transport) -> None:
        """Open what an earlier run has left.

        Args:
            disk: The state folder.
            transport: The blob's length and chunks, from signed metadata.
        """
        self.transport = transport
        self._disk = disk
        self._data = PARTS / f"{transport.sha256}.data"
        self._bitmap = PARTS / f"{transport.sha256}.bitmap"
        self._have = bytearray(len(transport.chunks))
        self._unsynced = 0
        self._recover()
        self._count = sum(self._have)

    @property
    def count(self) -> int:
        """How many chunks are here."""
        return self._count

    @property
    def whole(self) -> bool:
        """Whether all of them are."""
        return self._count == len(self._have)

    @property
    def missing(self) -> list[int]:
        """Which chunks are not."""
        return [index for index, have in enumerate(self._have) if not have]

    def has(self, index: int) -> bool:
        """Whether this chunk is here."""
        return index < len(self._have) and self._have[index] == _HAVE

    def length_of(self, index: int) -> int:
        """How many bytes this chunk has."""
        size = self.transport.chunk_bytes
        return min(size, self.transport.length_bytes - index * size)

    def put(self, index: int, chunk: bytes) -> None:
        """Keep a chunk.

        Raises:
            ChunkError: It is not the signed one; nothing was kept.
            EndlessDataError: It is longer than any signed one; nothing was kept.
            DiskFullError: No room; what was here before is unharmed.
        """
        check_chunk(self.transport, index, chunk)
        self._disk.write(self._data, chunk, index * self.transport.chunk_bytes)
        self._count += self._have[index] != _HAVE
        self._have[index] = _HAVE
        self._unsynced += 1
        if self._unsynced >= SYNC_CHUNKS or self.whole:
            self.sync()

    def sync(self) -> None:
        """Make every chunk that is here durable, and then the bitmap that says so.

        Raises:
            DiskFullError: No room; the chunks are kept in the file, and counted the next time.
        """
        if self._unsynced == 0:
            return
        self._disk.sync(self._data)
        self._disk.write(self._bitmap, bytes(self._have), 0)
        self._disk.sync(self._bitmap)
        self._disk.sync_folder(PARTS)
        self._unsynced = 0

    def read(self) -> bytes:
        """The blob's bytes as they are on the disk; whoever uses them checks the whole."""
        try:
            return self._disk.read(self._data)[: self.transport.length_bytes]
        except FileNotFoundError:
            return b""

    def discard(self) -> None:
        """Take it away."""
        self._have, self._count = bytearray(len(self._have)), 0
        for path in (self._bitmap, self._data):
            if path.name in self._disk.names(PARTS):
                durable.discard(self._disk, path)

    def _recover(self) -> None:
        try:
            bitmap = self._disk.read(self._bitmap)
        except FileNotFoundError:
            return
        data, size = self.read(), self.transport.chunk_bytes
        for index, have in enumerate(bitmap[: len(self._have)]):
            if have == _HAVE:
                try:
                    check_chunk(self.transport, index, data[index * size : (index + 1) * size])
                except (ChunkError, EndlessDataError):
                    continue
                self._have[index] = _HAVE


def discard_parts(disk: Disk, blobs: Collection[str]) -> None:
    """Take the parts of these blobs away."""
    for name in disk.names(PARTS):
        if name.partition(".")[0] in blobs:
            durable.discard(disk, PARTS / name)


def discard_all(disk: Disk, keep: Collection[str] = ()) -> None:
    """Take every part away, but those of these blobs."""
    for name in disk.names(PARTS):
        if name.partition(".")[0] not in keep:
            durable.discard(disk, PARTS / name)
