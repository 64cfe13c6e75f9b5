"""What a power cut may leave in the flash: every outcome of what was not synced.

The weakest behaviour that POSIX allows: each unsynced write is lost, torn (its beginning or its end
is there), zero-filled or whole, and any subset of the unsynced names has come about. Sources: ALICE
(OSDI 2014); CrashMonkey (OSDI 2018).
"""

import itertools
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Image:
    """What is in the flash when power comes back.

    Attributes:
        files: Every file's bytes.
        folders: Every folder; one that was made is there for good.
    """

    files: dict[Path, bytes]
    folders: frozenset[Path] = frozenset()

    @property
    def key(self) -> frozenset[tuple[Path, bytes]]:
        """Equal for images that no program can tell apart."""
        return frozenset(self.files.items())

    def rotten(self, path: Path, bit: int) -> "Image":
        """The same with one bit of a file flipped."""
        return Image(self.files | {path: flipped(self.files[path], bit)}, self.folders)


def flipped(data: bytes, bit: int) -> bytes:
    """The bytes with one bit changed, counted from the first, beyond the end from the first again.

    >>> flipped(b"a", 1)
    b'c'
    """
    if not data:
        return data
    at, shift = divmod(bit % (8 * len(data)), 8)
    return data[:at] + bytes([data[at] ^ 1 << shift]) + data[at + 1 :]


@dataclass(frozen=True)
class Write:
    """An unsynced write.

    Attributes:
        offset: Where.
        data: What; None is a truncation to nothing.
    """

    offset: int = 0
    data: bytes | None = None

    def outcomes(self) -> "list[Write | None]":
        """What a cut may leave of it; None: nothing."""
        if not self.data:
            return [None, self]
        half = len(self.data) // 2
        beginning = Write(self.offset, self.data[:half])
        end = Write(self.offset + half, self.data[half:])
        zeros = Write(self.offset, bytes(len(self.data)))
        return [None, beginning, end, zeros, self]

    def on(self, data: bytes) -> bytes:
        """The file's bytes after it."""
        if self.data is None:
            return b""
        if not self.data:
            return data
        padded = data.ljust(self.offset, b"\0")
        end = self.offset + len(self.data)
        return padded[: self.offset] + self.data + padded[end:]


@dataclass(eq=False)
class Node:
    """A file's bytes, apart from its names.

    Attributes:
        synced: What is durable.
        data: What a reader sees.
        unsynced: The writes between the two.
    """

    synced: bytes = b""
    data: bytes = b""
    unsynced: list[Write] = field(default_factory=list)

    def add(self, write: Write) -> None:
        """Write, not durably."""
        self.unsynced.append(write)
        self.data = write.on(self.data)


@dataclass(frozen=True, eq=False)
class Naming:
    """A change of one name.

    Attributes:
        path: The name.
        node: What it names from now on; None: nothing.
        old: The name in the same folder that is given up in the same breath, by a rename.
        after: What has come about whenever this has: a file that is moved to another folder may
            be in both for a while, never in neither.
    """

    path: Path
    node: Node | None
    old: Path | None = None
    after: "Naming | None" = None


def settle(names: dict[Path, Node], namings: Sequence[Naming]) -> None:
    """Let changes of names come about, in order."""
    for naming in namings:
        if naming.old is not None:
            names.pop(naming.old, None)
        if naming.node is None:
            names.pop(naming.path, None)
        else:
            names[naming.path] = naming.node


class Aftermath:
    """All that a cut at this moment may leave."""

    def __init__(
        self, names: dict[Path, Node], namings: Sequence[Naming], folders: set[Path]
    ) -> None:
        """Look at a flash.

        Args:
            names: The durable names.
            namings: The changes of names that are not durable, in order.
            folders: The folders there are.
        """
        self._names = dict(names)
        self._namings = list(namings)
        self._folders = frozenset(folders)
        nodes = {id(n): n for n in names.values()}
        nodes |= {id(n.node): n.node for n in namings if n.node is not None}
        self._writes = [(node, write) for node in nodes.values() for write in node.unsynced]
        self._outcomes = [write.outcomes() for _, write in self._writes]

    @property
    def count(self) -> int:
        """How many outcomes there are, before equal ones are taken together."""
        return math.prod(len(o) for o in self._outcomes) << len(self._namings)

    def every(self) -> Iterator[Image]:
        """Every different image."""
        seen = set()
        for writes in itertools.product(*self._outcomes):
            for flags in itertools.product([False, True], repeat=len(self._namings)):
                image = self._image(writes, flags)
                if image is not None and image.key not in seen:
                    seen.add(image.key)
                    yield image

    def whole(self) -> Image:
        """The image in which nothing is lost: as when the program ends, and not the power."""
        return self._extreme(-1)

    def some(self, limit: int, seed: int) -> list[Image]:
        """At most `limit` different images: all there are, or chosen by lot.

        Args:
            limit: How many; of two or more, everything lost and everything kept are the first.
            seed: For the lot.
        """
        if self.count <= limit:
            return list(self.every())
        lot = random.Random(seed)  # noqa: S311  # a reproducible choice, no secret
        found = {image.key: image for image in [self._extreme(0), self._extreme(-1)]}
        for _ in range(8 * limit):
            if len(found) >= limit:
                break
            kept = lot.choice([0.2, 0.5, 0.8])
            flags = [lot.random() < kept for _ in self._namings]
            image = self._image([lot.choice(o) for o in self._outcomes], flags)
            if image is not None:
                found[image.key] = image
        return list(found.values())[:limit]

    def _extreme(self, index: int) -> Image:
        flags = [index == -1 for _ in self._namings]
        image = self._image([outcomes[index] for outcomes in self._outcomes], flags)
        if image is None:
            raise AssertionError("nothing and everything are always legal")
        return image

    def _image(self, writes: Sequence[Write | None], flags: Sequence[bool]) -> Image | None:
        """One outcome; None if no file system leaves it."""
        happened = list(itertools.compress(self._namings, flags))
        for naming in happened:
            if naming.after in self._namings and naming.after not in happened:
                return None
        contents: dict[int, bytes] = {}
        for (node, _), write in zip(self._writes, writes, strict=True):
            data = contents.get(id(node), node.synced)
            contents[id(node)] = data if write is None else write.on(data)
        names = dict(self._names)
        settle(names, happened)
        files = {path: contents.get(id(node), node.synced) for path, node in names.items()}
        return Image(files, self._folders)
