"""Reads a CSV file, plain or gzip, in chunks; every line of it is a row or is said to be none."""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv as arrow_csv

from fleetloop_hub.data import csv_records
from fleetloop_hub.data.chunk import Broken, Chunk
from fleetloop_hub.data.columns import MISSING
from fleetloop_hub.data.csv_records import Records
from fleetloop_hub.data.files import LONGEST_BYTES, Blocks
from fleetloop_hub.data.utf8 import is_text, no_text, see_header, wrong_field
from fleetloop_hub.data.wanted import Wanted, check_header
from fleetloop_hub.dataset_parts import SourceMark
from fleetloop_hub.errors import DataError

_DELIMITERS = ",;\t|"
_BOM = b"\xef\xbb\xbf"
_SHOWN = 60


@dataclass(frozen=True)
class _Piece:
    """The rows of one block."""

    table: pa.Table
    places: npt.NDArray[np.int64]
    lines: npt.NDArray[np.int64]
    broken: list[Broken]
    line_count: int


def read(
    path: Path, words: str, wanted: Wanted, delimiter: str, after: SourceMark | None
) -> Iterator[Chunk]:
    """The rows of a file that were not read before, in the file's order.

    Args:
        path: The file.
        words: What reports call it.
        wanted: The columns to read.
        delimiter: Between fields.
        after: What was read before, if the file has only grown since.

    Raises:
        DataError: No such file, no table, or a table of other columns; with the remedy.
    """
    if delimiter in '"\r\n' or not delimiter.isascii():
        raise DataError(f"{words}: {delimiter!r} cannot be a delimiter; write , ; | or a tab")
    table, begin = _header(Blocks(path, None), words, wanted, delimiter)
    blocks = Blocks(path, after)
    lines, rows = (table.header_lines, 0) if after is None else (after.lines, after.rows)
    for block, final in _with_last(blocks, skip=begin if after is None else 0):
        found = csv_records.find(block.pending, ord(delimiter), final=final)
        piece = table.piece(block.take(found.rest), found, lines)
        if len(block.pending) > LONGEST_BYTES:
            raise DataError(
                f"{words} line {lines + piece.line_count + 1} is longer than "
                f"{LONGEST_BYTES // 2**20} MB: is it a CSV file in which {delimiter!r} stands "
                "between fields?"
            )
        lines, rows = lines + piece.line_count, rows + len(piece.lines) + len(piece.broken)
        yield Chunk(
            table=piece.table,
            lines=piece.lines,
            raw=_raw(block.taken, piece.places),
            mark=SourceMark(
                words=words, sha256=blocks.sha256, bytes=blocks.read_bytes, rows=rows, lines=lines
            ),
            broken=piece.broken,
            share=blocks.read_bytes / max(blocks.total_bytes, 1),
        )


class _Pending:
    """Bytes that have been read, and those of them that have been taken."""

    def __init__(self) -> None:
        self.pending = self.taken = b""

    def take(self, size: int) -> bytes:
        self.taken, self.pending = self.pending[:size], self.pending[size:]
        return self.taken


def _with_last(blocks: Blocks, skip: int) -> Iterator[tuple[_Pending, bool]]:
    """What is pending after each block, and whether it is all that is left."""
    bytes_ = _Pending()
    for block in blocks:
        skipped = min(skip, len(block))
        skip -= skipped
        bytes_.pending += block[skipped:]
        yield bytes_, False
    yield bytes_, True


def _raw(block: bytes, places: npt.NDArray[np.int64]) -> Callable[[int], str]:
    return lambda row: block[places[row, 0] : places[row, 1]].decode("utf-8", "replace")


def _header(blocks: Blocks, words: str, wanted: Wanted, delimiter: str) -> tuple["_Table", int]:
    """What the columns are, and where the rows begin."""
    block = next(iter(blocks), b"")
    if not block:
        raise DataError(f"{words} is empty; a header and rows are needed")
    if block[:4] == b"PAR1":
        raise DataError(f'{words} is a Parquet file; write parquet = "…" in the spec')
    see_header(words, block)
    bom = len(_BOM) if block.startswith(_BOM) else 0
    found = csv_records.find(
        block[bom:], ord(delimiter), final=blocks.read_bytes >= blocks.total_bytes
    )
    if not len(found.starts) or (found.bad and found.bad[0][0] < found.starts[0]):
        raise DataError(f"{words}: its first line is no header; it begins with {block[:_SHOWN]!r}")
    start, end = bom + int(found.starts[0]), bom + int(found.ends[0])
    try:
        text = block[start:end].decode("utf-8")
    except UnicodeDecodeError as error:
        raise no_text(words) from error
    names = [name.strip() for name in next(csv.reader(io.StringIO(text), delimiter=delimiter), [])]
    _see_delimiter(names, words, delimiter)
    check_header(words, names, wanted)
    begin = min(_next_line(block, end), len(block))
    lines = csv_records.line_numbers(block[:begin], np.zeros(0, np.int64))[1]
    return _Table(names, wanted, delimiter, lines), begin


def _next_line(block: bytes, end: int) -> int:
    if block[end : end + 2] == b"\r\n":
        return end + 2
    return end + 1


def _see_delimiter(names: list[str], words: str, delimiter: str) -> None:
    if len(names) == 1:
        for other in _DELIMITERS:
            if other != delimiter and other in names[0]:
                written = other.replace("\t", "\\t")
                raise DataError(
                    f"{words}: the header is one column, {names[0][:_SHOWN]!r}, in which "
                    f'{other!r} stands: write delimiter = "{written}" under [[sources]]'
                )
    if all(_is_number(name) for name in names):
        raise DataError(
            f"{words}: the first line holds numbers and no names, {', '.join(names)[:_SHOWN]!r}: "
            "put a header before it"
        )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


class _Table:
    """The columns of one file."""

    def __init__(self, names: list[str], wanted: Wanted, delimiter: str, header_lines: int) -> None:
        self.header_lines = header_lines
        self._width, self._delimiter, self._columns = len(names), delimiter, wanted.columns
        self._header = names
        self._names = [str(index) for index in range(len(names))]
        self._asked = [str(names.index(name)) for name in wanted.columns]
        self._numbers = {str(names.index(name)) for name in wanted.numbers}

    def piece(self, block: bytes, found: Records, lines_before: int) -> _Piece:
        """The rows of a block."""
        sound = found.fields == self._width
        wrong = [
            (int(s), int(e), f"{'fewer' if n < self._width else 'more'} fields than the header has")
            for s, e, n in zip(
                found.starts[~sound], found.ends[~sound], found.fields[~sound], strict=True
            )
        ]
        if not is_text(block):
            sound, foreign = _sift(block, found, sound, self._not_utf8)
            wrong += foreign
        wrong = sorted([*wrong, *found.bad])
        places = np.stack([found.starts[sound], found.ends[sound]], axis=1)
        wrong_starts = np.array([start for start, _, _ in wrong], np.int64)
        numbers, line_count = csv_records.line_numbers(block, places[:, 0])
        wrong_lines, _ = csv_records.line_numbers(block, wrong_starts)
        broken = [
            Broken(lines_before + 1 + int(line), block[s:e].decode("utf-8", "replace"), why)
            for line, (s, e, why) in zip(wrong_lines, wrong, strict=True)
        ]
        body = b"\n".join(block[s:e] for s, e in places) if wrong else block
        table = self._parsed(body, len(places))
        return _Piece(table, places, lines_before + 1 + numbers, broken, line_count)

    def _not_utf8(self, record: bytes) -> str:
        return wrong_field(record, self._header, self._delimiter)

    def _parsed(self, body: bytes, rows: int) -> pa.Table:
        if not rows:
            return pa.table({name: pa.array([], pa.string()) for name in self._columns})
        try:
            table = self._convert(body, self._numbers)
        except pa.ArrowInvalid:
            table = self._convert(body, set())
        if table.num_rows != rows:
            raise DataError(
                f"{rows:,} lines were read as {table.num_rows:,} rows; nothing was stored: "
                "please report this file"
            )
        return table.rename_columns(self._columns)

    def _convert(self, body: bytes, numbers: set[str]) -> pa.Table:
        """The columns, those in `numbers` as such; fails if one of them holds other text."""
        types = {n: pa.float64() if n in numbers else pa.string() for n in self._asked}
        return arrow_csv.read_csv(
            pa.BufferReader(body),
            arrow_csv.ReadOptions(
                column_names=self._names, block_size=max(len(body), 1) + 1, use_threads=True
            ),
            arrow_csv.ParseOptions(delimiter=self._delimiter, newlines_in_values=b'"' in body),
            arrow_csv.ConvertOptions(
                check_utf8=False,
                include_columns=self._asked,
                column_types=types,
                null_values=MISSING,
                strings_can_be_null=False,
            ),
        )


def _sift(
    block: bytes, found: Records, sound: npt.NDArray[np.bool_], reason: Callable[[bytes], str]
) -> tuple[npt.NDArray[np.bool_], list[tuple[int, int, str]]]:
    """The records that are UTF-8, and those that are not."""
    kept, wrong = sound.copy(), []
    for index in np.flatnonzero(sound):
        start, end = int(found.starts[index]), int(found.ends[index])
        if not is_text(block[start:end]):
            kept[index] = False
            wrong.append((start, end, reason(block[start:end])))
    return kept, wrong
