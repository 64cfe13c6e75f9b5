"""Says of bytes that are not UTF-8 where they stand, and how the file becomes UTF-8."""

import csv
import io
from collections.abc import Iterator

from fleetloop_hub.errors import DataError

_REMEDY = "save the file as UTF-8, e.g. iconv -f latin1 -t utf8 OLD.csv > NEW.csv"
_BLOCK_BYTES = 1_048_576
_SCANNED_BYTES = 268_435_456
_CONTROLS = frozenset(range(32)) - frozenset(b"\t\r\n\f\v")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def is_text(block: bytes) -> bool:
    """Whether whole lines are UTF-8."""
    return block.isascii() or _first_wrong(block) is None


def no_text(name: str) -> DataError:
    """The error for a file that is no text at all, or whose header is none."""
    return DataError(
        f"{name}: this is not text in UTF-8; a CSV file needs a header and rows of text: {_REMEDY}"
    )


def see_header(name: str, block: bytes) -> None:
    """See that a file begins with text.

    Args:
        name: What reports call it.
        block: Its beginning.

    Raises:
        DataError: It does not; with the remedy.
    """
    if block.startswith(_UTF16):
        raise DataError(f"{name} is in UTF-16; save it as UTF-8, e.g. iconv -f utf16 -t utf8")
    header = block.partition(b"\n")[0]
    if any(byte in _CONTROLS for byte in header):
        raise no_text(name)
    if not is_text(header):
        raise DataError(f"{name} line 1: the header is not UTF-8: {_REMEDY}")


def see_rows(name: str, file: io.BufferedIOBase, header: list[str], delimiter: str) -> None:
    """See that the beginning of a file, of 256 MB, is text in UTF-8.

    Args:
        name: What reports call it.
        file: It, from its first byte.
        header: What its columns are called.
        delimiter: Between fields.

    Raises:
        DataError: It is not; with the line, the column and the remedy.
    """
    line = 1
    for block in _blocks(file):
        place = _first_wrong(block)
        if place is not None:
            line += block.count(b"\n", 0, place)
            record = block[block.rfind(b"\n", 0, place) + 1 :]
            reason = wrong_field(record, header, delimiter)
            raise DataError(f"{name} line {line}: {reason}; nothing was read of it")
        line += block.count(b"\n")


def wrong_field(record: bytes, header: list[str], delimiter: str) -> str:
    """Why a record is no row: the first of its fields that is not UTF-8, and the remedy."""
    before = record[: _first_wrong(record) or 0].decode("utf-8", "replace")
    fields = next(csv.reader(io.StringIO(before, ""), delimiter=delimiter), [""])
    place = max(len(fields) - 1, 0)
    column = header[place] if place < len(header) else "a field after the last"
    return f"{column} is not UTF-8: {_REMEDY}"


def _first_wrong(block: bytes) -> int | None:
    try:
        block.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return None


def _blocks(file: io.BufferedIOBase) -> Iterator[bytes]:
    """Whole lines, but for lines that have no end."""
    rest = b""
    for _ in range(_SCANNED_BYTES // _BLOCK_BYTES):
        block = file.read(_BLOCK_BYTES)
        if not block:
            break
        whole, end, after = (rest + block).rpartition(b"\n")
        rest = after
        yield whole + end
    else:
        return
    yield rest
