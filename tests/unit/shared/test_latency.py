"""Latency counts: every time has one bin, and a quantile lies near the true one."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetloop_shared.latency import (
    BINS,
    ERROR_RATIO,
    bin_of,
    bounds_us,
    count_times,
    quantile_us,
)

NEAR_A_BOUND = [math.isqrt(10**6 * 2**k) + more for k in range(BINS) for more in (-1, 0, 1)]


@given(st.integers(0, 10**13))
def test_a_time_lies_within_its_bin(took_ns: int) -> None:
    low, high = bounds_us(bin_of(took_ns))
    assert low <= took_ns / 1_000 * (1 + 1e-12)
    assert took_ns / 1_000 < high * (1 + 1e-12)


@given(st.lists(st.integers(-5, 10**17) | st.sampled_from(NEAR_A_BOUND)))
def test_many_times_are_counted_as_one_by_one(times_ns: list[int]) -> None:
    counts = [0] * BINS
    for took_ns in times_ns:
        counts[bin_of(took_ns)] += 1
    assert count_times(times_ns).tolist() == counts


def test_bins_follow_each_other_without_gaps() -> None:
    bounds = [bounds_us(k) for k in range(BINS)]
    assert bounds[0][0] == 0
    assert bounds[-1][1] == math.inf
    assert [high for _, high in bounds[:-1]] == [low for low, _ in bounds[1:]]


@given(st.lists(st.integers(1_000, 8_000_000_000), min_size=1), st.sampled_from([0.5, 0.9, 0.99]))
def test_a_quantile_is_near_the_true_one(times_ns: list[int], share: float) -> None:
    counts = [0] * BINS
    for took_ns in times_ns:
        counts[bin_of(took_ns)] += 1
    true_us = sorted(times_ns)[max(1, math.ceil(share * len(times_ns))) - 1] / 1_000
    told_us = quantile_us(counts, share)
    assert told_us is not None
    assert true_us / ERROR_RATIO * 0.999999 <= told_us <= true_us * ERROR_RATIO * 1.000001


def test_what_is_no_share_is_refused() -> None:
    with pytest.raises(ValueError, match="no share"):
        quantile_us([1] * BINS, 1.5)


def test_times_beyond_all_bins_and_below_are_told_as_bounds() -> None:
    assert quantile_us([1] + [0] * (BINS - 1), 0.5) == 1.0
    assert quantile_us([0] * (BINS - 1) + [1], 0.5) == 2.0**23
