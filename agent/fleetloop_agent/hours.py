"""The hours in which a device may change its model, as a person has written them down."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MIN = 24 * 60
WEEK_MIN = 7 * DAY_MIN

EXAMPLE = '"02:00-05:00", "22:30-04:00" over midnight, or "sat,sun 00:00-24:00"'
"""What is shown to a person whose text says something else."""

_TEXT = re.compile(
    r"(?:(?P<days>[a-z]{3}(?:[,-][a-z]{3})*)\s+)?"
    r"(?P<begin>[0-2]?\d:[0-5]\d)\s*-\s*(?P<end>[0-2]?\d:[0-5]\d)"
)


@dataclass(frozen=True)
class Opening:
    """One opening a week.

    Attributes:
        begins_min: Minutes since Monday 00:00, local time.
        length_min: How long it is open.
    """

    begins_min: int
    length_min: int


class Hours:
    """A week's openings; none written down means always open."""

    def __init__(self, openings: tuple[Opening, ...] = (), text: str = "") -> None:
        """Keep openings.

        Args:
            openings: All of a week.
            text: As the person wrote them.
        """
        self.openings, self.text = openings, text

    @classmethod
    def parse(cls, written: object) -> Self:
        """The openings in a text, or in a list of texts.

        A text is `HH:MM-HH:MM` in local time, with days before it where it is not for every day.
        An end that is not after its begin is on the next day. A day is the one it begins on.

        >>> len(Hours.parse("mon-fri 22:00-04:00").openings)
        5

        Raises:
            ValueError: One of them says something else; the text shows right ones.
        """
        texts: list[object] = written if isinstance(written, list) else [written]
        openings = tuple(o for text in texts for o in _openings(text))
        if not openings:
            raise ValueError(f"an empty list would never open; write {EXAMPLE}, or leave it out")
        return cls(openings, ", ".join(map(str, texts)))

    def opens_in_s(self, at: float, ahead_s: float) -> float:
        """Seconds until a change may begin; 0 where it may begin now.

        Args:
            at: Unix seconds.
            ahead_s: How far local time is ahead of UTC.
        """
        if not self.openings:
            return 0.0
        local = datetime.fromtimestamp(0, UTC).weekday() * DAY_MIN * 60 + at + ahead_s
        second = local % (WEEK_MIN * 60)
        return min(_opens_in_s(opening, second) for opening in self.openings)

    def __eq__(self, other: object) -> bool:
        """Whether they are open at the same times."""
        return isinstance(other, Hours) and set(self.openings) == set(other.openings)

    def __hash__(self) -> int:
        """Equal hours have one hash."""
        return hash(frozenset(self.openings))


def _opens_in_s(opening: Opening, second: float) -> float:
    since_s = (second - opening.begins_min * 60) % (WEEK_MIN * 60)
    return 0.0 if since_s < opening.length_min * 60 else WEEK_MIN * 60 - since_s


def _openings(text: object) -> list[Opening]:
    found = _TEXT.fullmatch(text.strip().lower()) if isinstance(text, str) else None
    if found is None:
        raise ValueError(f"{str(text)[:80]!r} names no hours; write {EXAMPLE}")
    begin, end = _minute(found["begin"]), _minute(found["end"])
    if begin >= DAY_MIN or end > DAY_MIN or begin == end:
        raise ValueError(f"{str(text)[:80]!r} is no stretch of a day; write {EXAMPLE}")
    length_min = end - begin if end > begin else end - begin + DAY_MIN
    return [Opening(day * DAY_MIN + begin, length_min) for day in _days(found["days"])]


def _minute(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def _days(text: str | None) -> list[int]:
    if text is None:
        return list(range(len(DAYS)))
    days: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        if first not in DAYS or (last or first) not in DAYS:
            raise ValueError(f"{part!r} are no days; write some of {', '.join(DAYS)}")
        begin, length = DAYS.index(first), DAYS.index(last or first) - DAYS.index(first)
        days += [(begin + i) % len(DAYS) for i in range(length % len(DAYS) + 1)]
    return list(dict.fromkeys(days))
