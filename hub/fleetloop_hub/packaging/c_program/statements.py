"""The statements of a C function, and where in the work memory what they compute stands."""

from dataclasses import dataclass, field

ARENAS = {"float": "floats", "int32_t": "longs", "uint8_t": "bytes", "int8_t": "steps"}
"""The member of the work memory that holds each type."""

SIZES = {"float": 4, "int32_t": 4, "uint8_t": 1, "int8_t": 1}


@dataclass(frozen=True)
class Buffer:
    """A piece of work memory.

    Attributes:
        name: As statements call it.
        kind: Its C type.
        count: How many.
    """

    name: str
    kind: str
    count: int


@dataclass(frozen=True)
class Statement:
    """Some lines of C that fill one buffer.

    Attributes:
        text: The lines.
        writes: The buffer's name.
        reads: Names of the buffers that are read.
        in_step: Those of them that are read only at the place that is written next, so that the
            result may take their place.
    """

    text: str
    writes: str
    reads: frozenset[str]
    in_step: frozenset[str] = frozenset()


@dataclass
class Statements:
    """Grows statement by statement; each buffer is filled by one of them."""

    buffers: dict[str, Buffer] = field(default_factory=dict)
    lines: list[Statement] = field(default_factory=list)

    def buffer(self, kind: str, count: int) -> str:
        """A new buffer's name."""
        name = f"t{len(self.buffers)}"
        self.buffers[name] = Buffer(name, kind, count)
        return name

    def add(self, statement: Statement) -> None:
        """Append a statement."""
        self.lines.append(statement)

    def places(self) -> dict[str, int]:
        """Where each buffer begins in its arena: no two that are needed at once overlap."""
        first = {s.writes: k for k, s in reversed(list(enumerate(self.lines)))}
        last = {name: k for k, s in enumerate(self.lines) for name in (*s.reads, s.writes)}
        placed: dict[str, int] = {}
        for number, statement in enumerate(self.lines):
            name = statement.writes
            if name in placed or name not in self.buffers:
                continue
            mine = self.buffers[name]
            heirs = [
                old
                for old in sorted(statement.in_step)
                if last.get(old) == number and self._as_large(old, mine) and old in placed
            ]
            busy = [
                self.buffers[other]
                for other in placed
                if self.buffers[other].kind == mine.kind
                and other not in heirs[:1]
                and last[other] >= number
                and first[other] <= last[name]
            ]
            placed[name] = placed[heirs[0]] if heirs else _gap(busy, placed, mine.count)
        return placed

    def _as_large(self, old: str, new: Buffer) -> bool:
        known = self.buffers.get(old)
        return known is not None and known.kind == new.kind and known.count >= new.count

    def sizes(self) -> dict[str, int]:
        """How many of each C type the work memory holds."""
        needed: dict[str, int] = {}
        for name, place in self.places().items():
            buffer = self.buffers[name]
            needed[buffer.kind] = max(needed.get(buffer.kind, 0), place + buffer.count)
        return needed


def _gap(busy: list[Buffer], placed: dict[str, int], count: int) -> int:
    """The first place where so many fit between those that are busy."""
    place = 0
    for other in sorted(busy, key=lambda b: placed[b.name]):
        if placed[other.name] - place >= count:
            return place
        place = max(place, placed[other.name] + other.count)
    return place
