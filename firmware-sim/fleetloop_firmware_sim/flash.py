"""Flash memory under a power supply that can fail: it keeps what was synced, and no more."""

from pathlib import Path

from fleetloop_firmware_sim.crash import Aftermath, Image, Naming, Node, Write, flipped, settle
from fleetloop_firmware_sim.power import Moments
from fleetloop_shared.durable import Disk
from fleetloop_shared.errors import DiskFaultError, DiskFullError

LIMIT_BYTES = 64 * 1024 * 1024
"""How much fits, unless told otherwise."""


class Flash(Disk):
    """A file system in memory, as weak as POSIX allows; before each of its acts a moment passes.

    Attributes:
        moments: The power supply.
        limit_bytes: How much fits.
        room_acts: How many acts have asked for room: writes, syncs and renames.
        full_at: Which of those, by number from 0, find none.
        read_only: Whether nothing can be written any more, as after a fault; until the next boot.
        unreadable: Files that cannot be read.
    """

    def __init__(
        self,
        moments: Moments | None = None,
        image: Image | None = None,
        limit_bytes: int = LIMIT_BYTES,
    ) -> None:
        """Power on.

        Args:
            moments: The power supply; by default one that does not fail.
            image: What the last cut has left; by default nothing.
            limit_bytes: How much fits.
        """
        image = image or Image({})
        self.moments = moments or Moments()
        self.limit_bytes = limit_bytes
        self.room_acts = 0
        self.full_at = range(0)
        self.read_only = False
        self.unreadable: frozenset[Path] = frozenset()
        self._names = {path: Node(data, data) for path, data in image.files.items()}
        self._durable_names = dict(self._names)
        self._namings: list[Naming] = []
        self._folders = {Path(), *image.folders}.union(*[path.parents for path in image.files])

    def image(self) -> Image:
        """What a reader sees now."""
        return Image({p: n.data for p, n in self._names.items()}, frozenset(self._folders))

    def aftermath(self) -> Aftermath:
        """What a cut now may leave."""
        return Aftermath(self._durable_names, self._namings, self._folders)

    def rot(self, path: Path, bit: int) -> None:
        """Let one bit of a file flip, at rest and for every reader."""
        node = self._node(path)
        node.synced, node.data = flipped(node.synced, bit), flipped(node.data, bit)

    def read(self, path: Path) -> bytes:
        node = self._node(path)
        if path in self.unreadable:
            raise DiskFaultError(f"{path}: Input/output error; check the disk")
        return node.data

    def write(self, path: Path, data: bytes, offset: int | None = None) -> None:
        self._begin(f"write {path}")
        node = self._names.get(path)
        if node is None:
            node = Node()
            self._folders.update(path.parents)
            self._name(Naming(path, node))
        elif offset is None:
            node.add(Write())
        at = offset or 0
        room = self.free_bytes()
        missing = max(0, at + len(data) - len(node.data)) - room
        if self._finds_no_room() or missing > 0:
            node.add(Write(at, data[: min(room, len(data) // 2)]))
            raise _full(f"write {path}")
        node.add(Write(at, data))

    def sync(self, path: Path) -> None:
        self._begin(f"sync {path}")
        node = self._node(path)
        if self._finds_no_room():
            raise _full(f"write {path}")
        node.synced = node.data
        node.unsynced = []

    def rename(self, source: Path, target: Path) -> None:
        self._begin(f"rename {target}")
        self._folders.update(target.parents)
        node = self._node(source)
        if self._finds_no_room():
            raise _full(f"name {target}")
        if source.parent == target.parent:
            self._name(Naming(target, node, old=source))
        else:
            arrival = Naming(target, node)
            self._name(arrival)
            self._name(Naming(source, None, after=arrival))

    def sync_folder(self, path: Path) -> None:
        self.moments.tick(f"sync of folder {path}")
        if path not in self._folders:
            raise FileNotFoundError(path)
        synced = [n for n in self._namings if n.path.parent == path]
        arrived = {n.after.path for n in synced if n.after in self._namings}
        durable = [n for n in self._namings if n in synced or n.path in arrived]
        settle(self._durable_names, durable)
        self._namings = [n for n in self._namings if n not in durable]

    def remove(self, path: Path) -> None:
        self._begin(f"remove {path}")
        if path in self._names:
            self._name(Naming(path, None))

    def names(self, path: Path) -> list[str]:
        above = path.parts
        depth = len(above)
        known = [name.parts for name in [*self._names, *self._folders]]
        return sorted({n[depth] for n in known if len(n) > depth and n[:depth] == above})

    def free_bytes(self) -> int:
        return max(0, self.limit_bytes - sum(len(n.data) for n in self._names.values()))

    def _begin(self, act: str) -> None:
        self.moments.tick(act)
        if self.read_only:
            raise DiskFaultError(f"{act}: Read-only file system; check the disk")

    def _node(self, path: Path) -> Node:
        try:
            return self._names[path]
        except KeyError:
            raise FileNotFoundError(path) from None

    def _name(self, naming: Naming) -> None:
        self._namings.append(naming)
        settle(self._names, [naming])

    def _finds_no_room(self) -> bool:
        self.room_acts += 1
        return self.room_acts - 1 in self.full_at


def _full(act: str) -> DiskFullError:
    return DiskFullError(f"no room to {act}: free some space; nothing was harmed")
