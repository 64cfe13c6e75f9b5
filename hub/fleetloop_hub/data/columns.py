"""Columns of a source as numbers, times and texts; a value that is none is said, not raised."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

Floats = npt.NDArray[np.float64]
Truths = npt.NDArray[np.bool_]

MISSING = ["", "NaN", "nan", "NA", "N/A", "NULL", "null", "None"]
"""What stands for a missing number or time; an empty text is a missing text."""

_DATE = r"^\s*\d{4}-\d\d"
_LARGEST_WHOLE = 2.0**53


def numbers(column: pa.ChunkedArray) -> tuple[Floats, Truths]:
    """The values, NaN where missing, and where something stands that is no number."""
    flat = _flat(column)
    kind = flat.type
    if pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        values = _to_numpy(pc.cast(flat, pa.float64(), safe=False))
        return values, np.zeros(len(values), bool)
    if pa.types.is_boolean(kind):
        return numbers(pa.chunked_array([pc.cast(flat, pa.uint8())]))
    if pa.types.is_null(kind):
        return np.full(len(flat), np.nan), np.zeros(len(flat), bool)
    if not pa.types.is_string(kind):
        return np.full(len(flat), np.nan), _to_numpy(pc.is_valid(flat)).astype(bool)
    return _parsed(flat)


def times(column: pa.ChunkedArray) -> tuple[Floats, Truths]:
    """Places in time: numbers as they are, dates and times as Unix seconds, UTC if not said."""
    flat = _flat(column)
    if pa.types.is_date(flat.type):
        flat = pc.cast(flat, pa.timestamp("s"))
    if pa.types.is_timestamp(flat.type):
        micros = pc.cast(flat, pa.timestamp("us", tz=flat.type.tz), safe=False)
        whole = pc.cast(pc.cast(micros, pa.int64()), pa.float64(), safe=False)
        values = _to_numpy(whole) / 1e6
        return values, np.zeros(len(values), bool)
    values, wrong = numbers(pa.chunked_array([flat]))
    if pa.types.is_string(flat.type) and wrong.any():
        dated = wrong & _to_numpy(pc.fill_null(pc.match_substring_regex(flat, _DATE), False))  # noqa: FBT003  # pyarrow's form
        found = _dates(flat.filter(pa.array(dated)))
        values[dated] = found
        wrong[dated] = np.isnan(found)
    return values, wrong


def texts(column: pa.ChunkedArray) -> pa.Array:
    """The values as text without blanks around them, null where missing; 1.0 is "1"."""
    flat = _flat(column)
    kind = flat.type
    if pa.types.is_string(kind):
        trimmed = pc.utf8_trim_whitespace(flat)
        return pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return pa.array([_whole(v) for v in flat.to_pylist()], pa.string())
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_null(kind):
        return pc.cast(flat, pa.string())
    if pa.types.is_temporal(kind):
        return pc.cast(flat, pa.string())
    return pa.array([None if v is None else str(v) for v in flat.to_pylist()], pa.string())


def places(values: pa.Array, listed: list[str]) -> Floats:
    """The place of each text in a list; -1 where it is not there, NaN where it is missing.

    Texts that are the same number are the same: "1.0" is "1".
    """
    exact = pc.index_in(values, value_set=pa.array(listed, pa.string()))
    found: Floats = _to_numpy(pc.cast(pc.fill_null(exact, -1), pa.float64()))
    present = _to_numpy(pc.is_valid(values)).astype(bool)
    found[~present] = np.nan
    unseen = np.flatnonzero(present & (found < 0))
    if len(unseen):
        by_number = {plain(text): place for place, text in reversed(list(enumerate(listed)))}
        others = values.take(pa.array(unseen)).dictionary_encode()
        codes = np.array(
            [by_number.get(plain(t), -1) for t in others.dictionary.to_pylist()], float
        )
        found[unseen] = codes[_to_numpy(others.indices)]
    return found


def plain(value: Any) -> str:  # noqa: ANN401  # text or any kind of number
    """A value as text; a whole number without a point.

    >>> plain("1.0"), plain(1.0), plain("x"), plain(0.5)
    ('1', '1', 'x', '0.5')
    """
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return str(value)
    if number.is_integer() and abs(number) <= _LARGEST_WHOLE and "_" not in str(value):
        return str(int(number))
    return str(value)


def _whole(value: Any) -> str | None:  # noqa: ANN401  # any kind of number
    return None if value is None or np.isnan(float(value)) else plain(value)


def _flat(column: pa.ChunkedArray) -> pa.Array:
    """One array, of a plain type."""
    flat = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(flat, pa.ChunkedArray):
        flat = pa.concat_arrays(flat.chunks)
    kind = flat.type
    if pa.types.is_dictionary(kind):
        flat = flat.dictionary_decode()
        kind = flat.type
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        flat = pc.cast(flat, pa.string())
    return flat


def _parsed(texts_: pa.Array) -> tuple[Floats, Truths]:
    """Numbers from text: all at once if they are, else each one that is not by itself."""
    trimmed = pc.utf8_trim_whitespace(texts_)
    known = pc.if_else(pc.is_in(trimmed, pa.array(MISSING)), pa.scalar(None, pa.string()), trimmed)
    try:
        values = _to_numpy(pc.cast(known, pa.float64()))
    except pa.ArrowInvalid:
        encoded = known.dictionary_encode()
        found = [_number(text) for text in encoded.dictionary.to_pylist()]
        indices = _to_numpy(pc.fill_null(encoded.indices, len(found))).astype(np.int64)
        values = np.array([*(np.nan if n is None else n for n in found), np.nan])[indices]
        wrong = np.array([*(n is None for n in found), False])[indices]
        return values, wrong
    return values, np.zeros(len(values), bool)


def _number(text: str) -> float | None:
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None


def _dates(texts_: pa.Array) -> Floats:
    found = pd.to_datetime(
        pd.Series(texts_.to_pylist(), dtype="object"), format="ISO8601", utc=True, errors="coerce"
    )
    micros = found.to_numpy(dtype="datetime64[us]")
    seconds: Floats = micros.astype(np.int64) / 1e6
    return np.where(np.isnat(micros), np.nan, seconds)


def _to_numpy(array: pa.Array) -> Any:  # noqa: ANN401  # of the array's type
    """A copy that can be written to; NaN for null where it holds floats."""
    return np.array(array.to_numpy(zero_copy_only=False))
