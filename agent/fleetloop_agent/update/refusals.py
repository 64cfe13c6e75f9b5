"""Counts what was refused, and reports each bad message once, however often it is replayed."""

from collections import OrderedDict

from fleetloop_agent.update.events import Events
from fleetloop_shared.errors import DiskFullError, RefusedError
from fleetloop_shared.reports import EventKind

REMEMBERED = 256
"""Bad messages that are told apart; an attacker cannot fill the memory with more."""

REPORTS_PER_HOUR = 60
"""Beyond this, refusals are only counted; an attacker cannot fill the outbox."""

_HOUR_S = 3600.0


class Refusals:
    """What came in and was not used.

    Attributes:
        counts: How often, by reason; the journal keeps them.
    """

    def __init__(self, counts: dict[str, int], events: Events) -> None:
        """Go on counting.

        Args:
            counts: What the journal has.
            events: Where they are reported.
        """
        self.counts = dict(counts)
        self._events = events
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._reported_at: list[float] = []

    def note(self, error: RefusedError, name: str, now: float) -> None:
        """Count a refusal; report it if it is a new one.

        Args:
            error: Why.
            name: What tells this message from others: its hash, or the statement's number.
            now: Monotonic seconds.
        """
        self.counts[error.reason] = self.counts.get(error.reason, 0) + 1
        key = f"{error.reason} {name}"
        known = key in self._seen
        self._seen[key] = None
        self._seen.move_to_end(key)
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        self._reported_at = [at for at in self._reported_at if now - at < _HOUR_S]
        if known or len(self._reported_at) >= REPORTS_PER_HOUR:
            return
        try:
            self._events.say(EventKind.REFUSED, f"refused ({error.reason}): {error}")
        except DiskFullError:
            del self._seen[key]
        else:
            self._reported_at.append(now)
