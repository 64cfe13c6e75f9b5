"""Counts what the local endpoint did and refused, so that a person can see it."""

from collections import Counter
from http import HTTPStatus

import msgspec

_FIRST_ERROR = 400


class Seen(msgspec.Struct, frozen=True):
    """What the endpoint has seen since the agent started.

    Attributes:
        requests: Requests answered, also those that were refused.
        connections: Clients that are connected now.
        refused: Requests and connections refused, by status.
        dropped: Connections ended without a word: too slow, or too many at once.
        shut_out: Times that the system had no open file left for a client.
    """

    requests: int
    connections: int
    refused: dict[str, int]
    dropped: int
    shut_out: int


class Refusals:
    """The counts; kept in the endpoint's thread, may be read in any."""

    def __init__(self) -> None:
        """Count nothing yet."""
        self.requests = 0
        self.connections = 0
        self.dropped = 0
        self.shut_out = 0
        self._refused: Counter[HTTPStatus] = Counter()

    def note(self, status: HTTPStatus) -> None:
        """Something was answered with this status."""
        if status >= _FIRST_ERROR:
            self._refused[status] += 1

    def seen(self) -> Seen:
        """What there was until now."""
        refused = {f"{s.value} {s.phrase}": n for s, n in sorted(self._refused.copy().items())}
        return Seen(self.requests, self.connections, refused, self.dropped, self.shut_out)
