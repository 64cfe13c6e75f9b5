"""Puts what is wrong with a value of a spec into words that name the key and what to write."""

import difflib
import re
from typing import Literal, get_args, get_origin

import msgspec

from fleetloop_hub.spec.lines import Path
from fleetloop_shared.ids import NAME

_PLACE = re.compile(r"(?P<what>.*?)(?: - at `\$(?P<path>.*)`)?", re.DOTALL)
_INVALID = re.compile(r"Invalid enum value '(.*)'", re.DOTALL)
_BRACKETS = {
    "Expected `array`, got `object`": "[[{}]], in two brackets: there may be several",
    "Expected `object`, got `array`": "[{}], in one bracket: there is one",
}
_WORDS = {
    f"Expected `str` matching regex {f'^{NAME}$'!r}": "write 1 to 64 of a-z 0-9 _ -",
    " | null`": "`",
    "Expected": "write",
    ", got `float`": ", without a fraction",
    ", got": ", not",
    "of length": "with a length",
    "`object`": "a table",
    "`array`": "a list",
    "`str`": "text in quotes",
    "`int`": "a whole number",
    "`float`": "a number",
    "`bool`": "true or false",
}


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Something in a spec that must be changed.

    Attributes:
        path: Where; the key itself may be missing there.
        text: The key, what is wrong with it, and what to write instead.
        line: Of the file, from 1; 0 while nobody has looked it up.
    """

    path: Path
    text: str
    line: int = 0


def in_dots(path: Path) -> str:
    """A path as people write it: `candidates[2].search.trees`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.lstrip(".")


def wrong_value(message: str, path: Path, hint: object) -> Problem:
    """A value that msgspec does not take.

    Args:
        message: The text of its ValidationError.
        path: The key.
        hint: The type that the key has.
    """
    found = _PLACE.fullmatch(message)
    what = message if found is None else found["what"]
    if invalid := _INVALID.fullmatch(what):
        choices = ", ".join(f'"{choice}"' for choice in sorted(_choices(hint)))
        text = f'{in_dots(path)} = "{invalid[1]}" is not known; write one of {choices}'
        return Problem(path=path, text=text)
    if brackets := _BRACKETS.get(what):
        return Problem(path=path, text=f"{in_dots(path)}: write {brackets.format(in_dots(path))}")
    for theirs, ours in _WORDS.items():
        what = what.replace(theirs, ours)
    return Problem(path=path, text=f"{in_dots(path) or 'the file'}: {' '.join(what.split())}")


def unknown_key(path: Path, known: list[str]) -> Problem:
    """A key that its table does not have; `known` are those it has."""
    close = difflib.get_close_matches(str(path[-1]), known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"the keys here are {', '.join(known)}"
    return Problem(path=path, text=f"{in_dots(path)} is not a key of this form; {hint}")


def missing_key(path: Path) -> Problem:
    """A key that must be there."""
    return Problem(path=path, text=f"{in_dots(path)} is missing; write it")


def _choices(hint: object) -> list[str]:
    """The values of every Literal in a type."""
    if get_origin(hint) is Literal:
        return [str(value) for value in get_args(hint)]
    return [choice for part in get_args(hint) for choice in _choices(part)]
