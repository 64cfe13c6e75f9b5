"""Counts what was refused, and reports each bad message once, however often it is replayed."""

from collections import OrderedDict, defaultdict, deque

from fleetloop_agent.update.events import Events
from fleetloop_shared.errors import DiskFullError, RefusedError

REMEMBERED = 256
"""Bad messages that are told apart; an attacker cannot fill the memory with more."""

REPORTS_PER_HOUR = 6
"""Of one attack class. Beyond this, refusals are only counted: an attacker can neither fill the
outbox nor keep another kind of attempt from being reported."""

TEXT_LENGTH = 400
"""Characters of a report's text; an error may quote what the attacker wrote."""

_TOPIC_LENGTH = 200
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
        self._reported_at: defaultdict[str, deque[float]] = defaultdict(deque)

    def note(self, error: RefusedError, name: str, now: float, topic: str | None = None) -> None:
        """Count a refusal; report it if it is a new one.

        Args:
            error: Why.
            name: What tells this message from others: its hash, or the statement's number.
            now: Monotonic seconds.
            topic: Where it came in.
        """
        reason = error.reason
        self.counts[reason] = self.counts.get(reason, 0) + 1
        if self._known(f"{reason} {name}") or not self._may_report(reason, now):
            return
        text = _plain(f"refused ({reason}): {error}", TEXT_LENGTH)
        where = None if topic is None else _plain(topic, _TOPIC_LENGTH)
        try:
            self._events.refused(text, reason=reason, topic=where, content=name)
        except DiskFullError:
            del self._seen[f"{reason} {name}"]
        else:
            self._reported_at[reason].append(now)

    def _known(self, key: str) -> bool:
        known = key in self._seen
        self._seen[key] = None
        self._seen.move_to_end(key)
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return known

    def _may_report(self, reason: str, now: float) -> bool:
        reported_at = self._reported_at[reason]
        while reported_at and now - reported_at[0] >= _HOUR_S:
            reported_at.popleft()
        return len(reported_at) < REPORTS_PER_HOUR


def _plain(text: str, length: int) -> str:
    """Cut, and without characters that could move a terminal's cursor or break a log's line."""
    cut = text[:length]
    return "".join(c if c.isprintable() else "?" for c in cut)
