"""Something that stands now and wants attention, as whoever sees it says it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from fleetloop_hub.alert_records import AlertKind, AlertLevel
from fleetloop_shared.ids import sha256_hex

Cause = tuple[AlertKind, str]
"""A kind and a subject: what makes two conditions the same one."""

MOST_NAMES = 20
_NOT_IN_NAMES = re.compile(r"[^a-z0-9_-]+")
_SLUG = 32
_DIGITS = 6


@dataclass(frozen=True)
class Condition:
    """What stands now.

    Attributes:
        kind: What it is about.
        subject: Whom or what it is about.
        level: How grave it is.
        text: In words.
        page: Path of the page that shows more.
        count: How many devices or other things are concerned.
        names: Some of them, the first by name.
    """

    kind: AlertKind
    subject: str
    level: AlertLevel
    text: str
    page: str
    count: int = 1
    names: tuple[str, ...] = ()

    @property
    def cause(self) -> Cause:
        """What makes it the same condition as an earlier one."""
        return self.kind, self.subject


def key_of(kind: AlertKind, subject: str) -> str:
    """The key of the alert about something: a name that may stand in a topic.

    >>> key_of(AlertKind.DRIFT, "rain@default")
    'drift-rain-default-ef8e5c'
    """
    slug = _NOT_IN_NAMES.sub("-", subject.lower())[:_SLUG].strip("-")
    return f"{kind}-{slug}-{sha256_hex(subject.encode())[:_DIGITS]}"


def some(names: Iterable[str]) -> tuple[str, ...]:
    """The first names by order, as many as an alert holds."""
    return tuple(sorted(names)[:MOST_NAMES])


def listed(names: Iterable[str], most: int = 3) -> str:
    """Names in a sentence.

    >>> listed(["b", "a"]), listed(["d", "c", "b", "a", "e"])
    ('a and b', 'a, b, c and 2 more')
    """
    all_ = sorted(names)
    if len(all_) > most:
        return f"{', '.join(all_[:most])} and {len(all_) - most:,} more"
    return " and ".join(filter(None, [", ".join(all_[:-1]), *all_[-1:]]))
