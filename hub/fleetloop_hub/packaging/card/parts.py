"""What a model card is made of, before it becomes Markdown or HTML."""

from dataclasses import dataclass, field
from enum import StrEnum

from fleetloop_hub.version_parts import CalibrationBin


class Level(StrEnum):
    """How good news is."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    OFF = "off"


@dataclass(frozen=True)
class Badge:
    """One word that is seen first.

    Attributes:
        level: How good it is.
        text: The word.
    """

    level: Level
    text: str


@dataclass(frozen=True)
class Whisker:
    """A number with its interval, on a scale, beside what it must reach.

    Attributes:
        value: The number.
        low: Lower end of the interval.
        high: Upper end.
        scale: Where the picture begins and ends.
        limit: What it must reach, None for nothing.
        level: How good it is.
    """

    value: float
    low: float
    high: float
    scale: tuple[float, float]
    limit: float | None = None
    level: Level = Level.OFF


Cell = str | Badge | Whisker | None


@dataclass(frozen=True)
class Table:
    """Lines of cells.

    Attributes:
        heads: Of the columns.
        lines: A list of cells a line.
        numbers: The columns, by place, that are numbers.
    """

    heads: list[str]
    lines: list[list[Cell]]
    numbers: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Facts:
    """Names and what stands behind them."""

    pairs: list[tuple[str, str]]


@dataclass(frozen=True)
class Text:
    """A paragraph.

    Attributes:
        text: In words.
        level: `OFF` for plain text; anything else stands out.
    """

    text: str
    level: Level = Level.OFF


@dataclass(frozen=True)
class Points:
    """A list of sentences."""

    texts: list[str]


@dataclass(frozen=True)
class Commands:
    """What to type."""

    lines: list[str]


@dataclass(frozen=True)
class Reliability:
    """Scores against what was true."""

    bins: list[CalibrationBin]


Block = Table | Facts | Text | Points | Commands | Reliability


@dataclass(frozen=True)
class Section:
    """A part of the card.

    Attributes:
        title: Of the part.
        blocks: What it says.
    """

    title: str
    blocks: list[Block]


@dataclass(frozen=True)
class Card:
    """All of it.

    Attributes:
        title: The model and the version.
        state: What may be done with it.
        about: One sentence.
        figures: The few numbers that are seen first: value, what it is, and more about it.
        sections: The parts, in order.
    """

    title: str
    state: Badge
    about: str
    figures: list[tuple[str, str, str]] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)
