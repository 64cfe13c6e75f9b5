"""One notice on its way to one channel, and how long it waits between tries."""

from dataclasses import dataclass

from fleetloop_shared.errors import FleetloopError

MOST_TRIES = 12
"""After so many, some four hours, a notice is a dead letter."""
FIRST_S = 5.0
LONGEST_S = 3_600.0
_TWICE = 2.0


class DeliveryError(FleetloopError):
    """A channel did not take a notice; the text says why, and holds no secret of the channel."""


@dataclass(frozen=True)
class Delivery:
    """A notice for a channel.

    Attributes:
        id: The event's id.
        channel: The channel's name.
        event: What happened to the alert.
        body: The event as it is sent.
        made_at: Unix seconds.
        due_at: Unix seconds at which it is tried next.
        tries: How often it was tried.
        error: Why the last try failed, "" if none did.
    """

    id: str
    channel: str
    event: str
    body: bytes
    made_at: float
    due_at: float
    tries: int = 0
    error: str = ""


def wait_s(tries: int, draw: float) -> float:
    """How long to wait after the last of some tries: doubled each time, with jitter.

    Args:
        tries: How often it was tried, from 1.
        draw: Evenly drawn from 0 to 1, so that not all who failed together come back together.

    Source: M. Brooker, "Exponential backoff and jitter", AWS Architecture Blog, 2015.

    >>> wait_s(1, 1.0), wait_s(3, 0.0), wait_s(12, 1.0)
    (5.0, 10.0, 3600.0)
    """
    longest = min(LONGEST_S, FIRST_S * _TWICE ** (tries - 1))
    return longest * (0.5 + 0.5 * draw)
