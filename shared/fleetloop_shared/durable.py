"""The one place that writes what must survive a power cut.

A `Disk` is what a file system promises and no more: a write may be lost, torn or zero-filled until
the file is synced, and a name may be lost until its folder is synced. The functions below are the
only protocols built on it. Sources: ALICE (OSDI 2014); POSIX fsync(2), rename(2).
"""

import contextlib
import errno
import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

from fleetloop_shared.errors import DiskFaultError, DiskFullError


class Disk(ABC):
    """A file system, in verbs small enough that power can fail between any two of them.

    Folders are made as they are needed, and are durable at once. Any verb raises `DiskFaultError`
    where the disk fails, has become read-only, or is not this user's to use.
    """

    @abstractmethod
    def read(self, path: Path) -> bytes:
        """The file's bytes.

        Raises:
            FileNotFoundError: There is no such file.
        """

    @abstractmethod
    def write(self, path: Path, data: bytes, offset: int | None = None) -> None:
        """Put bytes into a file, made if need be; NOT durable before `sync`.

        Args:
            path: The file.
            data: What to write.
            offset: Where; None replaces the whole content.

        Raises:
            DiskFullError: No room.
        """

    @abstractmethod
    def sync(self, path: Path) -> None:
        """Make a file's bytes durable.

        Raises:
            FileNotFoundError: There is no such file.
            DiskFullError: No room.
        """

    @abstractmethod
    def rename(self, source: Path, target: Path) -> None:
        """Give a file another name, replacing what had it; NOT durable before `sync_folder`.

        Raises:
            FileNotFoundError: There is no such file.
            DiskFullError: No room.
        """

    @abstractmethod
    def sync_folder(self, path: Path) -> None:
        """Make the names in a folder durable.

        Raises:
            FileNotFoundError: There is no such folder.
        """

    @abstractmethod
    def remove(self, path: Path) -> None:
        """Take a file away if it is there; NOT durable before `sync_folder`."""

    @abstractmethod
    def names(self, path: Path) -> list[str]:
        """The names in a folder, sorted; none if there is no such folder."""

    @abstractmethod
    def free_bytes(self) -> int:
        """Room that is left."""


class RealDisk(Disk):
    """The operating system's file system below one folder."""

    def __init__(self, root: Path) -> None:
        """Make the folder if it is not there.

        Args:
            root: All paths are below it; a path that is absolute stays as it is.
        """
        self._root = root.absolute()
        self._lasting: set[Path] = set()
        make_folder(root)

    def read(self, path: Path) -> bytes:
        with _explained(path):
            return (self._root / path).read_bytes()

    def write(self, path: Path, data: bytes, offset: int | None = None) -> None:
        full = self._root / path
        flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if offset is None else 0)
        with _explained(path):
            self._have_folder(full.parent)
            descriptor = os.open(full, flags, _OWN)
            try:
                view, at = memoryview(data), offset or 0
                while view:
                    written = os.pwrite(descriptor, view, at)
                    view, at = view[written:], at + written
            finally:
                os.close(descriptor)

    def sync(self, path: Path) -> None:
        with _explained(path):
            _fsync(self._root / path, os.O_RDWR)

    def rename(self, source: Path, target: Path) -> None:
        full = self._root / target
        with _explained(target):
            self._have_folder(full.parent)
            (self._root / source).replace(full)

    def sync_folder(self, path: Path) -> None:
        with _explained(path):
            _fsync(self._root / path, os.O_RDONLY)

    def remove(self, path: Path) -> None:
        with _explained(path):
            (self._root / path).unlink(missing_ok=True)

    def names(self, path: Path) -> list[str]:
        with contextlib.suppress(FileNotFoundError), _explained(path):
            return sorted(entry.name for entry in (self._root / path).iterdir())
        return []

    def free_bytes(self) -> int:
        with _explained(self._root):
            return shutil.disk_usage(self._root).free

    def _have_folder(self, folder: Path) -> None:
        """Make a folder durably; one that is there may be of a process killed before its sync."""
        if folder in self._lasting and folder.is_dir():
            return
        if not folder.is_relative_to(self._root) or not self._root.is_dir():
            _make_folder(folder)
        for one in reversed([folder, *folder.parents]):
            if self._root not in one.parents or (one in self._lasting and one.is_dir()):
                continue
            one.mkdir(exist_ok=True)
            _fsync(one.parent, os.O_RDONLY)
            self._lasting.add(one)


def replace(disk: Disk, path: Path, data: bytes) -> None:
    """Give a file new content: after any power cut it is the old content or the new, whole.

    Raises:
        DiskFullError: No room; the old content stands, and nothing half-written is left.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        disk.write(part, data)
        disk.sync(part)
        disk.rename(part, path)
    except DiskFullError:
        disk.remove(part)
        raise
    disk.sync_folder(path.parent)


def append(disk: Disk, path: Path, line: bytes, end: int) -> int:
    """Add a line behind the first `end` bytes of a file; returns where it ends.

    After any power cut the first `end` bytes are what they were. Behind them is the line, or less
    than it; whoever reads must be able to tell which, by a hash in the line, and gives the same
    `end` again to write over the rest. A line that is shorter than such a rest is filled up with
    blanks.

    Args:
        disk: Where.
        path: The file, made if need be.
        line: Without its end; has no line end in it.
        end: How many bytes of the file count.

    Raises:
        DiskFullError: No room; the first `end` bytes stand.
    """
    try:
        rest_bytes = len(disk.read(path)) - end
    except FileNotFoundError:
        rest_bytes = 0
    data = line.ljust(rest_bytes - 1) + b"\n"
    disk.write(path, data, offset=end)
    disk.sync(path)
    if end == 0:
        disk.sync_folder(path.parent)
    return end + len(data)


def publish(disk: Disk, part: Path, path: Path) -> None:
    """Give a finished part its final name; the name appears only over durable bytes."""
    disk.sync(part)
    disk.rename(part, path)
    disk.sync_folder(path.parent)


def discard(disk: Disk, path: Path) -> None:
    """Take a file away for good."""
    disk.remove(path)
    disk.sync_folder(path.parent)


def put_aside(disk: Disk, path: Path, aside: Path) -> None:
    """Give a file that is of no use, and may tell a person why, another name in its folder."""
    disk.rename(path, aside)
    disk.sync_folder(aside.parent)


def make_folder(folder: Path, mode: int = 0o777) -> None:
    """Make a folder and those above it, durably, for what others write there.

    Args:
        folder: The folder; one that is there is left as it is.
        mode: Who may use it, less the process's mask.

    Raises:
        DiskFullError: No room.
        DiskFaultError: The disk does not take it, or it is not this user's to use.
    """
    with _explained(folder):
        _make_folder(folder.absolute(), mode)


def own_file(path: Path) -> None:
    """Have a file that its owner alone may use, before a library writes it in its own way.

    Args:
        path: The file, made empty if it is not there.

    Raises:
        DiskFullError: No room.
        DiskFaultError: The disk does not take it, or it is not this user's to use.
    """
    with _explained(path):
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWN))
        except FileExistsError:
            path.chmod(_OWN)


_OWN = 0o600
_FULL = {errno.ENOSPC, errno.EDQUOT}
_FAULTS = {
    errno.EROFS: "check the disk, and mount it for writing again",
    errno.EIO: "check the disk",
    errno.ENXIO: "check the disk",
    errno.ENODEV: "check the disk",
    errno.EACCES: "give this user write access",
    errno.EPERM: "give this user write access",
}


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFullError(
                f"no room to write {path}: free some space; nothing was harmed"
            ) from error
        if error.errno in _FAULTS:
            remedy = _FAULTS[error.errno]
            raise DiskFaultError(
                f"{path}: {error.strerror}: {remedy}; nothing was harmed"
            ) from error
        raise


def _make_folder(folder: Path, mode: int = 0o777) -> None:
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(mode, exist_ok=True)
        _fsync(folder.parent, os.O_RDONLY)


def _fsync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
