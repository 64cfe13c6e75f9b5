"""Prints what the power-cut stories find into docs/reliability.md, between its markers."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console

from fleetloop_firmware_sim.power_cut_screen import Finding, finding, look_everywhere
from fleetloop_firmware_sim.scenarios.device_story import DeviceStory
from fleetloop_firmware_sim.scenarios.power_cut import (
    EXHAUSTIVE,
    QUICK,
    Effort,
    Outcome,
    Search,
)
from fleetloop_firmware_sim.scenarios.trouble import fill_everywhere, rot_everywhere
from fleetloop_firmware_sim.scenarios.trust_story import TrustStory
from fleetloop_firmware_sim.scenarios.update_story import Update, UpdateStory
from support.wrong_protocols import CAUGHT_BY, WRONG

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"

_FIRST_CUT = Effort(every=1, states=6, again_every=0, again_states=0)
_HEAD = (
    "| story | trouble | moments | states | lives | broken promises |\n|---|---|--:|--:|--:|--:|\n"
)

Look = Callable[[], Iterator[Outcome]]


def quick() -> list[Finding]:
    """A quick look at every story; always the same."""
    return look_everywhere(QUICK, Console(quiet=True))


def rows(findings: list[Finding]) -> str:
    """A table for the page."""
    lines = [
        f"| {f.story} | {f.trouble} | {f.moments:,} | {f.states:,} | {f.lives:,} |"
        f" {len(f.broken)} |"
        for f in findings
    ]
    return _HEAD + "\n".join(lines) + "\n"


def printed(name: str) -> str:
    """What the page has between the markers of this name."""
    text = PAGE.read_text("utf-8").split(_begin(name))[1].split(_end(name))[0]
    return text.rstrip("\n") + "\n"


def looks(story: str, trouble: str) -> Look:
    """One story under one trouble, told in the house as it is now.

    Args:
        story: Its name.
        trouble: "power cut", "full disk" or "bit rot".
    """
    told: DeviceStory = TrustStory() if story == TrustStory.name else UpdateStory(Update(story))
    if trouble == "full disk":
        return lambda: fill_everywhere(told)
    if trouble == "bit rot" and isinstance(told, UpdateStory):
        return lambda: rot_everywhere(told)
    return lambda: Search(told, _FIRST_CUT).outcomes(backwards=True)


def violations(story: str, trouble: str) -> Iterator[str]:
    """The promises that are broken, one after the other."""
    for outcome in looks(story, trouble)():
        yield from (f"{outcome.moment}, {outcome.act}: {text}" for text in outcome.broken)


def write() -> None:
    """Look quickly and at everything, count what wrong protocols break, and print it all."""
    logging.disable()  # a device that is refused something says so
    _print("quick", rows(quick()))
    _print("exhaustive", rows(look_everywhere(EXHAUSTIVE, Console(quiet=True))))
    _print("wrong", _wrong_rows())


def _wrong_rows() -> str:
    lines = []
    for name, wrong in WRONG.items():
        story, trouble = CAUGHT_BY[name]
        with wrong():
            found = finding(story, trouble, list(looks(story, trouble)()), 0.0)
        first = found.broken[0] if found.broken else "nothing"
        lines.append(f"| {name} | {story}, {trouble} | {len(found.broken):,} | {_short(first)} |")
    head = "| wrong protocol | story | broken promises | the first |\n|---|---|--:|---|\n"
    return head + "\n".join(lines) + "\n"


def _short(text: str) -> str:
    """Without hashes and long quotes."""
    words = [word for word in text.split() if len(word) < 40]
    return " ".join(words)[:140]


def _print(name: str, text: str) -> None:
    page = PAGE.read_text("utf-8")
    before, rest = page.split(_begin(name))
    after = rest.split(_end(name))[1]
    PAGE.write_text(before + _begin(name) + text + "\n" + _end(name) + after, "utf-8")


def _begin(name: str) -> str:
    return f"<!-- {name}: begin -->\n\n"


def _end(name: str) -> str:
    return f"<!-- {name}: end -->"


if __name__ == "__main__":
    write()
