"""What the writers of operators share: tensors as C text, tables, statements, routines."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from fleetloop_hub.errors import UnsupportedModelError
from fleetloop_hub.packaging.c_program.flash import C_TYPES, Flash
from fleetloop_hub.packaging.c_program.graph_facts import Facts
from fleetloop_hub.packaging.c_program.statements import ARENAS, Statement, Statements

_KINDS = {"int64": "int32_t", "int32": "int32_t"}

INPUT, OUTPUT = "row", "outputs"
"""What the function's arguments are called."""


@dataclass(frozen=True)
class Value:
    """A tensor for one row: stored in a buffer, or an expression worked out where it is used.

    Attributes:
        kind: The C type of an element.
        count: How many elements.
        at: C text of the element whose place is the given C text.
        in_step: Buffers that are read at that same place alone.
        elsewhere: Buffers that are read at other places too.
        stored: The buffer's name; "" for an expression.
        cheap: Whether working it out is no more than reading it.
    """

    kind: str
    count: int
    at: Callable[[str], str]
    in_step: frozenset[str] = frozenset()
    elsewhere: frozenset[str] = frozenset()
    stored: str = ""
    cheap: bool = False

    @property
    def reads(self) -> frozenset[str]:
        """All buffers that are read."""
        return self.in_step | self.elsewhere


@dataclass
class Draft:
    """A C function that grows operator by operator.

    Attributes:
        facts: The graph.
        flash: Its tables.
        statements: Its lines.
        routines: Names of the routines that it calls.
        functions: Functions of its own, as C.
        values: What stands for each tensor so far.
    """

    facts: Facts
    flash: Flash = field(default_factory=Flash)
    statements: Statements = field(default_factory=Statements)
    routines: set[str] = field(default_factory=set)
    functions: list[str] = field(default_factory=list)
    values: dict[str, Value] = field(default_factory=dict)

    def kind(self, name: str) -> str:
        """The C type of a tensor.

        Raises:
            UnsupportedModelError: It has none here.
        """
        known = self.facts.types[name]
        kind = _KINDS.get(known) or C_TYPES.get(known)
        if kind not in ARENAS:
            raise UnsupportedModelError(f"numbers of the type {known}")
        return kind

    def buffer(self, name: str) -> str:
        """A place for a tensor that is to be stored."""
        if name == self.facts.wanted:
            return OUTPUT
        return self.statements.buffer(self.kind(name), self.facts.count(name))

    def keep(self, name: str, text: str, into: str, reads: frozenset[str]) -> None:
        """A tensor that the lines `text` store into a buffer.

        Args:
            name: The tensor.
            text: The lines.
            into: What `buffer` has said.
            reads: The buffers that the lines read.
        """
        self.statements.add(Statement(text, into, reads))
        self.values[name] = stored(into, self.kind(name), self.facts.count(name))

    def put(self, name: str, value: Value) -> None:
        """A tensor that is an expression; stored at once if it is used twice and not cheap."""
        self.values[name] = value
        often = self.facts.uses.get(name, 0) > 1 and not value.cheap
        if often or name == self.facts.wanted:
            self.store(name)

    def store(self, name: str) -> str:
        """The buffer in which a tensor stands from here on."""
        value = self.values[name]
        if value.stored:
            return value.stored
        into = self.buffer(name)
        line = f"{into}[i] = {value.at('i')};"
        text = loop(value.count, line)
        self.statements.add(
            Statement(text, into, value.reads, in_step=value.in_step - value.elsewhere)
        )
        self.values[name] = stored(into, value.kind, value.count)
        return into

    def constant(self, name: str) -> np.ndarray | None:
        """A tensor that is the same for every row; None of any other."""
        return self.facts.constants.get(name)


def stored(buffer: str, kind: str, count: int) -> Value:
    """A value that stands in a buffer."""
    return Value(
        kind,
        count,
        lambda place: f"{buffer}[{place}]",
        in_step=frozenset({buffer}),
        stored=buffer,
        cheap=True,
    )


def loop(count: int, line: str) -> str:
    """A line for each `i` below a count."""
    if count == 1:
        return line.replace("[i]", "[0]")
    return f"for (size_t i = 0; i < {count}; i++)\n    {line}"
