"""Runs the power-cut stories, shows how far they are, and says what was found."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from fleetloop_firmware_sim.scenarios.power_cut import (
    Effort,
    Outcome,
    count_moments,
    count_room_acts,
    cut_everywhere,
    fill_everywhere,
)
from fleetloop_firmware_sim.scenarios.update_story import Story, Update


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one story under one kind of trouble.

    Attributes:
        update: Which update the story is about.
        trouble: "power cut" or "full disk".
        moments: At how many moments.
        lives: How many lives were lived to the end.
        broken: Promises that were broken: the moment and what.
    """

    update: str
    trouble: str
    moments: int
    lives: int
    broken: list[str]


def look_everywhere(effort: Effort, progress_on: Console) -> list[Finding]:
    """Tell both stories, with the power cut at every moment and the disk full at every act.

    Args:
        effort: How much of what can happen is looked at.
        progress_on: Where to show how far it is.

    Raises:
        BrokenPromiseError: A story does not even end well without trouble.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    found = []
    with (
        tempfile.TemporaryDirectory() as folder,
        Progress(*columns, TimeElapsedColumn(), console=progress_on) as progress,
    ):
        for update in Update:
            story = Story(update, Path(folder))
            troubles: dict[str, tuple[int, Iterator[Outcome]]] = {
                "power cut": (count_moments(story), cut_everywhere(story, effort)),
                "full disk": (count_room_acts(story), fill_everywhere(story)),
            }
            for trouble, (moments, outcomes) in troubles.items():
                name = f"{update} update, {trouble}"
                outcomes_seen = list(progress.track(outcomes, moments, description=name))
                found.append(_finding(update, trouble, outcomes_seen))
    return found


def table(findings: list[Finding]) -> Table:
    """One line a story and kind of trouble."""
    drawn = Table("update", "trouble")
    for name in ["moments", "lives", "broken promises"]:
        drawn.add_column(name, justify="right")
    for f in findings:
        style = "red" if f.broken else "green"
        broken = f"[{style}]{len(f.broken)}[/]"
        drawn.add_row(f.update, f.trouble, f"{f.moments:,}", f"{f.lives:,}", broken)
    return drawn


def _finding(update: Update, trouble: str, outcomes: list[Outcome]) -> Finding:
    return Finding(
        update=update,
        trouble=trouble,
        moments=len(outcomes),
        lives=sum(outcome.lives for outcome in outcomes),
        broken=[f"{o.moment}, {o.act}: {text}" for o in outcomes for text in o.broken],
    )
