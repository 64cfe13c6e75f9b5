"""A card as Markdown."""

from typing import assert_never

from fleetloop_hub.packaging.card.parts import (
    Badge,
    Block,
    Card,
    Cell,
    Commands,
    Facts,
    Level,
    Points,
    Reliability,
    Table,
    Text,
    Whisker,
)
from fleetloop_hub.packaging.card.words import number


def render(card: Card) -> str:
    """The card's text."""
    parts = [f"# {_safe(card.title)}: {card.state.text}", _safe(card.about)]
    parts.append(
        "\n".join(
            f"- **{value}** {what}{f' ({more})' if more else ''}"
            for value, what, more in card.figures
        )
    )
    for section in card.sections:
        parts.append(f"## {section.title}")
        parts += [_block(block) for block in section.blocks]
    return "\n\n".join(parts) + "\n"


def _block(block: Block) -> str:
    match block:
        case Text(text, level):
            return _safe(text) if level is Level.OFF else f"> **Mind:** {_safe(text)}"
        case Facts(pairs):
            return "\n".join(f"- **{_safe(name)}**: {_safe(value)}" for name, value in pairs)
        case Points(texts):
            return "\n".join(f"- {_safe(text)}" for text in texts)
        case Commands(lines):
            return "\n".join(["```", *lines, "```"])
        case Reliability(bins):
            points: list[list[Cell]] = [
                [f"{b.rows:,}", f"{b.score:.3f}", f"{b.share:.3f}"] for b in bins
            ]
            return _table(Table(["rows", "mean score", "share"], points, frozenset({0, 1, 2})))
        case Table():
            return _table(block)
    assert_never(block)


def _table(table: Table) -> str:
    rules = ["---:" if place in table.numbers else "---" for place in range(len(table.heads))]
    lines = [table.heads, rules, *[[_cell(cell) for cell in line] for line in table.lines]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(cell: Cell) -> str:
    match cell:
        case None:
            return "-"
        case Badge(level, text):
            return f"**{_safe(text)}**" if level in {Level.BAD, Level.GOOD} else _safe(text)
        case Whisker(value, low, high):
            return f"{number(value)} ({low:.3f} to {high:.3f})"
        case str():
            return _safe(cell)
    assert_never(cell)


def _safe(text: str) -> str:
    """What a name or a reason holds does not become a table, a tag or a link."""
    plain = " ".join(text.split())
    for sign in "\\`|<>[]*_#":
        plain = plain.replace(sign, f"\\{sign}")
    return plain
