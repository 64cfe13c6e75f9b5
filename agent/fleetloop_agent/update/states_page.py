"""Writes docs/states.md from the update's table: its diagram, its states, and every transition.

`make docs` runs it; a test compares what it would write with what is there.
"""

import inspect
import re
import sys
from pathlib import Path

from fleetloop_agent.update.states import MEANINGS, TRANSITIONS, Event, State
from fleetloop_shared.durable import RealDisk, replace

_OPENING = """\
# The states of an update

A device moves from one model to the next through these states, each durable before the next begins.
Power may fail at any moment: the state in the journal is the state that is resumed.
Whatever is not in the table cannot happen; a refusal is a report and changes no state.
A newer statement is followed from every state.
A trial that it finds undecided is left, and what was committed serves again; one that has failed \
is rolled back and barred first.
This page is made by `make docs` from `agent/fleetloop_agent/update/states.py`.
"""

_EVENT = re.compile(r"^    ([A-Z_]+): (.*(?:\n {8}.*)*)", re.MULTILINE)


def page() -> str:
    """The whole page, Markdown."""
    return f"{_OPENING}\n{_diagram()}\n{_states()}\n{_transitions()}"


def _diagram() -> str:
    rows = [
        f"    {_name(state)} --> {_name(following)}: {event}"
        for state, events in TRANSITIONS.items()
        for event, following in events.items()
    ]
    names = [f'    state "{state}" as {_name(state)}' for state in State if _name(state) != state]
    body = [*names, f"    [*] --> {_name(State.SERVING)}", *rows]
    return "\n".join(["```mermaid", "stateDiagram-v2", *body, "```\n"])


def _states() -> str:
    lines = ["## States\n", "| state | the device | durable before | a restart |"]
    lines.append("|---|---|---|---|")
    for state in State:
        meaning = MEANINGS[state]
        lines.append(f"| `{state}` | {meaning.doing} | {meaning.durable} | {meaning.restart} |")
    return "\n".join(lines) + "\n"


def _transitions() -> str:
    words = _events()
    lines = ["## Transitions\n", "| state | event | next | when |", "|---|---|---|---|"]
    lines += [
        f"| `{state}` | `{event}` | `{following}` | {words[event.name]} |"
        for state, events in TRANSITIONS.items()
        for event, following in events.items()
    ]
    return "\n".join(lines) + "\n"


def _events() -> dict[str, str]:
    """What the docstring of `Event` says of each."""
    found = _EVENT.findall(inspect.getdoc(Event) or "")
    return {name: " ".join(text.split()) for name, text in found}


def _name(state: State) -> str:
    """A diagram's names have no hyphens."""
    return state.replace("-", "_")


if __name__ == "__main__":
    where = Path(sys.argv[1])
    replace(RealDisk(where.parent), Path(where.name), page().encode())
