"""Puts what is wrong with a model spec into words that name the key and what to write instead."""

import difflib
import math
import re

import msgspec

from fleetloop_shared.ids import NAME

_PLACE = re.compile(r"(?P<what>.*?)(?: - at `\$(?P<path>.*)`)?", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(.*)`", re.DOTALL)
_INVALID = re.compile(r"Invalid enum value '(.*)'", re.DOTALL)
_WORDS = {
    f"Expected `str` matching regex {f'^{NAME}$'!r}": "write 1 to 64 of a-z 0-9 _ -",
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
    "| null": "",
}


def first_not_finite(value: object, key: str = "") -> str | None:
    """The first key, in dots, whose number is nan or infinite; TOML can write both."""
    if isinstance(value, float) and not math.isfinite(value):
        return key
    parts: dict[str, object] = {}
    if isinstance(value, dict):
        parts = {f"{key}.{name}".lstrip("."): part for name, part in value.items()}
    elif isinstance(value, list):
        parts = {f"{key}[{index}]": part for index, part in enumerate(value)}
    return next((bad for k, v in parts.items() if (bad := first_not_finite(v, k))), None)


def explain(message: str, form: type[msgspec.Struct]) -> str:
    """What msgspec has found, as key, problem and remedy.

    Args:
        message: The text of its ValidationError.
        form: The struct that the whole document should have been.
    """
    found = _PLACE.fullmatch(message)
    what, path = (message, "") if found is None else (found["what"], found["path"] or "")
    path = path.replace("[...]", "").lstrip(".")
    if unknown := _UNKNOWN.fullmatch(what):
        return _unknown(path, unknown[1], form)
    if missing := _MISSING.fullmatch(what):
        return f"{_join(path, missing[1])} is missing; write it"
    if invalid := _INVALID.fullmatch(what):
        choices = ", ".join(f'"{choice}"' for choice in _choices(path, form))
        return f'{path} = "{invalid[1]}" is not known; write one of {choices}'
    for theirs, ours in _WORDS.items():
        what = what.replace(theirs, ours)
    return f"{path or 'the file'}: {' '.join(what.split())}"


def _unknown(path: str, key: str, form: type[msgspec.Struct]) -> str:
    known = _keys(path, form)
    close = difflib.get_close_matches(key, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"the keys here are {', '.join(known)}"
    return f"{_join(path, key)} is not a key of this form; {hint}"


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _keys(path: str, form: type[msgspec.Struct]) -> list[str]:
    found = _at(path, form)
    return [f.name for f in found.fields] if isinstance(found, msgspec.inspect.StructType) else []


def _choices(path: str, form: type[msgspec.Struct]) -> list[str]:
    found = _at(path, form)
    return [str(v) for v in found.values] if isinstance(found, msgspec.inspect.LiteralType) else []


def _at(path: str, form: type[msgspec.Struct]) -> msgspec.inspect.Type | None:
    """The type of the value that `path` leads to, lists looked through."""
    found: msgspec.inspect.Type | None = msgspec.inspect.type_info(form)
    for part in re.sub(r"\[\d+\]", "", path).split(".") if path else []:
        fields = found.fields if isinstance(found, msgspec.inspect.StructType) else ()
        found = next((f.type for f in fields if f.name == part), None)
        while isinstance(found, msgspec.inspect.ListType):
            found = found.item_type
    return found
