"""Writes the tables of docs/rollouts.md from the rollout's table: its states and what leads on.

`make docs` runs it; a test compares what it would write with what is there.
"""

import inspect
import re
import sys
from enum import StrEnum
from pathlib import Path

from fleetloop_hub.delivery.rollout_states import MEANINGS, TRANSITIONS, Effect, Event
from fleetloop_shared.durable import RealDisk, replace

BEGIN, END = "<!-- made by make docs -->", "<!-- end of what make docs makes -->"

_EXPLAINED = re.compile(r"^    ([A-Z_]+): (.*(?:\n {8}.*)*)", re.MULTILINE)


def filled(page: str) -> str:
    """A page with the tables between its marks."""
    before, rest = page.split(BEGIN, 1)
    _, after = rest.split(END, 1)
    return f"{before}{BEGIN}\n\n{_states()}\n{_transitions()}\n{END}{after}"


def _states() -> str:
    lines = ["| state | what it means |", "|---|---|"]
    lines += [f"| `{state}` | {meaning} |" for state, meaning in MEANINGS.items()]
    return "\n".join(lines) + "\n"


def _transitions() -> str:
    events, effects = explained(Event), explained(Effect)
    lines = [
        "| state | event | next | what happened | what the hub does |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| `{state}` | `{event}` | `{following}` | {events[event.name]} | {effects[effect.name]} |"
        for state, row in TRANSITIONS.items()
        for event, (following, effect) in row.items()
    ]
    return "\n".join(lines) + "\n"


def explained(of: type[StrEnum]) -> dict[str, str]:
    """What the docstring of an enumeration says of each member."""
    found = _EXPLAINED.findall(inspect.getdoc(of) or "")
    return {name: " ".join(text.split()) for name, text in found}


if __name__ == "__main__":
    where = Path(sys.argv[1])
    text = filled(where.read_text("utf-8"))
    replace(RealDisk(where.parent), Path(where.name), text.encode())
