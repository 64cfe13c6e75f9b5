"""Kills the real agent at every durable step of its updates, and prints what became of it.

`python tests/kill/run.py` takes each story of `support.killed_agent`, counts the calls that move
something durable, and kills a fresh agent at each of them; some minutes a story. Exits with 1 if
anything is not as it must be. Parts of it: `--stories roll-back --every 5`.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))  # tests/support

from support import strace
from support.killed_agent import STORIES, KillRig, Outcome, Story


def main() -> int:
    """Kill what is asked for; returns the exit code."""
    names = [story.name for story in STORIES]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stories", nargs="+", choices=names, default=names)
    parser.add_argument("--every", type=int, default=1, help="only every so many calls")
    asked = parser.parse_args()
    if strace.is_missing():
        sys.stderr.write("strace is not installed: apt-get install strace\n")
        return 1
    console = Console(width=None if sys.stdout.isatty() else 120)
    table = Table("story", "calls", "kills", "restarts", "chunks twice", "violations", "s")
    told = [story for story in STORIES if story.name in asked.stories]
    violations: list[str] = []
    with ThreadPoolExecutor(2) as pool:
        for row, wrong in pool.map(lambda story: _killed(story, asked.every, console), told):
            table.add_row(*row)
            violations += wrong
    console.print(table)
    for text in violations:
        console.print(text, markup=False)
    return 1 if violations else 0


def _killed(story: Story, every: int, console: Console) -> tuple[list[str], list[str]]:
    """A row of the table, and the violations in words."""
    began, wrong = time.monotonic(), []
    outcomes: list[Outcome] = []
    with (
        tempfile.TemporaryDirectory(prefix="fleetloop-kill-") as folder,
        KillRig(Path(folder)) as rig,
    ):
        rig.begin(story)
        calls = rig.calls(story)
        for name, nth in _places(calls, every):
            outcome = _outcome(rig, story, name, nth)
            outcomes.append(outcome)
            wrong += [f"{story.name}, {name} {nth}: {text}" for text in outcome.violations]
            console.print(f"{story.name}: {name} {nth} of {calls[name]}: {outcome}", markup=False)
    killed = [outcome for outcome in outcomes if outcome.killed]
    row = [
        story.name,
        " ".join(f"{name} {count}" for name, count in calls.items()),
        str(len(killed)),
        str(len(killed)),
        f"at most {max((o.refetched for o in killed), default=0)}",
        str(len(wrong)),
        f"{time.monotonic() - began:.0f}",
    ]
    return row, wrong


def _places(calls: dict[str, int], every: int) -> Iterator[tuple[str, int]]:
    for name, count in calls.items():
        for nth in range(1, count + 1, every):
            yield name, nth


def _outcome(rig: KillRig, story: Story, name: str, nth: int) -> Outcome:
    try:
        return rig.kill(story, name, nth)
    except AssertionError as error:  # what the rig has waited for in vain
        return Outcome(killed=True, refetched=0, violations=[str(error)])


if __name__ == "__main__":
    sys.exit(main())
