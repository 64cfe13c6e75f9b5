"""Writes values, comments and tables as TOML."""

import json
import math
import textwrap

_COLUMN = 31
_WIDTH = 100


def value(given: object) -> str:
    r"""A value as TOML.

    Examples:
        >>> value('a "b"'), value([1, 2.0]), value(True)
        ('"a \\"b\\""', '[1, 2.0]', 'true')
    """
    if isinstance(given, bool):
        return str(given).lower()
    if isinstance(given, str):
        # JSON's escapes are TOML's, but for DEL and for letters that JSON writes as two.
        return json.dumps(given, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(given, float):
        return repr(given) if math.isfinite(given) else "0.0"
    if isinstance(given, list):
        return f"[{', '.join(map(value, given))}]"
    return f"{given:_}"


def pair(key: str, given: object, why: str = "") -> list[str]:
    """A line with a key, and a comment beside it, or above it where there is no room."""
    return raw(f"{key} = {value(given)}", why)


def raw(line: str, why: str = "") -> list[str]:
    """A line as it is, with a comment beside or above it."""
    why = shown(why)
    beside = f"{line:<{_COLUMN - 1}} # {why}"
    if not why:
        return [line]
    return [beside] if len(beside) <= _WIDTH else [*comment(why), line]


def comment(text: str) -> list[str]:
    """Text as comment lines."""
    return textwrap.wrap(
        shown(text), _WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False
    )


def shown(text: str) -> str:
    """Text from a file on one line, without what a terminal or TOML would take for a command."""
    return "".join(c if c.isprintable() else "?" for c in text)
