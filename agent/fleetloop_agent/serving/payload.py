"""Reads rows from a JSON payload, whatever form a sensor gives them."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from fleetloop_agent.errors import InputError
from fleetloop_agent.serving.intake import Row

MOST_ROWS = 4_096
"""In one payload."""

_FORMS = (
    "send a row as a JSON object {feature: value, ...} or as an array of values in the order of the"
    ' model\'s features; many rows as an array of those, or as {"rows": [...]}'
)


@dataclass(frozen=True)
class Given:
    """What a payload asks.

    Attributes:
        rows: The rows.
        many: Whether it is a list of rows, also of one, and not a row by itself.
    """

    rows: list[Row]
    many: bool


def read(payload: bytes, names: Sequence[str]) -> Given:
    """The rows in a payload.

    Args:
        payload: JSON: an object of named features, an array of values by position, an array of
            either, or an object with nothing but `rows`.
        names: The features, in the order of the model.

    Raises:
        InputError: It is none of these, or has too many rows.

    >>> read(b'[1, null]', ["wind", "rain"])
    Given(rows=[{'wind': 1, 'rain': None}], many=False)
    """
    try:
        told: object = msgspec.json.decode(payload)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise InputError(f"the payload is no JSON: {error}; {_FORMS}") from error
    if isinstance(told, dict) and told.keys() == {"rows"} and isinstance(told["rows"], list):
        rows, many = told["rows"], True
    elif isinstance(told, list) and any(isinstance(row, dict | list) for row in told):
        rows, many = told, True
    elif isinstance(told, dict | list) and told:
        rows, many = [told], False
    else:
        rows, many = [], False
    if not 0 < len(rows) <= MOST_ROWS:
        raise InputError(f"the payload holds {len(rows):,} rows, not 1 to {MOST_ROWS:,}; {_FORMS}")
    return Given([_row(row, names) for row in rows], many)


def _row(row: object, names: Sequence[str]) -> Row:
    if isinstance(row, dict):
        return row
    if not isinstance(row, list) or len(row) != len(names):
        count = len(row) if isinstance(row, list) else 1
        raise InputError(f"a row of {count} values, where the model has {len(names)}; {_FORMS}")
    return dict(zip(names, row, strict=True))
