"""The file by which an application on this device asks for no change of model while it is busy."""

import logging
from pathlib import Path

from fleetloop_agent.ports import ApplicationLock

_log = logging.getLogger(__name__)


class LockFile(ApplicationLock):
    """The application makes the file, touches it now and then, and takes it away."""

    def __init__(self, path: Path) -> None:
        """Nothing is looked at yet.

        Args:
            path: Where the file is while the application asks.
        """
        self._path = path
        self._unseen: str | None = None

    def touched_at(self) -> float | None:
        """A file that cannot be looked at is no request: nobody could ever take it back."""
        try:
            return self._path.stat().st_mtime
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            if str(error) != self._unseen:
                self._unseen = str(error)
                _log.warning(
                    "%s cannot be looked at, and nobody waits for it: %s", self._path, error
                )
            return None
