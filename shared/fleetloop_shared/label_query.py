"""Which devices are meant, in one line: `site = "roof" and hardware != "pi3"`.

    query = all { "or" all }        all  = one { "and" one }
    one   = "not" one | "(" query ")" | test
    test  = NAME "=" TEXT | NAME "!=" TEXT | NAME [ "not" ] "in" "(" TEXT { "," TEXT } ")"

A text stands in double or single quotes and has no escapes. A label that a device does not have is
the empty text, so that every query has an answer for every device. The empty query means all.
Length, depth and tests are bounded: a query is read on devices, and its writer may be anybody.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from fleetloop_shared.errors import QueryError

LONGEST = 1_000
"""Characters of a query."""

DEEPEST = 16
"""Parentheses and negations within each other."""

MOST_TEXTS = 100
"""Texts that a query may compare with."""

NAME = r"[a-z][a-z0-9_-]{0,63}"
"""What a label may be called."""

LONGEST_VALUE = 100
"""Characters of a label's value."""

BUILT_IN = frozenset({"device", "hardware"})
"""Labels that every device has, whatever its config says."""

Labels = Mapping[str, str]
Query = Callable[[Labels], bool]

_WORDS = frozenset({"and", "or", "not", "in"})
_TOKEN = re.compile(
    rf"\s*(?:(?P<name>{NAME})|(?P<text>\"[^\"]*\"|'[^']*')|(?P<sign>!=|=|\(|\)|,))\s*"
)


@lru_cache(maxsize=256)
def parse(text: str) -> Query:
    """What a query asks of a device's labels.

    >>> roof = parse('site = "roof" and not hardware in ("pi3", "pi4")')
    >>> roof({"site": "roof", "hardware": "x86"}), roof({"site": "roof", "hardware": "pi3"})
    (True, False)

    Raises:
        QueryError: It is none, or longer, deeper or larger than is read.
    """
    if not text.strip():
        return lambda _: True
    if len(text) > LONGEST:
        raise QueryError(f"a label query of {len(text):,} characters: at most {LONGEST:,} are read")
    return _Reader(text).whole()


def known(device: str, hardware: str, labels: Labels) -> dict[str, str]:
    """The labels that a query is asked about: a device's own, and those that every device has."""
    return {**labels, "device": device, "hardware": hardware}


class _Reader:
    """One query, read from the left."""

    def __init__(self, text: str) -> None:
        self._text, self._texts = text, 0
        self._tokens = self._split()

    def whole(self) -> Query:
        query = self._any(0)
        if self._next()[0]:
            raise self._wrong("and or or")
        return query

    def _any(self, depth: int) -> Query:
        parts = [self._all(depth)]
        while self._took("or"):
            parts.append(self._all(depth))
        return parts[0] if len(parts) == 1 else lambda labels: any(part(labels) for part in parts)

    def _all(self, depth: int) -> Query:
        parts = [self._one(depth)]
        while self._took("and"):
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else lambda labels: all(part(labels) for part in parts)

    def _one(self, depth: int) -> Query:
        if depth > DEEPEST:
            raise QueryError(f"a label query deeper than {DEEPEST} parentheses and nots")
        if self._took("not"):
            inner = self._one(depth + 1)
            return lambda labels: not inner(labels)
        if self._took("("):
            query = self._any(depth + 1)
            self._need(")")
            return query
        return self._test()

    def _test(self) -> Query:
        name = self._next()[0]
        if not re.fullmatch(NAME, name) or name in _WORDS:
            raise self._wrong("the name of a label")
        del self._tokens[0]
        if self._took("="):
            wanted = self._value()
            return lambda labels: labels.get(name, "") == wanted
        if self._took("!="):
            unwanted = self._value()
            return lambda labels: labels.get(name, "") != unwanted
        negated = self._took("not")
        if not self._took("in"):
            raise self._wrong(f"=, != or in after {name}")
        among = self._values()
        return lambda labels: (labels.get(name, "") in among) is not negated

    def _values(self) -> frozenset[str]:
        self._need("(")
        values = [self._value()]
        while self._took(","):
            values.append(self._value())
        self._need(")")
        return frozenset(values)

    def _value(self) -> str:
        found = self._next()[0]
        if found[:1] not in {'"', "'"}:
            raise self._wrong("a text in quotes")
        self._texts += 1
        if self._texts > MOST_TEXTS:
            raise QueryError(f"a label query that compares with more than {MOST_TEXTS} texts")
        del self._tokens[0]
        return found[1:-1]

    def _next(self) -> tuple[str, int]:
        return self._tokens[0] if self._tokens else ("", len(self._text))

    def _took(self, wanted: str) -> bool:
        if self._next()[0] != wanted:
            return False
        del self._tokens[0]
        return True

    def _need(self, wanted: str) -> None:
        if not self._took(wanted):
            raise self._wrong(wanted)

    def _wrong(self, wanted: str) -> QueryError:
        found, place = self._next()
        return QueryError(
            f"label query {self._text!r}: {wanted} is expected at character {place + 1}, "
            f"{f'not {found}' if found else 'where it ends'}; write for example "
            """site = "roof" and hardware != "pi3\""""
        )

    def _split(self) -> list[tuple[str, int]]:
        tokens, place = [], 0
        while place < len(self._text):
            match = _TOKEN.match(self._text, place)
            if match is None:
                raise QueryError(
                    f"label query {self._text!r}: nothing is known that begins as character "
                    f"{place + 1} does; a text stands in quotes, a label is of a-z 0-9 _ -"
                )
            tokens.append((match.group(match.lastgroup or 0), match.start(match.lastgroup or 0)))
            place = match.end()
        return tokens
