"""The audit log: a file that only grows, each entry bound to the one before by its hash.

`audit.jsonl`  one entry a line
`audit.head`   how many of its bytes and entries count, and the hash of the last

An entry counts once the head says so; what lies behind is left from a cut or a full disk, and is
written over. Whoever changes, removes or adds a counted line is found out, unless they write the
head anew as well: keep a copy of the head's hash elsewhere to find that out too.
"""

import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec

from fleetloop_hub.audit_records import BEGINNING, AuditEntry, Deed
from fleetloop_hub.errors import AuditError
from fleetloop_hub.ports import Audit
from fleetloop_shared.codec import encode
from fleetloop_shared.durable import Disk, append, replace
from fleetloop_shared.errors import DiskFullError
from fleetloop_shared.ids import sha256_hex

LOG = Path("audit.jsonl")
HEAD = Path("audit.head")

_ROOM_BYTES = 1_000_000
"""Free space below which nothing is begun, so that what is logged can also be done."""


class _Head(msgspec.Struct, frozen=True, kw_only=True):
    entries: int = 0
    end: int = 0
    hash: str = BEGINNING
    sha256: str = sha256_hex(b"")


class FileAudit(Audit):
    """The log in a folder; for one process, any of whose threads may use it."""

    def __init__(self, disk: Disk) -> None:
        """Nothing is read or made yet.

        Args:
            disk: The folder; one that is damaged does not keep the hub from starting.
        """
        self._disk = disk
        self._lock = threading.Lock()

    def record(self, deed: Deed, now: float) -> str:
        with self._lock:
            if self._disk.free_bytes() < _ROOM_BYTES:
                raise DiskFullError(
                    f"no room for the audit log: free {_ROOM_BYTES:,} bytes; nothing was done"
                )
            head, data = self._head(), self._log()
            if sha256_hex(data[: head.end]) != head.sha256:
                self._check(head, data)
            entry = AuditEntry(
                **msgspec.structs.asdict(deed),
                number=head.entries + 1,
                at=now,
                previous=head.hash,
            ).sealed()
            end = append(self._disk, LOG, encode(entry), head.end)
            counted = _Head(
                entries=entry.number,
                end=end,
                hash=entry.hash,
                sha256=sha256_hex(self._log()[:end]),
            )
            replace(self._disk, HEAD, encode(counted))
            return entry.hash

    def entries(self) -> list[AuditEntry]:
        with self._lock:
            head = self._head()
            return self._check(head, self._log())

    def _head(self) -> _Head:
        try:
            return msgspec.json.decode(self._disk.read(HEAD), type=_Head)
        except FileNotFoundError:
            head = _Head()
        except msgspec.MsgspecError as error:
            raise _damaged(f"{HEAD} is not what it was ({error})") from error
        if len(list(_whole(self._log()))) > 1:  # a cut leaves one line without a head, not several
            raise _damaged(f"{HEAD} is gone")
        return head

    def _log(self) -> bytes:
        try:
            return self._disk.read(LOG)
        except FileNotFoundError:
            return b""

    def _check(self, head: _Head, data: bytes) -> list[AuditEntry]:
        """The entries that count.

        Raises:
            AuditError: They are not those that were written.
        """
        entries = list(_whole(data[: head.end]))
        if len(entries) < head.entries:
            raise _damaged(f"line {len(entries) + 1} of {LOG} is not what was written")
        last = entries[-1].hash if entries else BEGINNING
        if len(entries) > head.entries or last != head.hash:
            raise _damaged(f"{LOG} does not end as {HEAD} says")
        if sha256_hex(data[: head.end]) != head.sha256:
            raise _damaged(f"{LOG} is not what was written, between its entries")
        return entries


def _whole(data: bytes) -> Iterator[AuditEntry]:
    """Entries from the first on, as long as each is whole and follows the one before."""
    previous = BEGINNING
    for number, line in enumerate(data.split(b"\n")[:-1], 1):
        try:
            entry = msgspec.json.decode(line, type=AuditEntry)
        except msgspec.MsgspecError:
            return
        if not entry.follows(previous, number):
            return
        yield entry
        previous = entry.hash


def _damaged(what: str) -> AuditError:
    return AuditError(
        f"the audit log was changed or damaged: {what}; nothing was done. Keep {LOG} and {HEAD} as "
        "evidence in another place, restore them from a copy, or move them away to begin a new log"
    )
