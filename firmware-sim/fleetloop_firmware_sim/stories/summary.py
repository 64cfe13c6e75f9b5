"""What every story found, computed from what really happened, and whether it ended right."""

from typing import TypeVar

import msgspec


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """A story's result; every number was read off the running system.

    Attributes:
        story: Which story.
        seed: What it was drawn from.
        closed: Whether it ended right: all that has to be true of it is.
        missing: What did not happen, in words, if it did not.
        seconds: How long it took.
        devices: How many there were.
        killed_hub: Whether the hub was to be killed.
        hub_kills: How often it was.
        hub_egress_bytes: All that the hub has sent to the broker since it was started last.
        reports_sent: Reports that devices have written.
        reports_stored: Reports that the hub has stored.
        console: Where the console was.
    """

    story: str
    seed: int
    closed: bool = False
    missing: list[str] = []
    seconds: float = 0.0
    devices: int = 0
    killed_hub: bool = False
    hub_kills: int = 0
    hub_egress_bytes: int = 0
    reports_sent: int = 0
    reports_stored: int = 0
    console: str = ""


S = TypeVar("S", bound=Summary)


def judge(found: S, demands: dict[str, bool]) -> S:
    """The summary with its verdict.

    Args:
        found: All that was found.
        demands: What is missing where it is not met, and whether it is met.
    """
    every = demands | {
        "reports were lost": 0 < found.reports_sent == found.reports_stored,
        "the hub was never killed": found.hub_kills > 0 or not found.killed_hub,
    }
    missing = [words for words, met in every.items() if not met]
    return msgspec.structs.replace(found, closed=not missing, missing=missing)
