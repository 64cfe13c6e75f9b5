"""What was answered to requests that bear a key, so that none of them is done twice.

`answers/<name>`  one JSON object a request, for a day

A request is noted before it is done, and its answer behind that: whoever finds the one without
the other, after the hub was killed, knows that it may have been done or not.
"""

import threading
from pathlib import Path

import msgspec

from fleetloop_shared.codec import encode
from fleetloop_shared.durable import Disk, replace
from fleetloop_shared.errors import DiskFullError

FOLDER = Path("answers")
KEPT_S = 86_400.0
MOST = 10_000
"""Requests of one day; more are refused, so that the promise to the others is kept."""
MOST_BYTES = 64_000_000
LONGEST_BYTES = 65_536
"""Of an answer; of a longer one is kept that it was given."""


class KeptAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A request that was begun, and what came of it.

    Attributes:
        asked: SHA-256 of what was asked.
        at: Unix seconds at which it was begun.
        status: HTTP status of the answer, 0 while there is none.
        kind: Media type of the answer.
        body: The answer, None where it is not kept.
    """

    asked: str
    at: float
    status: int = 0
    kind: str = ""
    body: bytes | None = None


class KeptAnswers:
    """Answers in a folder; for one process, any of whose threads may use it."""

    def __init__(self, disk: Disk) -> None:
        """Nothing is read or made yet.

        Args:
            disk: The hub's state folder.
        """
        self._disk = disk
        self._lock = threading.Lock()
        self._sizes: dict[str, tuple[float, int]] | None = None

    def begin(self, name: str, asked: str, now: float) -> KeptAnswer | None:
        """Note that a request is begun, or give what came of it before.

        Args:
            name: Of the request, fit for a file.
            asked: SHA-256 of what is asked.
            now: Unix seconds.

        Raises:
            DiskFullError: No room, or too many of this day; nothing was noted.
        """
        with self._lock:
            sizes = self._known(now)
            if name in sizes and (found := self._read(name)) is not None:
                return found
            if len(sizes) >= MOST:
                raise DiskFullError(
                    f"{MOST:,} requests with an Idempotency-Key are kept, as many as in a day are:"
                    " nothing was done; send it without one, or later"
                )
            self._keep(name, KeptAnswer(asked=asked, at=now))
            return None

    def end(self, name: str, status: int, kind: str, body: bytes | None) -> None:
        """Keep what came of a request that was begun.

        Raises:
            DiskFullError: No room; it stays noted as begun.
        """
        with self._lock:
            begun = self._read(name)
            if begun is None:
                return
            room_bytes = MOST_BYTES - sum(size for _, size in (self._sizes or {}).values())
            short = body is not None and len(body) <= min(LONGEST_BYTES, room_bytes)
            kept = body if short else None
            self._keep(name, msgspec.structs.replace(begun, status=status, kind=kind, body=kept))

    def forget(self, name: str) -> None:
        """Let a request be asked again that was not done."""
        with self._lock:
            self._drop(name)

    def _known(self, now: float) -> dict[str, tuple[float, int]]:
        """Time and size of what is kept, by name; what is older than a day is taken away."""
        if self._sizes is None:
            self._sizes = {}
            for name in self._disk.names(FOLDER):
                found = self._read(name)  # None of what a cut has left
                self._sizes[name] = (0, 0) if found is None else (found.at, len(found.body or b""))
        for name, (at, _) in list(self._sizes.items()):
            if not now - KEPT_S < at <= now + KEPT_S:
                self._drop(name)
        return self._sizes

    def _read(self, name: str) -> KeptAnswer | None:
        try:
            return msgspec.json.decode(self._disk.read(FOLDER / name), type=KeptAnswer)
        except (FileNotFoundError, msgspec.MsgspecError):
            return None

    def _keep(self, name: str, answer: KeptAnswer) -> None:
        replace(self._disk, FOLDER / name, encode(answer))
        if self._sizes is not None:
            self._sizes[name] = (answer.at, len(answer.body or b""))

    def _drop(self, name: str) -> None:
        self._disk.remove(FOLDER / name)
        if self._sizes is not None:
            self._sizes.pop(name, None)
