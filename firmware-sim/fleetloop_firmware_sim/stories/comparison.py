"""Two versions on the same rows, with an interval that says if the gain is beyond chance."""

import math
from dataclasses import dataclass

_Z95 = 1.959964


@dataclass(frozen=True)
class Comparison:
    """Two versions on the same rows.

    Attributes:
        before: Accuracy of the first.
        after: Accuracy of the second.
        low: Lower end of the 95 % interval of the gain.
        high: Upper end of it.
        rows: How many rows.
    """

    before: float
    after: float
    low: float
    high: float
    rows: int


def compare(before: list[int], after: list[int], truth: list[int]) -> Comparison:
    """Accuracy before and after, with a normal interval of the paired difference.

    >>> compare([0, 0, 1, 1], [1, 0, 1, 1], [1, 0, 1, 1]).after
    1.0
    """
    right_before = [int(b == t) for b, t in zip(before, truth, strict=True)]
    right_after = [int(a == t) for a, t in zip(after, truth, strict=True)]
    gains = [a - b for a, b in zip(right_after, right_before, strict=True)]
    rows = len(gains)
    mean = sum(gains) / rows
    spread = math.sqrt(sum((g - mean) ** 2 for g in gains) / max(1, rows - 1) / rows)
    return Comparison(
        before=sum(right_before) / rows,
        after=sum(right_after) / rows,
        low=mean - _Z95 * spread,
        high=mean + _Z95 * spread,
        rows=rows,
    )
