"""Finds the records in a block of CSV bytes, a whole block at a time; what is no record is said.

A reader that stops at the first odd line would lose the rest of a file, and one that guesses would
move values into wrong columns. So every line is a record, or is handed out as it is with a reason.
Quoting is RFC 4180's: a field in double quotes may hold anything, a quote in it is written twice.
"""

import re
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Places = npt.NDArray[np.int64]

_LF, _CR, _QUOTE = 10, 13, 34
_MOST_LINES = 100
"""Lines that one record may have where a block holds a quote that is out of place."""


@dataclass(frozen=True)
class Records:
    """Where the records of a block are.

    Attributes:
        starts: Of each record that is not blank, where it starts in the block.
        ends: Where it ends, without the line's end.
        fields: How many fields it has.
        bad: (start, end, reason) of what is no record.
        rest: Where the unfinished last record begins.
    """

    starts: Places
    ends: Places
    fields: Places
    rest: int
    bad: list[tuple[int, int, str]] = field(default_factory=list)


def find(block: bytes, delimiter: int, *, final: bool) -> Records:
    """The records of a block.

    Args:
        block: Begins where a record begins.
        delimiter: Between fields.
        final: Whether the file ends with the block; if not, a last line without end is left over.
    """
    data = np.frombuffer(block, np.uint8)
    ends = _line_ends(data, block, final=final)
    quotes = np.flatnonzero(data == _QUOTE) if b'"' in block else np.zeros(0, np.int64)
    if len(quotes):
        if not _in_place(data, quotes, delimiter) or (final and len(quotes) % 2):
            return _one_by_one(block, delimiter, final=final)
        ends = ends[np.searchsorted(quotes, ends) % 2 == 0]
    if final and len(data) and (not len(ends) or ends[-1] != len(data) - 1):
        ends = np.append(ends, len(data))
    rest = int(ends[-1]) + 1 if len(ends) else 0
    starts = np.concatenate([[0], ends[:-1] + 1]).astype(np.int64) if len(ends) else ends
    before = data[np.maximum(ends - 1, 0)] if len(data) else data
    stops = ends - ((before == _CR) & (ends > starts))
    delimiters = np.flatnonzero(data == delimiter)
    if len(quotes):
        delimiters = delimiters[np.searchsorted(quotes, delimiters) % 2 == 0]
    fields = 1 + np.searchsorted(delimiters, stops) - np.searchsorted(delimiters, starts)
    full = stops > starts
    return Records(starts[full], stops[full], fields[full], min(rest, len(block)))


def line_numbers(block: bytes, starts: Places) -> tuple[Places, int]:
    """The line, from 0, on which each place stands, and how many lines the block ends."""
    ends = _line_ends(np.frombuffer(block, np.uint8), block, final=True)
    return np.searchsorted(ends, starts).astype(np.int64), len(ends)


def _line_ends(data: npt.NDArray[np.uint8], block: bytes, *, final: bool) -> Places:
    """Line feeds, and carriage returns that stand alone."""
    ends = data == _LF
    if b"\r" in block:
        alone = data == _CR
        alone[:-1] &= data[1:] != _LF
        alone[-1] &= final
        ends |= alone
    return np.flatnonzero(ends)


def _in_place(data: npt.NDArray[np.uint8], quotes: Places, delimiter: int) -> bool:
    """Whether every quote opens a field, closes one, or is one of two that stand for one."""
    breaks = (delimiter, _LF, _CR, _QUOTE)
    opening, closing = quotes[::2], quotes[1::2]
    before = data[opening[opening > 0] - 1]
    after = data[closing[closing < len(data) - 1] + 1]
    return bool(np.isin(before, breaks).all() and np.isin(after, breaks).all())


def _one_by_one(block: bytes, delimiter: int, *, final: bool) -> Records:
    """The same, line by line, for a block in which a quote is out of place."""
    mark = re.escape(bytes([delimiter]))
    one = rb'(?:"(?:[^"]|"")*"|[^"' + mark + rb"\r\n]*)"
    whole = re.compile(one + rb"(?:" + mark + one + rb")*")
    opened = re.compile(rb"(?:" + one + mark + rb')*"(?:[^"]|"")*')
    field_of = re.compile(one)
    found: list[tuple[int, int, int]] = []
    bad: list[tuple[int, int, str]] = []
    lines = block.splitlines(keepends=True)
    at = index = 0
    while index < len(lines):
        taken, text = 1, lines[index]
        while opened.fullmatch(text) and taken < _MOST_LINES and index + taken < len(lines):
            text += lines[index + taken]
            taken += 1
            if whole.fullmatch(text.rstrip(b"\r\n")):
                break
        complete = text.endswith((b"\n", b"\r")) and not opened.fullmatch(text)
        if not final and not complete and index + taken == len(lines) and taken < _MOST_LINES:
            break
        body = text.rstrip(b"\r\n")
        if whole.fullmatch(body):
            if body:
                found.append((at, at + len(body), _count(field_of, body)))
        else:
            taken, text = 1, lines[index]
            why = "a quote that is never closed" if opened.fullmatch(text) else "a stray quote"
            bad.append((at, at + len(text.rstrip(b"\r\n")), why))
        at += len(text)
        index += taken
    table = np.array(found, np.int64).reshape(-1, 3)
    return Records(table[:, 0], table[:, 1], table[:, 2], at, bad)


def _count(one: re.Pattern[bytes], body: bytes) -> int:
    """How many fields a sound record has."""
    count, at = 1, 0
    while True:
        found = one.match(body, at)
        at = len(body) if found is None else found.end()
        if at >= len(body):
            return count
        count, at = count + 1, at + 1
