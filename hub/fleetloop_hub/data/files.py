"""A file that may have been read before: what of it is new, read in blocks, hashed on the way."""

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from fleetloop_hub.dataset_parts import SourceMark
from fleetloop_hub.errors import DataError
from fleetloop_hub.spec.reading import in_words

BLOCK_BYTES = 8 * 2**20
LONGEST_BYTES = 32 * 2**20
"""A line that is longer is none."""

_GZIP = b"\x1f\x8b"


class Standing(StrEnum):
    """How a file stands to what was read of it."""

    NEW = "new"
    SAME = "same"
    GROWN = "grown"
    REPLACED = "replaced"


def standing(path: Path, mark: SourceMark | None) -> Standing:
    """Whether a file was read before, and whether it has only grown since.

    Raises:
        DataError: It cannot be read.
    """
    if mark is None:
        return Standing.NEW
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            if size < mark.bytes or _hashed(file, mark.bytes).hexdigest() != mark.sha256:
                return Standing.REPLACED
            if size == mark.bytes:
                return Standing.SAME
            file.seek(0)
            packed = file.read(2) == _GZIP
            file.seek(max(mark.bytes - 1, 0))
            whole_lines = b"\n" in file.read(2)
    except OSError as error:
        raise unreadable(path, error) from error
    return Standing.GROWN if whole_lines and not packed else Standing.REPLACED


def unreadable(path: Path, error: Exception) -> DataError:
    """The error for a file that cannot be read."""
    said = f"{path.name}: {error}"
    if isinstance(error, OSError) and error.strerror:
        said = in_words(path, error)
    return DataError(f"{said}; nothing was stored: correct the path in the spec")


class Blocks:
    """The bytes of a file in blocks, plain or unpacked, from where an earlier reading ended.

    Attributes:
        sha256: Of the file's bytes up to here.
        read_bytes: How many they are.
        total_bytes: Of the file.
    """

    def __init__(self, path: Path, after: SourceMark | None) -> None:
        self._path, self._after = path, after
        self._hash = hashlib.sha256()
        self.read_bytes = self.total_bytes = 0

    @property
    def sha256(self) -> str:
        """Of what was read so far."""
        return self._hash.hexdigest()

    def __iter__(self) -> Iterator[bytes]:
        """Blocks of about `BLOCK_BYTES`.

        Raises:
            DataError: The file cannot be read.
        """
        try:
            self.total_bytes = self._path.stat().st_size
            with self._path.open("rb") as file:
                if self._after is not None:
                    self._hash = _hashed(file, self._after.bytes)
                    self.read_bytes = self._after.bytes
                    file.seek(self._after.bytes)
                yield from self._read(file)
        except (OSError, EOFError, zlib.error) as error:
            raise unreadable(self._path, error) from error

    def _read(self, file: BinaryIO) -> Iterator[bytes]:
        head = file.read(2)
        file.seek(-len(head), 1)
        hashing = _Hashing(file, self)
        packed = head == _GZIP and self._after is None
        stream = gzip.GzipFile(fileobj=hashing, mode="rb") if packed else hashing
        while block := stream.read(BLOCK_BYTES):
            yield block

    def taken(self, data: bytes) -> None:
        """Note bytes of the file that have been read."""
        self._hash.update(data)
        self.read_bytes += len(data)


class _Hashing(io.RawIOBase):
    """A file whose bytes are noted as they are read."""

    def __init__(self, file: BinaryIO, blocks: Blocks) -> None:
        super().__init__()
        self._file, self._blocks = file, blocks

    def read(self, size: int = -1, /) -> bytes:
        data = self._file.read(size)
        self._blocks.taken(data)
        return data


def _hashed(file: BinaryIO, size: int) -> "hashlib._Hash":
    file.seek(0)
    digest = hashlib.sha256()
    while size > 0 and (data := file.read(min(size, BLOCK_BYTES))):
        digest.update(data)
        size -= len(data)
    return digest


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
