"""Finds on which line of a TOML text each key stands, which tomllib does not tell.

The text must be TOML already: what tomllib has read is not judged again here.
"""

import bisect
import re
import tomllib
from collections.abc import Iterator

Path = tuple[str | int, ...]
"""A way through tables and lists, by name and by place from 0: ("candidates", 2, "trees")."""

_SPACE = re.compile(r"[ \t]*")
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_PART = re.compile(r"""[A-Za-z0-9_-]+|"(?:\\.|[^"\\])*"|'[^']*'""")
_STRING = re.compile(
    r'"{3}(?:\\.|[^\\])*?"{3,5}(?!")' "|'{3}.*?'{3,5}(?!')" r'|"(?:\\.|[^"\\])*"' "|'[^']*'",
    re.DOTALL,
)
_BARE = re.compile(r"[^,\]}#\r\n]+")


def key_lines(text: str) -> dict[Path, int]:
    r"""The line, from 1, on which each table, key and item of a list first stands.

    Examples:
        >>> key_lines("a = 1\n[[b]]\nc = [\n  2,\n]")[("b", 0, "c", 0)]
        4
    """
    return _Scanner(text).lines


def line_of(lines: dict[Path, int], path: Path) -> int:
    """The line of a key, or of the innermost table around it that stands somewhere; at last 1."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


class _Scanner:
    """One walk over the text."""

    def __init__(self, text: str) -> None:
        self.lines: dict[Path, int] = {}
        self._text, self._at = text, 0
        self._ends = [m.start() for m in re.finditer("\n", text)]
        self._tables: dict[Path, int] = {}
        prefix: Path = ()
        self._skip(_BLANK)
        while self._at < len(text):
            if text[self._at] == "[":
                prefix = self._header()
            else:
                self._pair(prefix)
            self._skip(_BLANK)

    def _header(self) -> Path:
        """The path that `[a.b]` or `[[a.b]]` opens."""
        line, several = self._line(), self._text.startswith("[[", self._at)
        self._at += 1 + several
        names = self._names()
        path: Path = ()
        for place, name in enumerate(names):
            path = (*path, name)
            self.lines.setdefault(path, line)
            if several and place == len(names) - 1:
                self._tables[path] = self._tables.get(path, 0) + 1
            if path in self._tables:
                path = (*path, self._tables[path] - 1)
                self.lines.setdefault(path, line)
        self._at += 1 + several
        return path

    def _pair(self, path: Path) -> None:
        """`a.b = value`."""
        line = self._line()
        for name in self._names():
            path = (*path, name)
            self.lines.setdefault(path, line)
        self._at += 1  # the sign of equality
        self._skip(_SPACE)
        self._value(path)

    def _names(self) -> list[str]:
        names = []
        while True:
            self._skip(_SPACE)
            part = self._skip(_PART)
            names.append(tomllib.loads(f"k = {part}")["k"] if part[:1] in "\"'" else part)
            self._skip(_SPACE)
            if self._text[self._at : self._at + 1] != ".":
                return names
            self._at += 1

    def _value(self, path: Path) -> None:
        self.lines.setdefault(path, self._line())
        match self._text[self._at]:
            case '"' | "'":
                self._skip(_STRING)
            case "[":
                for place in self._items("]"):
                    self._value((*path, place))
            case "{":
                for _ in self._items("}"):
                    self._pair(path)
            case _:
                self._skip(_BARE)

    def _items(self, end: str) -> Iterator[int]:
        """Stops before each item of a list or inline table."""
        self._at += 1
        place = 0
        while True:
            self._skip(_BLANK)
            if self._text[self._at] == end:
                self._at += 1
                return
            yield place
            place += 1
            self._skip(_BLANK)
            if self._text[self._at] == ",":
                self._at += 1

    def _skip(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if found is None:
            raise ValueError(f"not TOML at character {self._at}")
        self._at = found.end()
        return found[0]

    def _line(self) -> int:
        return bisect.bisect_left(self._ends, self._at) + 1
