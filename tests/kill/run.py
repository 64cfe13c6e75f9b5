"""Kills real processes at every durable step, and prints what became of the fleet.

`python tests/kill/run.py` takes each story, counts the calls that move something durable or are
published, and kills the process that makes them at each one; some minutes a story. Exits with 1 if
anything is not as it must be. Parts of it: `--stories roll-back hub --every 5`.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))  # tests/support

from support import strace
from support.killed_agent import GOOD, STORIES, KillRig, Outcome, Story
from support.killed_hub import RESTARTS, calls_of_rollout, kill_hub, restart_broker
from support.world import World

CHUNKS = (1, 4, 8)
"""The broker is restarted when the device has so many of the artifact's chunks."""

ERRORS = ("ENOSPC", "EDQUOT", "EROFS", "EIO", "EACCES")
FAILING_CALLS = ("pwrite64", "fsync,fdatasync", "rename", "pwrite64,fsync,fdatasync,rename,unlink")

Kill = tuple[str, Callable[[], Outcome]]
"""Where, in words, and the deed."""

Kills = Callable[[Path], Iterator[Kill]]
"""Makes what it needs in a folder, and kills as it is asked for the next one."""

_CONSOLE = Console(width=None if sys.stdout.isatty() else 120)


def main() -> int:
    """Kill what is asked for; returns the exit code."""
    stories: dict[str, Kills] = {story.name: partial(_agent, story) for story in STORIES}
    stories |= {
        "failing disk": _disk,
        "broker": _broker,
        "hub": _hub,
        "hub and broker": _hub_and_broker,
    }
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stories", nargs="+", choices=stories, default=list(stories))
    parser.add_argument("--every", type=int, default=1, help="only every so many kills")
    asked = parser.parse_args()
    if strace.is_missing():
        sys.stderr.write("strace is not installed: apt-get install strace\n")
        return 1
    table = Table("story", "kills", "restarts", "chunks sent twice", "violations", "seconds")
    violations: list[str] = []
    with ThreadPoolExecutor(2) as pool:
        made = pool.map(lambda name: _told(name, stories[name], asked.every), asked.stories)
        for row, wrong in made:
            table.add_row(*row)
            violations += wrong
    _CONSOLE.print(table)
    for text in violations:
        _CONSOLE.print(text, markup=False)
    return 1 if violations else 0


def _told(name: str, kills: Kills, every: int) -> tuple[list[str], list[str]]:
    """A row of the table, and the violations in words."""
    began, wrong = time.monotonic(), []
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="fleetloop-kill-") as folder:
        for number, (where, deed) in enumerate(kills(Path(folder))):
            if number % every:
                continue
            outcome = _outcome(deed)
            outcomes.append(outcome)
            wrong += [f"{name}, {where}: {text}" for text in outcome.violations]
            _CONSOLE.print(f"{name}, {where}: {outcome}", markup=False, highlight=False)
    killed = [outcome for outcome in outcomes if outcome.killed]
    most = max((outcome.refetched for outcome in killed), default=0)
    total = sum(outcome.refetched for outcome in killed)
    return [
        name,
        f"{len(outcomes):,}",
        f"{len(killed):,}",
        f"{total:,}, at most {most:,} a kill",
        f"{len(wrong):,}",
        f"{time.monotonic() - began:,.0f}",
    ], wrong


def _agent(story: Story, folder: Path) -> Iterator[Kill]:
    with KillRig(folder) as rig:
        rig.begin(story)
        for name, count in rig.calls(story).items():
            for nth in range(1, count + 1):
                yield f"{name} {nth} of {count}", partial(rig.kill, story, name, nth)


def _disk(folder: Path) -> Iterator[Kill]:
    with KillRig(folder) as rig:
        rig.begin(GOOD)
        for error in ERRORS:
            for names in FAILING_CALLS:
                yield f"{error} of {names}", partial(rig.fail, names, error)


def _broker(folder: Path) -> Iterator[Kill]:
    with closing(World(folder)) as world:
        for how in RESTARTS:
            for chunks in CHUNKS:
                where = f"{how.name}, at {chunks} chunks"
                yield where, partial(restart_broker, world, how, chunks)


def _hub(folder: Path, *, broker_too: bool = False) -> Iterator[Kill]:
    with closing(World(folder)) as world:
        calls = calls_of_rollout(world, folder / "calls")
        for name, count in calls.items():
            for nth in range(1, count + 1, 3 if broker_too else 1):
                deed = partial(kill_hub, world, name, nth, broker_too=broker_too)
                yield f"{name} {nth} of {count}", deed


def _hub_and_broker(folder: Path) -> Iterator[Kill]:
    yield from _hub(folder, broker_too=True)


def _outcome(deed: Callable[[], Outcome]) -> Outcome:
    try:
        return deed()
    except AssertionError as error:  # what was waited for in vain
        return Outcome(killed=True, refetched=0, violations=[f"{error!r:.3000}"])


if __name__ == "__main__":
    sys.exit(main())
