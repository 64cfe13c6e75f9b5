"""Writes what stories have found into a page, story by story, and leaves the rest of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = dict[str, Any]

BESIDE = {
    "story",
    "seed",
    "closed",
    "missing",
    "killed_hub",
    "console",
    "hub_kills",
    "reason",
    "why",
}
"""What stands in columns of its own, or is about this machine, or is told in sentences."""


@dataclass(frozen=True)
class Telling:
    """A story as it is told once.

    Attributes:
        story: Which.
        seed: Of what is drawn.
        kill_hub: Whether the hub is killed.
    """

    story: str
    seed: int
    kill_hub: bool

    @property
    def command(self) -> str:
        """With which anybody tells it again."""
        kill = " --kill-hub" if self.kill_hub else ""
        return f"fleetloop demo --story {self.story} --seed {self.seed}{kill} --json"


def marks(story: str) -> tuple[str, str]:
    """Between these a page has what a story has found."""
    return f"<!-- told: {story} -->", f"<!-- end: {story} -->"


def write(page: Path, told: list[tuple[Telling, Json]]) -> None:
    """Put each story's table between its marks.

    Args:
        page: A page with `<!-- told: STORY -->` and `<!-- end: STORY -->` for each story.
        told: Every telling with its summary.

    Raises:
        ValueError: A story has no marks in the page.
    """
    text = page.read_text("utf-8")
    for story in dict.fromkeys(telling.story for telling, _ in told):
        begin, end = marks(story)
        if begin not in text or end not in text:
            raise ValueError(f"{page} has no marks for {story}: add {begin} and {end}")
        before, rest = text.split(begin, 1)
        body = table([(telling, found) for telling, found in told if telling.story == story])
        text = f"{before}{begin}\n{body}\n{end}{rest.split(end, 1)[1]}"
    page.write_text(text, "utf-8")


def table(told: list[tuple[Telling, Json]]) -> str:
    """One column a telling, one line a finding, and the commands to repeat them."""
    names = dict.fromkeys(name for _, found in told for name in found if name not in BESIDE)
    heads = [
        f"seed {telling.seed}{', hub killed' if telling.kill_hub else ''}" for telling, _ in told
    ]
    lines = [
        _line(["", *heads]),
        _line(["---", *("---:" for _ in told)]),
        _line(["ended right", *(_verdict(found) for _, found in told)]),
        _line(["kills of the hub", *(str(found.get("hub_kills", 0)) for _, found in told)]),
        *(_line([_words(name), *(_value(found.get(name)) for _, found in told)]) for name in names),
    ]
    commands = [f".venv/bin/{telling.command}" for telling, _ in told]
    return "\n".join(["", *lines, "", "```", *commands, "```", ""])


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _verdict(found: Json) -> str:
    return "yes" if found["closed"] else f"**no**: {'; '.join(found['missing'])}"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _value(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return "-" if value is None else str(value)
