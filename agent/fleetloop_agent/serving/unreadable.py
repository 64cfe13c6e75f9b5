"""What is wrong with a body that cannot be read, in words; asked only once reading has failed."""

import json
import math

_EMPTY = "the body is empty"
_RANGE = "out of range"


def why_unreadable(body: bytes, error: Exception) -> str:
    """What is wrong with a request's body, naming row and feature of a number without room.

    Args:
        body: What could not be read.
        error: Why, as the reader of JSON says it.
    """
    if not body.strip():
        return f"{_EMPTY}; send JSON, such as one row {{feature: value, ...}}"
    if _RANGE in str(error):
        place = _endless(body)
        if place is not None:
            row, feature = place
            return f"row {row}: {feature[:80]!r} is too large for float32"
    return f"the body is not what is read here: {error}"


def _endless(body: bytes) -> tuple[int, str] | None:
    """Row and feature of the first number that is beyond all numbers; None if it is elsewhere."""
    try:
        told = json.loads(body, parse_int=float)
    except (ValueError, RecursionError):
        return None
    listed = told.get("rows") if isinstance(told, dict) else None
    for number, row in enumerate(listed if isinstance(listed, list) else [told]):
        for feature, value in row.items() if isinstance(row, dict) else ():
            if isinstance(value, float) and math.isinf(value):
                return number, feature
    return None
