"""Reads a file with one JSON object a line, plain or gzip, in chunks."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from fleetloop_hub.data.chunk import CHUNK_ROWS, Broken, Chunk
from fleetloop_hub.data.files import LONGEST_BYTES, Blocks
from fleetloop_hub.data.wanted import Wanted
from fleetloop_hub.dataset_parts import SourceMark
from fleetloop_hub.errors import DataError

_DECODER = msgspec.json.Decoder()


def read(path: Path, words: str, wanted: Wanted, after: SourceMark | None) -> Iterator[Chunk]:
    """The file's objects that were not read before; a line that is none is said to be none.

    A key that an object lacks is missing in its row; one that no object of the first chunk has is
    an error.

    Raises:
        DataError: The file cannot be read, is empty, or lacks a column.
    """
    blocks = Blocks(path, after)
    number, rows = (0, 0) if after is None else (after.lines, after.rows)
    seen = after is not None
    pending: list[bytes] = []

    def chunk() -> Chunk:
        nonlocal rows, seen
        objects, lines, broken = _objects(pending, number - len(pending))
        if objects and not seen:
            _see_columns(objects, words, wanted)
            seen = True
        rows += len(objects) + len(broken)
        texts = [pending[line - 1 - (number - len(pending))] for line in lines]
        return Chunk(
            table=to_table(objects, wanted.columns),
            lines=np.array(lines, np.int64),
            raw=lambda row: texts[row].decode("utf-8", "replace"),
            mark=SourceMark(
                words=words, sha256=blocks.sha256, bytes=blocks.read_bytes, rows=rows, lines=number
            ),
            broken=broken,
            share=blocks.read_bytes / max(blocks.total_bytes, 1),
        )

    for line in _lines(blocks, words):
        pending.append(line)
        number += 1
        if len(pending) == CHUNK_ROWS:
            yield chunk()
            pending = []
    if not number:
        raise DataError(f"{words} is empty; a JSON object a line is needed")
    yield chunk()


def to_table(objects: list[dict[str, Any]], names: list[str]) -> pa.Table:
    """Rows as columns; a column of one kind keeps it, another becomes text."""
    return pa.table({name: _column([row.get(name) for row in objects]) for name in names})


def _column(values: list[Any]) -> pa.Array:
    try:
        return pa.array(values, from_pandas=False)
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        return pa.array([None if v is None else _text(v) for v in values], pa.string())


def _text(value: Any) -> str:  # noqa: ANN401  # whatever JSON or a database holds
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _lines(blocks: Blocks, words: str) -> Iterator[bytes]:
    carry = b""
    for block in blocks:
        *whole, carry = (carry + block).split(b"\n")
        if len(carry) > LONGEST_BYTES:
            raise DataError(
                f"{words}: a line of more than {LONGEST_BYTES // 2**20} MB; nothing was stored: "
                "one JSON object a line is needed"
            )
        yield from whole
    if carry:
        yield carry


def _objects(
    pending: list[bytes], before: int
) -> tuple[list[dict[str, Any]], list[int], list[Broken]]:
    objects: list[dict[str, Any]] = []
    lines: list[int] = []
    broken: list[Broken] = []
    for line, text in enumerate(pending, before + 1):
        if not text.strip():
            continue
        try:
            value = _DECODER.decode(text.removeprefix(b"\xef\xbb\xbf"))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            value = None
        if isinstance(value, dict):
            objects.append(value)
            lines.append(line)
        else:
            broken.append(Broken(line, text.decode("utf-8", "replace"), "not a JSON object"))
    return objects, lines, broken


def _see_columns(objects: list[dict[str, Any]], words: str, wanted: Wanted) -> None:
    there = set().union(*objects)
    for name in wanted.columns:
        if name not in there:
            known = ", ".join(sorted(there)[:20])
            raise DataError(
                f"{words}: no object has the key {name!r}; they have {known}: correct the file, "
                "or the name in the spec"
            )
