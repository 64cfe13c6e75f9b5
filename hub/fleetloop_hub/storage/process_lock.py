"""Keeps a second process away from a folder that one process must have for itself."""

import fcntl
import os
from pathlib import Path

from fleetloop_hub.errors import CatalogError
from fleetloop_shared.durable import make_folder


class ProcessLock:
    """An advisory lock on a file; the system lets it go when the process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        """Take it.

        Args:
            path: The lock's file; made if it is not there, never removed.

        Raises:
            CatalogError: Another process has it.
            DiskFullError: The folder cannot be made.
        """
        make_folder(path.parent)
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = os.pread(self._descriptor, 20, 0).decode("ascii", "replace").strip()
            os.close(self._descriptor)
            raise CatalogError(
                f"{path.parent} is in use by process {owner or 'unknown'}: stop that hub first, or "
                "use another state folder"
            ) from error
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let another process have it."""
        os.close(self._descriptor)
