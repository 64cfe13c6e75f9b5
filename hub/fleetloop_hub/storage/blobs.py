"""Content as files named by their SHA-256, in folders of their first two and next two digits."""

import hashlib
import re
import threading
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO

from fleetloop_hub.errors import BlobError
from fleetloop_hub.ports import Blobs
from fleetloop_shared.durable import Disk, RealDisk, discard, publish, replace
from fleetloop_shared.errors import DiskFaultError, DiskFullError
from fleetloop_shared.ids import SHA256, sha256_hex

_PIECE_BYTES = 4 * 2**20
_NAME = re.compile(SHA256)
_PAIR = re.compile("[0-9a-f]{2}")


class FileBlobs(Blobs):
    """Files that are written once, durable before their name appears, and checked when read.

    One process writes; any number may read.
    """

    def __init__(self, folder: Path, disk: Disk | None = None) -> None:
        """Open the folder.

        Args:
            folder: Where the files lie; made if it is not there.
            disk: What they are kept on; by default the system's.
        """
        self._folder = folder.absolute()
        self._disk = disk or RealDisk(self._folder)
        self._lock = threading.Lock()
        self._fresh: set[str] = set()

    def put(self, data: bytes) -> str:
        sha256 = sha256_hex(data)
        path = self._place(sha256)
        with self._lock:
            if self._read(path) != data:  # not there; or damaged, and hereby mended
                replace(self._disk, path, data)
            self._fresh.add(sha256)
        return sha256

    def put_file(self, path: Path) -> str:
        try:
            with path.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
                place = self._place(sha256)
                with self._lock:
                    if not self._is_sound(place, sha256):
                        self._copy(file, place, sha256)
                    self._fresh.add(sha256)
        except DiskFullError:
            raise
        except OSError as error:
            raise BlobError(f"{path} cannot be read: {error}") from error
        return sha256

    def _copy(self, file: BinaryIO, place: Path, sha256: str) -> None:
        part = place.with_name(f".{place.name}.part")
        try:
            if self._write(file, part) == sha256:
                publish(self._disk, part, place)
                return
        except DiskFullError:
            self._disk.remove(part)
            raise
        self._disk.remove(part)
        raise BlobError(f"{file.name} changes while it is read: let it be, and try again")

    def _write(self, file: BinaryIO, part: Path) -> str:
        """Copy a file a piece at a time; returns the SHA-256 of what was copied."""
        digest, offset = hashlib.sha256(), 0
        file.seek(0)
        self._disk.write(part, b"")
        while data := file.read(_PIECE_BYTES):
            self._disk.write(part, data, offset)
            digest.update(data)
            offset += len(data)
        return digest.hexdigest()

    def _is_sound(self, place: Path, sha256: str) -> bool:
        """Whether the file is there and holds what its name says, read a piece at a time."""
        try:
            with place.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == sha256
        except FileNotFoundError:
            return False
        except OSError as error:
            raise BlobError(f"{place} cannot be read: {error}") from error

    def get(self, sha256: str) -> bytes:
        path = self._place(sha256)
        data = self._read(path)
        if data is None:
            raise BlobError(f"there is no content {sha256}: {path} is missing; put it back")
        if sha256_hex(data) != sha256:
            raise BlobError(
                f"{path} is no longer what its name says, and was not used: check the disk, and "
                "put the content in again, from a backup or by repeating the run that made it"
            )
        return data

    def has(self, sha256: str) -> bool:
        path = self._place(sha256)
        return path.name in self._disk.names(path.parent)

    def path(self, sha256: str) -> Path:
        place = self._place(sha256)
        if not self._is_sound(place, sha256):
            self.get(sha256)  # says what is wrong with it
        return place

    def settle(self, named: Collection[str]) -> None:
        with self._lock:
            self._fresh.difference_update(named)

    def unnamed(self, named: Collection[str]) -> dict[str, int]:
        with self._lock:
            kept = {*named, *self._fresh}
        return {path.name: path.stat().st_size for path in self._files() if path.name not in kept}

    def remove(self, sha256: str) -> bool:
        path = self._place(sha256)
        with self._lock:
            if sha256 in self._fresh:
                return False
            discard(self._disk, path)
        return True

    def _files(self) -> Iterator[Path]:
        for first in filter(_PAIR.fullmatch, self._disk.names(self._folder)):
            for second in filter(_PAIR.fullmatch, self._disk.names(self._folder / first)):
                folder = self._folder / first / second
                yield from (folder / n for n in self._disk.names(folder) if _NAME.fullmatch(n))

    def _place(self, sha256: str) -> Path:
        if _NAME.fullmatch(sha256) is None:
            raise BlobError(f"{sha256[:80]!r} is not the SHA-256 of anything")
        return self._folder / sha256[:2] / sha256[2:4] / sha256

    def _read(self, path: Path) -> bytes | None:
        try:
            return self._disk.read(path)
        except FileNotFoundError:
            return None
        except (OSError, DiskFaultError) as error:
            raise BlobError(f"{path} cannot be read: {error}") from error
