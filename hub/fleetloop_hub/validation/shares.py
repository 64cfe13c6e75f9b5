"""Shares with their intervals, and gaps between shares with their limits; loads no library."""

from math import sqrt

from fleetloop_hub.version_parts import GroupGap

RATIO = "selection ratio"
"""The one measure of groups that must reach its limit; the others must not exceed theirs."""

_Z = 1.959964


def wilson(part: float, rows: int) -> tuple[float, float]:
    """The 95 % score interval of a share (Wilson, 1927); all of [0, 1] where there is no row.

    >>> [round(end, 3) for end in wilson(0, 10)]
    [0.0, 0.278]
    """
    if not rows:
        return 0.0, 1.0
    share, square = part / rows, _Z**2 / rows
    middle = share + square / 2
    half = _Z * sqrt(share * (1 - share) / rows + square / (4 * rows))
    return max(0.0, (middle - half) / (1 + square)), min(1.0, (middle + half) / (1 + square))


def within(gap: GroupGap) -> bool:
    """Whether a gap is as the spec allows; a ratio must reach its limit, a gap must not exceed it.

    Nothing that is demanded passes because it cannot be said.
    """
    if gap.limit is None:
        return True
    if gap.value is None:
        return False
    return gap.value >= gap.limit if gap.measure == RATIO else gap.value <= gap.limit
