"""Keeps a second agent away from a state folder."""

import fcntl
import os
from pathlib import Path

from fleetloop_agent.errors import StateError
from fleetloop_shared.durable import make_folder
from fleetloop_shared.errors import DiskFullError


class StateLock:
    """A lock that ends with the process, however the process ends."""

    def __init__(self, state_dir: Path) -> None:
        """Take the folder; it is made if it is not there.

        Args:
            state_dir: The agent's state folder.

        Raises:
            StateError: Another agent has it, or it cannot be written.
        """
        try:
            make_folder(state_dir, 0o700)
            self._descriptor = os.open(state_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except (OSError, DiskFullError) as error:
            raise StateError(
                f"{state_dir} cannot be used ({error}): give this user write access,"
                " or name another state_dir"
            ) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._descriptor)
            raise StateError(
                f"another agent uses {state_dir}: stop it first, or name another state_dir"
            ) from error

    def release(self) -> None:
        """Let another agent have the folder."""
        os.close(self._descriptor)
