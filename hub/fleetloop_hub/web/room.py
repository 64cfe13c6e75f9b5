"""How much room the hub's state folder takes, part by part, and what is left on its disk."""

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

_KEEP_S = 30.0
_PARTS = {
    "blobs": "models, rows, pictures and specs, each by its hash",
    "catalog": "documents: devices, runs, versions, rollouts, decisions",
    "telemetry.sqlite": "what devices have said",
    "broker": "what the broker keeps for devices",
    "data": "dataset versions being built",
    "runs": "what trainings work with",
    "trust": "what is signed for devices",
    "keys": "the hub's own keys and passwords",
    "audit.jsonl": "who did what",
}
_OTHER = "other"


@dataclass(frozen=True)
class Part:
    """A part of the state folder.

    Attributes:
        name: Its file or folder; "other" is all that has no line of its own.
        text: What is in it.
        size_bytes: How much.
        files: How many files.
    """

    name: str
    text: str
    size_bytes: int
    files: int


@dataclass(frozen=True)
class RoomView:
    """All of it.

    Attributes:
        parts: The largest first.
        free_bytes: What is left on the disk for the hub's user.
        disk_bytes: The size of the disk.
        at: Unix seconds at which it was counted.
    """

    parts: list[Part]
    free_bytes: int
    disk_bytes: int
    at: float

    @property
    def size_bytes(self) -> int:
        """All parts together."""
        return sum(part.size_bytes for part in self.parts)


class Room:
    """Counts at most every half minute. Safe to use from many threads."""

    def __init__(self, state_dir: Path, clock: Callable[[], float] = time.time) -> None:
        """Nothing is counted yet.

        Args:
            state_dir: The folder.
            clock: Unix seconds.
        """
        self._folder, self._clock = state_dir, clock
        self._lock = threading.Lock()
        self._last: RoomView | None = None

    def read(self) -> RoomView:
        """The room as it was counted last."""
        with self._lock:
            now = self._clock()
            if self._last is None or now - self._last.at >= _KEEP_S:
                self._last = self._count(now)
            return self._last

    def _count(self, now: float) -> RoomView:
        sums = {name: [0, 0] for name in (*_PARTS, _OTHER)}
        for part, size_bytes in _files(self._folder):
            named = next((name for name in _PARTS if part.startswith(name)), _OTHER)
            sums[named][0] += size_bytes
            sums[named][1] += 1
        texts = _PARTS | {_OTHER: "the rest"}
        parts = [Part(n, texts[n], size, files) for n, (size, files) in sums.items() if files]
        disk = shutil.disk_usage(self._folder)
        return RoomView(sorted(parts, key=lambda p: -p.size_bytes), disk.free, disk.total, now)


def _files(folder: Path) -> Iterator[tuple[str, int]]:
    """Each file's first folder and its size; what goes meanwhile is left out."""
    waiting = [(folder, "")]
    while waiting:
        here, part = waiting.pop()
        try:
            with os.scandir(here) as found:
                for entry in found:
                    name = part or entry.name
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append((Path(entry.path), name))
                    else:
                        yield name, entry.stat(follow_symlinks=False).st_size
        except OSError:  # it was there a moment ago
            continue
