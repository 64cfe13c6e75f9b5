"""A piece of a journey, its names in a trace, and the port through which it leaves.

The names are hashes of what they are about, so that nothing travels to devices for it, a restarted
hub goes on with the same trace, and whoever knows a rollout's key can join it.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

_TRACE_BYTES, _SPAN_BYTES = 16, 8


@dataclass(frozen=True)
class Span:
    """Something that took time and is over.

    Attributes:
        trace: Of which trace, 32 hexadecimal digits.
        name: Its own, 16 hexadecimal digits.
        parent: The name of the span that it is a part of, None of the rollout itself.
        title: What it is, in words.
        began_at: Unix seconds.
        ended_at: Unix seconds, not before it began.
        facts: What else is known of it.
        fault: Why it ended badly, None if it did not.
    """

    trace: str
    name: str
    parent: str | None
    title: str
    began_at: float
    ended_at: float
    facts: Mapping[str, str | int] = field(default_factory=dict)
    fault: str | None = None


class Spans(ABC):
    """Where spans go. Nothing that happens there may hold up the hub."""

    @abstractmethod
    def end(self, span: Span) -> None:
        """Take a span that is over; returns at once, and never raises."""

    @abstractmethod
    def close(self) -> None:
        """Send what waits, and finish."""


def trace_of(rollout: str) -> str:
    """The trace of a rollout: the first 16 bytes of the SHA-256 of its key.

    >>> trace_of("rollout-1")
    'dda26b22f1d382fb5f9642cca3462d1b'
    """
    return hashlib.sha256(rollout.encode()).digest()[:_TRACE_BYTES].hex()


def name_of(rollout: str, *parts: str) -> str:
    """A span's name: the first 8 bytes of the SHA-256 of the key and its parts, by lines.

    >>> name_of("rollout-1") != name_of("rollout-1", "station-1")
    True
    """
    return (
        hashlib.sha256("\n".join(["span", rollout, *parts]).encode()).digest()[:_SPAN_BYTES].hex()
    )
