"""Merging of profiles: exact, whatever the order, and never across references."""

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetloop_hub.monitoring.merging import merged, shape, thinned
from fleetloop_shared.profile import LiveProfile


@st.composite
def profiles(draw: st.DrawFn, bins: tuple[int, ...] = (3, 5)) -> LiveProfile:
    """A window's profile that adds up."""
    rows = draw(st.integers(1, 500))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    width = len(bins)
    counts = [random.multinomial(rows, np.ones(b + 1) / (b + 1)).tolist() for b in bins]
    numbers = st.lists(
        st.integers(-(10**9), 10**9),
        min_size=width * (width + 5) // 2,
        max_size=width * (width + 5) // 2,
    )
    drawn = draw(numbers)
    return LiveProfile(
        rows=rows,
        counts=[c[:-1] for c in counts],
        missing=[c[-1] for c in counts],
        low=draw(st.lists(st.none() | st.floats(-9, 0), min_size=width, max_size=width)),
        high=draw(st.lists(st.none() | st.floats(0, 9), min_size=width, max_size=width)),
        sums=drawn[:width],
        near_step=1,
        near_sums=drawn[width : 2 * width],
        near_products=drawn[2 * width :],
        score_counts=random.multinomial(rows, np.ones(32) / 32).tolist(),
        out_of_range=random.binomial(rows, 0.1, width).tolist(),
    )


@settings(max_examples=25)
@given(st.lists(profiles(), min_size=1, max_size=8), st.randoms())
def test_merging_is_the_same_in_any_order(parts: list[LiveProfile], random: object) -> None:
    mixed = list(parts)
    random.shuffle(mixed)  # type: ignore[attr-defined]  # hypothesis's Random
    assert merged(mixed) == merged(parts)


@settings(max_examples=25)
@given(st.lists(profiles(), min_size=1, max_size=8))
def test_counts_are_exactly_those_of_merging_one_by_one(parts: list[LiveProfile]) -> None:
    whole, stepwise = merged(parts), functools.reduce(LiveProfile.merge, parts)
    assert whole == stepwise


@settings(max_examples=40)
@given(profiles(), st.integers(1, 600))
def test_fewer_rows_keep_the_shares_to_within_a_row(profile: LiveProfile, rows: int) -> None:
    thin = thinned(profile, rows)
    assert thin.rows == min(rows, profile.rows)
    assert shape(thin) == shape(profile)
    share = thin.rows / profile.rows
    for counts, missing, of in zip(thin.counts, thin.missing, profile.counts, strict=True):
        assert sum(counts) + missing == thin.rows
        assert all(abs(a - b * share) < 1 for a, b in zip(counts, of, strict=True))
    assert sum(thin.score_counts) == thin.rows
    assert thin.sums == [round(x * share) for x in profile.sums]


@settings(max_examples=40)
@given(profiles(), profiles(bins=(3, 4)))
def test_another_reference_is_never_merged(one: LiveProfile, other: LiveProfile) -> None:
    with pytest.raises(ValueError, match="different references"):
        merged([one, other])


def test_nothing_cannot_be_merged() -> None:
    with pytest.raises(ValueError, match="no profile"):
        merged([])
