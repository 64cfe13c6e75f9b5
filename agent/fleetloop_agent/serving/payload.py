"""Reads rows from a JSON payload, whatever form a sensor gives them."""

from collections.abc import Sequence

import msgspec

from fleetloop_agent.errors import InputError
from fleetloop_agent.serving.intake import Row

_FORMS = (
    "send a row as a JSON object {feature: value, ...} or as an array of values in the order of the"
    ' model\'s features; many rows as an array of those, or as {"rows": [...]}'
)


def rows_in(payload: bytes, names: Sequence[str]) -> list[Row]:
    """The rows in a payload.

    Args:
        payload: JSON: an object of named features, an array of values by position, an array of
            either, or an object with nothing but `rows`.
        names: The features, in the order of the model.

    Raises:
        InputError: It is none of these.

    >>> rows_in(b'[1, null]', ["wind", "rain"])
    [{'wind': 1, 'rain': None}]
    """
    try:
        told: object = msgspec.json.decode(payload)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise InputError(f"the payload is no JSON: {error}; {_FORMS}") from error
    if isinstance(told, dict) and told.keys() == {"rows"} and isinstance(told["rows"], list):
        told = told["rows"]
    elif isinstance(told, dict):
        return [told]
    if not isinstance(told, list) or not told:
        raise InputError(f"the payload holds no row; {_FORMS}")
    if not any(isinstance(row, dict | list) for row in told):
        told = [told]
    return [row if isinstance(row, dict) else _by_position(row, names) for row in told]


def _by_position(row: object, names: Sequence[str]) -> Row:
    if not isinstance(row, list) or len(row) != len(names):
        count = len(row) if isinstance(row, list) else 1
        raise InputError(f"a row of {count} values, where the model has {len(names)}; {_FORMS}")
    return dict(zip(names, row, strict=True))
