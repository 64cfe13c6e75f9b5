"""Runs the power-cut stories, shows how far they are, and says what was found."""

import time
from collections.abc import Callable, Iterator

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from fleetloop_firmware_sim.scenarios.device_story import DeviceStory
from fleetloop_firmware_sim.scenarios.power_cut import QUICK, Effort, Outcome, Search
from fleetloop_firmware_sim.scenarios.shadow_story import ShadowStory
from fleetloop_firmware_sim.scenarios.trouble import (
    fill_everywhere,
    rot_everywhere,
    turn_read_only_everywhere,
)
from fleetloop_firmware_sim.scenarios.trust_story import TrustStory
from fleetloop_firmware_sim.scenarios.update_story import Update, UpdateStory

SPARSE = 15
"""Of the acts and moments of the other troubles, a quick look looks at every so manieth."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one story under one kind of trouble.

    Attributes:
        story: Which.
        trouble: "power cut", "full disk", "read-only disk" or "bit rot".
        moments: At how many moments or acts.
        states: How many lives could begin from there, equal ones counted each time.
        lives: How many lives were lived to the end.
        broken: Promises that were broken: the moment and what.
        seconds: How long it took, seconds of one processor.
    """

    story: str
    trouble: str
    moments: int
    states: int
    lives: int
    broken: list[str]
    seconds: float


Troubles = list[tuple[str, str, Callable[[], Iterator[Outcome]]]]


def troubles(effort: Effort) -> Troubles:
    """Every story under every trouble, as story, trouble and how to look at it.

    Args:
        effort: How much of what can happen is looked at.
    """
    every = SPARSE if effort == QUICK else 1
    stories: list[DeviceStory] = [UpdateStory(update) for update in Update]
    stories += [TrustStory(), ShadowStory()]
    found: Troubles = []
    for story in stories:
        found.append((story.name, "power cut", lambda s=story: Search(s, effort).outcomes()))  # type: ignore[misc]  # a lambda's default has no type
        if story.name == Update.DEADLY:
            continue
        found.append((story.name, "full disk", lambda s=story: fill_everywhere(s, every)))  # type: ignore[misc]  # as above
        found.append(
            (story.name, "read-only disk", lambda s=story: turn_read_only_everywhere(s, every))  # type: ignore[misc]  # as above
        )
        if isinstance(story, UpdateStory) and story.update is Update.GOOD:
            found.append((story.name, "bit rot", lambda s=story: rot_everywhere(s, every)))  # type: ignore[misc]  # as above
    return found


def look_everywhere(effort: Effort, progress_on: Console) -> list[Finding]:
    """Tell every story, with the power cut at every moment and the disk in trouble at every act.

    Args:
        effort: How much of what can happen is looked at.
        progress_on: Where to show how far it is.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    found = []
    with Progress(*columns, TimeElapsedColumn(), console=progress_on) as progress:
        for story, trouble, look in troubles(effort):
            began = time.process_time()
            task = progress.add_task(f"{story}, {trouble}", total=None)
            outcomes = []
            for outcome in look():
                outcomes.append(outcome)
                progress.advance(task)
            progress.update(task, total=len(outcomes))
            found.append(finding(story, trouble, outcomes, time.process_time() - began))
    return found


def table(findings: list[Finding]) -> Table:
    """One line a story and kind of trouble."""
    drawn = Table("story", "trouble")
    for name in ["moments", "states", "lives", "broken promises", "lives/s"]:
        drawn.add_column(name, justify="right")
    for f in findings:
        style = "red" if f.broken else "green"
        drawn.add_row(
            f.story,
            f.trouble,
            f"{f.moments:,}",
            f"{f.states:,}",
            f"{f.lives:,}",
            f"[{style}]{len(f.broken)}[/]",
            f"{f.lives / max(f.seconds, 1e-9):,.0f}",
        )
    return drawn


def finding(story: str, trouble: str, outcomes: list[Outcome], seconds: float) -> Finding:
    """What came of a story, put together."""
    return Finding(
        story=story,
        trouble=trouble,
        moments=sum(outcome.moment > 0 for outcome in outcomes),
        states=sum(outcome.states for outcome in outcomes),
        lives=sum(outcome.lives for outcome in outcomes),
        broken=[f"{o.moment}, {o.act}: {text}" for o in outcomes for text in o.broken],
        seconds=seconds,
    )
