"""`fleetloop-sim chaos`, which `make chaos` runs."""

import importlib.util
import logging
import re
import time
from collections import Counter
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from fleetloop_firmware_sim.chaos.draw import draw
from fleetloop_firmware_sim.chaos.shrink import shrink
from fleetloop_firmware_sim.chaos.story import Ending, Story
from fleetloop_firmware_sim.errors import NoHubError, StoryError

_Seeds = Annotated[int, typer.Option(min=1, help="How many stories to run.")]
_First = Annotated[int, typer.Option("--from", min=0, help="The first seed.")]
_Seed = Annotated[int | None, typer.Option(min=0, help="Run this one story, and show it.")]
_File = Annotated[
    Path | None, typer.Option("--story", help="Run the story in this file, as --save has left it.")
]
_Save = Annotated[
    Path | None, typer.Option(help="Where to leave the shortened story of a broken promise.")
]
_Jobs = Annotated[int, typer.Option(min=1, help="Processes at the same time.")]
_Trace = Annotated[bool, typer.Option("--trace", help="Show all that happens in the one story.")]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object at the end.")]


class Broken(msgspec.Struct, frozen=True, kw_only=True):
    """A promise that was broken.

    Attributes:
        seed: Of the story.
        text: The promise.
        events: The shortened story, a line an event.
        story: The same as data.
    """

    seed: int
    text: str
    events: list[str]
    story: Story


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a run.

    Attributes:
        stories: How many were run.
        rollouts: How many rollouts ended in each state.
        virtual_hours: Time that passed in them.
        seconds: Time that it took.
        seeds_per_s: Stories a second.
        broken: Broken promises.
    """

    stories: int
    rollouts: dict[str, int]
    virtual_hours: float
    seconds: float
    seeds_per_s: float
    broken: list[Broken]


def chaos(  # noqa: PLR0913  # a command line's options
    *,
    seeds: _Seeds = 100,
    first: _First = 0,
    seed: _Seed = None,
    story: _File = None,
    save: _Save = None,
    jobs: _Jobs = 1,
    trace: _Trace = False,
    as_json: _Json = False,
) -> None:
    """Tell whole fleets' stories of trouble, each from one seed; exit code 1 on a broken promise.

    The agents and the hub are the real ones; power, disks, network, clocks and an attacker are the
    story's.
    """
    if importlib.util.find_spec("fleetloop_hub") is None:
        raise NoHubError("a story needs the hub: install fleetloop-firmware-sim[chaos]")
    out, err = Console(), Console(stderr=True)
    logging.disable(logging.WARNING)
    began = time.monotonic()
    if seed is not None or story is not None:
        found = [_one(_read(story) if story is not None else draw(seed or 0), trace=trace)]
    else:
        found = _many(range(first, first + seeds), jobs, err)
    took_s = time.monotonic() - began
    broken = [_shortened(ending, story, err) for ending in found if ending.broken is not None]
    summary = Summary(
        stories=len(found),
        rollouts=dict(sum((Counter(ending.rollouts) for ending in found), Counter())),
        virtual_hours=sum(ending.seconds for ending in found) / 3600,
        seconds=took_s,
        seeds_per_s=len(found) / took_s,
        broken=broken,
    )
    if broken and save is not None:
        save.write_bytes(msgspec.json.format(msgspec.json.encode(broken[0].story)))
    if as_json:
        typer.echo(msgspec.json.encode(summary))
    else:
        _show(summary, out)
    if broken:
        raise typer.Exit(1)


def _run(story: Story, *, keep_lines: bool = False) -> Ending:
    from fleetloop_firmware_sim.chaos.run import run  # noqa: PLC0415  # it needs the hub

    return run(story, keep_lines=keep_lines)


def _one(story: Story, *, trace: bool) -> Ending:
    for line in story.words:
        typer.echo(line, err=True)
    ending = _run(story, keep_lines=trace)
    for line in ending.lines:
        typer.echo(line, err=True)
    return ending


def _many(seeds: range, jobs: int, err: Console) -> list[Ending]:
    from fleetloop_firmware_sim.chaos.many import endings  # noqa: PLC0415  # it needs the hub

    found: list[Ending] = []
    columns = (
        TextColumn("stories"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err) as progress:
        task = progress.add_task("stories", total=len(seeds), rate="")
        began = time.monotonic()
        for ending in endings(seeds, jobs):
            found.append(ending)
            rate = len(found) / (time.monotonic() - began)
            progress.update(task, advance=1, rate=f"{rate:.1f} seeds/s")
            if ending.broken is not None:
                progress.console.print(f"seed {ending.seed}: {ending.broken}", highlight=False)
    return sorted(found, key=lambda ending: ending.seed)


def _shortened(ending: Ending, path: Path | None, err: Console) -> Broken:
    story = _read(path) if path is not None else draw(ending.seed)
    gist = _gist(ending.broken)
    with err.status(f"shortening the story of seed {ending.seed}"):
        short = shrink(story, lambda shorter: _gist(_run(shorter).broken) == gist)
    text = _run(short).broken or ""
    return Broken(seed=ending.seed, text=text, events=short.words, story=short)


def _gist(text: str | None) -> str | None:
    """What broke, without who, when and which: another break is another story."""
    return None if text is None else re.sub(r"[0-9a-f]*[0-9][0-9a-f]*", "", text)[:60]


def _read(path: Path) -> Story:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Story)
    except (OSError, msgspec.MsgspecError) as error:
        raise StoryError(f"{path} is no story: {error}; leave one with --save") from error


def _show(summary: Summary, out: Console) -> None:
    for broken in summary.broken:
        out.print(f"\nseed {broken.seed}: {broken.text}", style="red", highlight=False)
        for line in broken.events:
            out.print(f"  {line}", highlight=False)
        out.print(f"  again: fleetloop-sim chaos --seed {broken.seed} --trace", highlight=False)
    rollouts = ", ".join(f"{count:,} {state}" for state, count in summary.rollouts.items())
    out.print(
        f"{summary.stories:,} stories with {rollouts} rollouts,"
        f" {summary.virtual_hours:,.1f} hours of theirs in"
        f" {summary.seconds:,.0f} s ({summary.seeds_per_s:.1f} a second):"
        f" {len(summary.broken)} broken promises",
        highlight=False,
    )
