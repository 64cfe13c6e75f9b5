"""Turns the values of a category into the numbers that a model takes, alike on hub and device."""

import math
import re
from collections.abc import Sequence

from fleetloop_shared.manifest import OTHER

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?", re.ASCII)


class Categories:
    """The values that one category can have, as they stand in the spec.

    A text is its own place; a number is the place of the text that reads as it, so that 1 and 1.0
    are "1", or "01" where there is no "1". Nothing else is guessed: "1.0" is not "1", " a" not "a".

    Examples:
        >>> colours = Categories(["red", "green", "7"])
        >>> [colours.place(value) for value in ("green", "7", 7, 7.0, "blue", 8)]
        [1.0, 2.0, 2.0, 2.0, -1.0, -1.0]
        >>> colours.place(None), colours.place(math.nan)
        (nan, nan)
    """

    def __init__(self, categories: Sequence[str]) -> None:
        self._count = len(categories)
        self._places: dict[str | float, float] = {c: float(k) for k, c in enumerate(categories)}
        for text in sorted(filter(_NUMBER.fullmatch, categories), key=len):
            self._places.setdefault(float(text), self._places[text])

    def __len__(self) -> int:
        """How many there are."""
        return self._count

    def place(self, value: str | float | None) -> float:
        """The number the model takes: the value's place, `OTHER`, or NaN where it is missing."""
        place = self._places.get(value, OTHER) if value is not None else math.nan
        return place if value == value else math.nan  # noqa: PLR0124  # only NaN is not itself
