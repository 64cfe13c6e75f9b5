"""Small words that every gate uses."""

import math

from fleetloop_hub.version_parts import GateResult


def known(value: float) -> float | None:
    """The number, or None where there is none: JSON knows no NaN."""
    return value if math.isfinite(value) else None


def short(value: float) -> str:
    """Three digits.

    >>> short(0.12345)
    '0.123'
    """
    return f"{value:.3f}"


def lost(name: str, limit: float | None, why: str) -> GateResult:
    """A gate that is demanded and cannot be judged: it has failed."""
    return GateResult(
        name=name,
        passed=False,
        value=None,
        limit=limit,
        text=f"cannot be judged: {why}; add rows, or take this demand out of the spec",
    )


def verdict(value: float, limit: float | None, unit: str, remedy: str) -> str:
    """How a number stands to the most that is allowed, with what to do if it is too large."""
    if limit is None:
        return "shown, not judged"
    if value <= limit:
        return f"within the {limit:{unit}} allowed"
    return f"more than the {limit:{unit}} allowed; {remedy}"
