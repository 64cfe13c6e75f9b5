"""Counts how long things took, in bins of half an octave, so that counts of many devices add up.

Bin 0 holds what took less than 1 µs; bin k holds 2^((k-1)/2) µs up to, not including, 2^(k/2) µs;
the last bin holds all that took longer. A quantile of the counts is the geometric middle of its
bin, so that it is at most `ERROR_RATIO` times too large or too small.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

BINS = 48
"""The last one begins at 2^23 µs, 8.4 s."""

ERROR_RATIO = 2**0.25
"""How far a quantile may lie from the true one: 1.19 times, up or down."""

_NS_PER_US = 1_000
_NS_SQUARED_PER_US_SQUARED = _NS_PER_US**2

_BEGINNINGS_NS = np.array(
    [math.isqrt(_NS_SQUARED_PER_US_SQUARED * 2**k - 1) + 1 for k in range(BINS - 1)], np.int64
)
"""The first nanosecond of each bin from the second on."""


def bin_of(took_ns: int) -> int:
    """The bin of a time, exactly: it is half an octave as its square is one.

    Args:
        took_ns: Nanoseconds, 0 or more; what a clock that jumped back gave counts as 0.

    Examples:
        >>> [bin_of(ns) for ns in (-5, 999, 1_000, 1_414, 1_415, 2_000, 10**15)]
        [0, 0, 1, 1, 2, 3, 47]
    """
    if took_ns < _NS_PER_US:
        return 0
    return min((took_ns * took_ns // _NS_SQUARED_PER_US_SQUARED).bit_length(), BINS - 1)


def count_times(times_ns: Sequence[int]) -> npt.NDArray[np.int64]:
    """How many times fall into each bin.

    Args:
        times_ns: Nanoseconds, each below 2^63.

    Examples:
        >>> count_times([999, 1_414, 1_415, 10**15])[:3].tolist()
        [1, 1, 1]
    """
    places = np.searchsorted(_BEGINNINGS_NS, np.array(times_ns, np.int64), side="right")
    return np.bincount(places, minlength=BINS)


def bounds_us(k: int) -> tuple[float, float]:
    """Where a bin begins and ends, in microseconds; the last one has no end.

    Examples:
        >>> bounds_us(0), bounds_us(3), bounds_us(BINS - 1)
        ((0.0, 1.0), (2.0, 2.8284271247461903), (8388608.0, inf))
    """
    low = 0.0 if k == 0 else 2.0 ** ((k - 1) / 2)
    return low, math.inf if k == BINS - 1 else 2.0 ** (k / 2)


def quantile_us(counts: Sequence[int], share: float) -> float | None:
    """The time that a share of all stayed below or at, in microseconds; None without counts.

    In the first and the last bin, which have no geometric middle, it is 1 µs and the bin's
    beginning: such a time is a bound, not an estimate.

    Args:
        counts: One a bin.
        share: 0.5 for the median.

    Examples:
        >>> counts = [0] * BINS
        >>> for us in (10, 11, 12, 13, 500):
        ...     counts[bin_of(us * 1_000)] += 1
        >>> round(quantile_us(counts, 0.5), 2), round(quantile_us(counts, 0.99), 2)
        (13.45, 430.54)
        >>> quantile_us([0] * BINS, 0.5) is None
        True
    """
    total = sum(counts)
    if not total:
        return None
    rank, seen = max(1, math.ceil(share * total)), 0
    for k, count in enumerate(counts):
        seen += count
        if seen >= rank:
            return _middle_us(k)
    raise ValueError(f"a share of {share} is no share")


def _middle_us(k: int) -> float:
    if k == 0:
        return 1.0
    low, high = bounds_us(k)
    return low if math.isinf(high) else math.sqrt(low * high)
