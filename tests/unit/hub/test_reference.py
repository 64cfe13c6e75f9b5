"""The reference profile: bins that hold, also for discrete, constant and missing values."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fleetloop_hub.packaging.reference import (
    BINS,
    OWN_BINS,
    build_reference,
    category_edges,
    inner_edges,
)
from fleetloop_shared.codec import decode, encode
from fleetloop_shared.manifest import Feature
from fleetloop_shared.profile import SCORE_BINS, ReferenceProfile

Rows = npt.NDArray[np.float32]


def column(*values: float) -> Rows:
    return np.array(values, np.float32)


def numbers(width: int) -> list[Feature]:
    return [Feature(name=f"f{k}") for k in range(width)]


def reference(rows: Rows) -> ReferenceProfile:
    return build_reference(numbers(rows.shape[1]), rows, np.full(len(rows), 0.25))


def test_a_continuous_feature_has_sixteen_bins_of_equal_share() -> None:
    rows = np.random.default_rng(0).standard_normal((1_600, 1), np.float32)
    (feature,) = reference(rows).features
    assert len(feature.edges) == BINS - 1
    assert set(feature.counts) == {100}


def test_each_value_of_a_discrete_feature_has_a_bin_and_a_new_one_falls_beside_it() -> None:
    (feature,) = reference(column(*([1] * 100), 2, 5, 5).reshape(-1, 1)).features
    assert feature.counts == [0, 100, 0, 1, 0, 2, 0]


def test_a_value_that_many_rows_share_has_a_bin_of_its_own() -> None:
    values = np.concatenate([np.zeros(500), np.linspace(0.001, 1, 500)]).astype(np.float32)
    (feature,) = reference(values.reshape(-1, 1)).features
    assert max(feature.counts) == 500
    assert feature.counts[0] == 0
    assert len(feature.edges) < BINS


def test_a_constant_feature_has_a_bin_below_and_one_above() -> None:
    (feature,) = reference(np.full((30, 1), 7.0, np.float32)).features
    assert feature.counts == [0, 30, 0]
    assert (feature.mean, feature.sd) == (7.0, 1.0)


def test_a_feature_that_was_never_measured_has_one_bin_and_no_moments() -> None:
    (feature,) = reference(np.full((5, 1), np.nan, np.float32)).features
    assert (feature.edges, feature.counts, feature.missing) == ([], [0], 5)
    assert (feature.mean, feature.sd) == (0.0, 1.0)


def test_infinite_values_are_counted_in_the_outer_bins_and_left_out_of_moments() -> None:
    rows = column(-np.inf, *([3.0] * 8), np.inf, np.inf, np.nan).reshape(-1, 1)
    (feature,) = reference(rows).features
    assert (feature.counts, feature.missing) == ([1, 8, 2], 1)
    assert (feature.mean, feature.sd) == (3.0, 1.0)


def test_correlations_and_moments_are_those_of_numpy() -> None:
    rows = np.random.default_rng(1).standard_normal((300, 3), np.float32)
    rows[:, 2] += 2 * rows[:, 0]
    profile = reference(rows)
    assert profile.correlations == pytest.approx(
        np.array(np.corrcoef(rows.T))[np.triu_indices(3, 1)].tolist(), abs=1e-3
    )
    assert [f.mean for f in profile.features] == pytest.approx(rows.mean(axis=0).tolist(), abs=1e-6)
    assert [f.sd for f in profile.features] == pytest.approx(rows.std(axis=0).tolist(), rel=1e-5)
    assert profile.score_counts == [0] * 8 + [300] + [0] * (SCORE_BINS - 9)


def test_names_rows_and_scores_that_do_not_fit_are_refused() -> None:
    rows = np.zeros((2, 2), np.float32)
    for width, given_rows, scores in (
        (1, rows, np.zeros(2)),
        (2, rows, np.zeros(3)),
        (2, rows[:0], np.zeros(0)),
    ):
        with pytest.raises(ValueError, match="one score a row"):
            build_reference(numbers(width), given_rows, scores)


@given(hnp.arrays(np.float32, st.integers(0, 60), elements=st.floats(width=32)))
def test_edges_ascend_travel_and_are_float32(values: Rows) -> None:
    edges = inner_edges(values)
    assert edges == sorted(set(edges))
    assert len(edges) < BINS
    assert all(float(np.float32(e)) == e for e in edges)
    assert decode(encode(edges), list[float]) == edges


@given(hnp.arrays(np.float32, (12, 2), elements=st.floats(width=32)))
def test_any_rows_give_a_profile_that_holds_each_of_them_and_travels(rows: Rows) -> None:
    profile = reference(rows)
    assert all(sum(f.counts) + f.missing == len(rows) for f in profile.features)
    assert all(f.sd > 0 for f in profile.features)
    assert decode(encode(profile), ReferenceProfile) == profile


def test_each_category_has_a_bin_of_its_own_and_so_has_any_other() -> None:
    colour = Feature(name="colour", categories=["red", "green", "blue"])
    rows = column(-1, 0, 0, 1, np.nan, 0).reshape(-1, 1)
    (feature,) = build_reference([colour], rows, np.zeros(6)).features
    assert (feature.edges, feature.counts, feature.missing) == ([-0.5, 0.5, 1.5], [1, 3, 1, 0], 1)
    assert (feature.category, feature.mean, feature.sd) == (True, 0.0, 1.0)


@pytest.mark.parametrize("categories", [1, 2, OWN_BINS])
def test_as_many_categories_as_have_bins_have_one_each(categories: int) -> None:
    edges = category_edges(categories, np.empty(0, np.float32))
    assert edges == [k - 0.5 for k in range(categories)]


@given(st.lists(st.integers(0, 299), max_size=400), st.integers(OWN_BINS + 1, 300))
def test_of_more_the_commonest_are_alone_and_the_rest_share(seen: list[int], count: int) -> None:
    places = np.array([p % count for p in seen], np.float32)
    edges = category_edges(count, places)
    assert edges == sorted(set(edges))
    assert len(edges) <= OWN_BINS + 1
    tally = np.bincount(places.astype(int), minlength=count)
    common = np.argsort(-tally, kind="stable")[: OWN_BINS // 2]
    bins = np.searchsorted(edges, np.arange(-1, count), side="right")
    assert (bins == bins[0]).sum() == 1, "any other category is alone"
    assert all((bins == bins[place + 1]).sum() == 1 for place in common)
    assert (np.diff(bins) >= 0).all()
    assert bins[-1] == len(edges)
