"""Chunks read from the blob's file as they are needed: the hub holds none of them in memory."""

import os
from pathlib import Path

from fleetloop_hub.errors import BlobError
from fleetloop_hub.ports import Blobs
from fleetloop_shared.ids import sha256_hex


class Source:
    """One blob, cut into chunks."""

    def __init__(self, blobs: Blobs, sha256: str, chunk_bytes: int) -> None:
        """Read it through once, and remember each chunk's hash.

        Args:
            blobs: Where it is.
            sha256: Its name.
            chunk_bytes: The length of every chunk but the last.

        Raises:
            BlobError: It is not there, or no longer what it was.
        """
        self._path = blobs.path(sha256)
        self._chunk_bytes = chunk_bytes
        chunks = -(-self._path.stat().st_size // chunk_bytes)
        self._hashes = [sha256_hex(self._read(index)) for index in range(chunks)]

    def __len__(self) -> int:
        """How many chunks there are."""
        return len(self._hashes)

    def chunk(self, index: int) -> bytes:
        """The bytes of a chunk, as they were.

        Raises:
            BlobError: They are not there any more, or others.
        """
        data = self._read(index)
        if sha256_hex(data) != self._hashes[index]:
            raise BlobError(
                f"chunk {index} of {self._path} is no longer what it was, and was not published:"
                " check the disk, and put the content in again"
            )
        return data

    def _read(self, index: int) -> bytes:
        return _read(self._path, self._chunk_bytes, index * self._chunk_bytes)


def _read(path: Path, size_bytes: int, offset: int) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError as error:
        raise BlobError(f"{path} cannot be read: {error}") from error
    try:
        return os.pread(descriptor, size_bytes, offset)
    except OSError as error:
        raise BlobError(f"{path} cannot be read: {error}") from error
    finally:
        os.close(descriptor)
