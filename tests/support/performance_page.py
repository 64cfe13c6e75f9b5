"""Writes what a benchmark has measured into a page, part by part, and leaves the rest of it."""

import operator
from itertools import groupby
from pathlib import Path
from typing import Any

OPERATORS = {"<=": operator.le, ">=": operator.ge}

Figure = dict[str, Any]


def reached(figure: Figure) -> bool:
    """Whether a figure meets its target; one without a target does."""
    compare = OPERATORS.get(str(figure["op"]))
    return compare is None or bool(compare(figure["value"], figure["target"]))


def write(page: Path, about: dict[str, Any], figures: list[Figure]) -> None:
    """Put the tables of these figures between the marks of their parts.

    Args:
        page: A page with `<!-- measured: PART -->` and `<!-- end: PART -->` around each part.
        about: When and on what it was measured.
        figures: With their part.

    Raises:
        ValueError: A part has no marks in the page.
    """
    text = page.read_text("utf-8")
    for part, measured in groupby(figures, lambda figure: str(figure["part"])):
        begin, end = f"<!-- measured: {part} -->", f"<!-- end: {part} -->"
        if begin not in text or end not in text:
            raise ValueError(f"{page} has no marks for {part}: add {begin} and {end}")
        body = f"{begin}\n{_table(about, list(measured))}\n\n{end}"
        before, rest = text.split(begin, 1)
        after = rest.split(end, 1)[1]
        text = before + body + after
    page.write_text(text, "utf-8")


def _table(about: dict[str, Any], figures: list[Figure]) -> str:
    day, load, machine = str(about["at"])[:10], about["load_at_end"], about["machine"]
    where = f"{machine}, {about['cores']} cores, Python {about['python']}, load {load:.1f}"
    lines = [
        f"Measured {day} on {where} at the end.",
        "",
        "| what | value | target | | beside it, in the same run |",
        "| --- | ---: | ---: | --- | --- |",
    ]
    return "\n".join([*lines, *map(_row, figures)])


def _row(figure: Figure) -> str:
    target = f"{figure['op']} {figure['target']}" if figure["op"] else ""
    verdict = ("reached" if reached(figure) else "**missed**") if figure["op"] else ""
    peers = ", ".join(f"{name} {value}" for name, value in figure["peers"].items())
    value = f"{figure['value']} {figure['unit']}".strip()
    cells = [str(figure["metric"]), value, target, verdict, peers]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
