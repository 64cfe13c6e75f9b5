"""Keeps the monitor's open window on the disk, so that a restart does not begin it anew.

Flash wears: it is written at a graceful end, and otherwise once in ten minutes in which rows were
served. A power cut so loses what was served in the ten minutes before it, at most, and no row is
counted twice: before the end of a reporting window is reported, what is kept of it is discarded.
"""

import contextlib
from pathlib import Path

from fleetloop_agent.serving.open_window import OpenWindow, pack
from fleetloop_shared.durable import Disk, discard, replace
from fleetloop_shared.errors import DiskFaultError, DiskFullError
from fleetloop_shared.manifest import Manifest

PATH = Path("monitor/open-window")

KEEP_S = 600.0
"""How long what was counted may be in memory only."""

_TROUBLE = (DiskFullError, DiskFaultError)


class Keeping:
    """One file on one disk. A disk that is full or broken keeps nothing, and nothing else fails."""

    def __init__(self, disk: Disk, now: float) -> None:
        """Nothing has been kept yet.

        Args:
            disk: The state folder.
            now: Monotonic seconds.
        """
        self._disk = disk
        self._kept_at = now
        self._kept_row: tuple[str, int] | None = None
        self._there = True
        self._artifact: str | None = None

    def counts_for(self, artifact: str | None) -> None:
        """Rows are counted for this artifact now; what was kept for another is of no use."""
        if self._artifact is not None and artifact != self._artifact:
            self.forget()
        self._artifact = artifact

    def due(self, now: float) -> bool:
        """Whether it is time to keep what was counted."""
        return now - self._kept_at >= KEEP_S

    def recall(self) -> bytes | None:
        """What was kept, None if there is nothing that can be read."""
        with contextlib.suppress(FileNotFoundError, OSError, *_TROUBLE):
            return self._disk.read(PATH)
        self._there = False
        return None

    def keep(self, window: OpenWindow, manifest: Manifest, now: float) -> None:
        """Write down what was counted, if it is something new."""
        self._kept_at = now
        row = manifest.sha256, window.rest.first_row + len(window.rest.scores)
        if row == self._kept_row:
            return
        if window.empty:
            self.forget()
            return
        with contextlib.suppress(*_TROUBLE):
            replace(self._disk, PATH, pack(window, manifest))
            self._kept_row, self._there = row, True

    def forget(self) -> None:
        """Take away what was kept: it is of a window that is over, or of no use."""
        self._kept_row = None
        if not self._there:
            return
        with contextlib.suppress(FileNotFoundError, *_TROUBLE):
            discard(self._disk, PATH)
            self._there = False
