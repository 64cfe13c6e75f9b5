"""Turns the values of a category into the numbers that a model takes, alike on hub and device."""

import math
from collections.abc import Sequence

from fleetloop_shared.manifest import OTHER

_TOO_LARGE = 2**53
_MOST_BITS = 64


class Categories:
    """The values that one category can have, as they stand in the spec.

    A value is compared as text, without blanks around it. One that is not listed as it stands is
    compared as a number: 1, 1.0, "1" and "1.0" are the same. Nothing, an empty text and NaN are
    missing; anything else is `OTHER`.

    Examples:
        >>> colours = Categories(["red", "green", "7"])
        >>> [colours.place(value) for value in ("green", "7", 7, 7.0, "7.0", "blue", 8)]
        [1.0, 2.0, 2.0, 2.0, 2.0, -1.0, -1.0]
        >>> colours.place(None), colours.place(""), colours.place(math.nan)
        (nan, nan, nan)
    """

    def __init__(self, categories: Sequence[str]) -> None:
        self._places = {text: float(k) for k, text in enumerate(categories)}
        self._numbers = {OTHER, *self._places.values()}
        self._by_number = {plain(c): self._places[c] for c in reversed(categories)}

    def __len__(self) -> int:
        """How many there are."""
        return len(self._places)

    def has_place(self, number: float) -> bool:
        """Whether this may be what `place` gives: a place, `OTHER`, or NaN."""
        return number in self._numbers or number != number  # noqa: PLR0124  # only NaN is not itself

    def place(self, value: str | float | None) -> float:
        """The number the model takes: the value's place, `OTHER`, or NaN where it is missing."""
        if value is None or value != value:  # noqa: PLR0124  # only NaN is not itself
            return math.nan
        text = value.strip() if isinstance(value, str) else _as_text(value)
        place = self._places.get(text)
        if place is None:
            place = self._by_number.get(plain(text), OTHER) if text else math.nan
        return place


def plain(text: str) -> str:
    """A text that reads as a whole number, as that number is written; any other as it is.

    >>> plain("1.0"), plain("01"), plain("x"), plain("2.50"), plain("1_0")
    ('1', '1', 'x', '2.50', '1_0')
    """
    try:
        number = float(text)
    except ValueError:
        return text
    if number.is_integer() and abs(number) < _TOO_LARGE and "_" not in text:
        return str(int(number))
    return text


def _as_text(number: float) -> str:
    if isinstance(number, int):
        return str(number) if number.bit_length() <= _MOST_BITS else "a number without end"
    whole = number.is_integer() and abs(number) < _TOO_LARGE
    return str(int(number) if whole else number)
