"""What the values of one column show, and nothing guessed."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fleetloop_hub.data.columns import MISSING

_MOST_VALUES = 4_096
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?")
_LOOKED_AT = 1_000
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_MOSTLY = 0.95
_FEW_TEXTS = 5


@dataclass(frozen=True)
class Facts:
    """One column.

    Attributes:
        name: Its name.
        rows: How many values, with the missing ones.
        missing: How many are missing.
        distinct: How many different ones.
        number: Whether all that are there are numbers.
        texts: Of a column of numbers but for a few: what the others are.
        whole: Whether all are whole numbers.
        low: The smallest number.
        high: The largest.
        date: Whether all are ISO 8601 dates or times.
        ascends: Whether each is at least the one before.
        changes: In how many places a value differs from the one before.
        values: Every value with its count, the commonest first; none if there are too many.
    """

    name: str
    rows: int
    missing: int
    distinct: int
    number: bool = False
    texts: tuple[str, ...] = ()
    whole: bool = False
    low: float = 0.0
    high: float = 0.0
    date: bool = False
    ascends: bool = False
    changes: int = 0
    values: tuple[tuple[str, int], ...] = ()

    @property
    def unique(self) -> bool:
        """Whether no value is missing or stands twice."""
        return self.missing == 0 and self.distinct == self.rows


def look(name: str, column: Any) -> Facts:  # noqa: ANN401  # pyarrow ships no types
    """The facts of one column.

    Args:
        name: Its name.
        column: Its values as text, null where missing.
    """
    column = pc.utf8_trim_whitespace(column.combine_chunks() if column.num_chunks else column)
    nothing = pc.is_in(column, pa.array(_nothing(column)))
    column = pc.if_else(nothing, pa.scalar(None, pa.string()), column)
    there = pc.drop_null(column)
    rows, missing = len(column), len(column) - len(there)
    counts = there.value_counts()
    values = counts.field("values").to_pylist() if len(counts) <= _MOST_VALUES else []
    often = counts.field("counts").to_pylist() if values else []
    ranked = sorted(zip(values, often, strict=True), key=lambda pair: (-pair[1], pair[0]))
    codes = there.dictionary_encode().indices.to_numpy()
    facts = Facts(
        name,
        rows,
        missing,
        len(counts),
        changes=int(np.count_nonzero(np.diff(codes))),
        values=tuple(ranked),
    )
    return facts if not len(there) else _numbers(facts, there)


def _nothing(column: Any) -> list[str]:  # noqa: ANN401  # pyarrow ships no types
    """The texts that stand for a missing value: in a column of numbers there are more of them."""
    there = column.filter(pc.invert(pc.is_in(column, pa.array([*MISSING, None], pa.string()))))
    number = pc.mean(pc.cast(pc.match_substring_regex(there, _NUMBER), pa.float64())).as_py() or 0
    return MISSING if number >= _MOSTLY else [""]


def _numbers(facts: Facts, there: Any) -> Facts:  # noqa: ANN401  # pyarrow ships no types
    texts: tuple[str, ...] = ()
    try:
        numbers = pc.cast(there, pa.float64())
    except pa.ArrowInvalid:
        looks = pc.match_substring_regex(there, _NUMBER)
        others = there.filter(pc.invert(looks)).unique().to_pylist()
        if pc.sum(looks).as_py() < _MOSTLY * len(there) or len(others) > _FEW_TEXTS:
            return _dates(facts, there)
        texts = tuple(str(text) for text in others)
        numbers = pc.cast(there.filter(looks), pa.float64())
    values = numbers.to_numpy()
    finite = values[np.isfinite(values)]
    if not len(finite):
        return facts
    return replace(
        facts,
        number=True,
        texts=texts,
        whole=len(finite) == len(there) and bool((finite == np.floor(finite)).all()),
        low=float(finite.min()),
        high=float(finite.max()),
        ascends=len(finite) == facts.rows and bool((np.diff(finite) >= 0).all()),
    )


def _dates(facts: Facts, there: Any) -> Facts:  # noqa: ANN401  # pyarrow ships no types
    texts = there[:_LOOKED_AT].to_pylist()
    if not all(_DATE.fullmatch(text) and _is_date(text) for text in texts):
        return facts
    dates = there.to_pylist()
    return replace(facts, date=True, ascends=not facts.missing and dates == sorted(dates))


def _is_date(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
