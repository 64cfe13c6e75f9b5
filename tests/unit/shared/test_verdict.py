"""One window's verdict: what is named, in which order, and from where it is an alarm."""

import numpy as np
import pytest

from fleetloop_shared.codec import decode, encode
from fleetloop_shared.drift.bins import Bins, count_scores
from fleetloop_shared.drift.moments import standardise
from fleetloop_shared.drift.verdict import SHOWN_PAIRS, Verdict, judge
from fleetloop_shared.profile import (
    LiveProfile,
    ReferenceFeature,
    ReferenceProfile,
    ScaleThresholds,
)
from fleetloop_shared.reports import CorrelationDrift, FeatureDrift

WIDTH = 4
EDGES = [-1.0, -0.5, 0.0, 0.5, 1.0]
ROWS = np.random.default_rng(0).standard_normal((4_000, WIDTH), np.float32)
BINS = Bins([EDGES] * WIDTH)
THRESHOLDS = ScaleThresholds(
    rows=200,
    anderson_darling=[8.0] * WIDTH,
    triangular=[0.2] * WIDTH,
    rare=[20.0] * WIDTH,
    correlation=5.0,
    score=0.3,
)


def the_reference() -> ReferenceProfile:
    counts, missing = BINS.strip(BINS.count(ROWS.T))
    return ReferenceProfile(
        rows=len(ROWS),
        features=[
            ReferenceFeature(
                name=f"f{k}", edges=EDGES, counts=counts[k], missing=missing[k], mean=0.0, sd=1.0
            )
            for k in range(WIDTH)
        ],
        correlations=[0.0] * (WIDTH * (WIDTH - 1) // 2),
        score_counts=count_scores(np.linspace(0, 1, len(ROWS))).tolist(),
    )


def near_products(u: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> list[int]:
    more = u.T @ u - len(u) * np.eye(WIDTH)  # the reference has no correlations
    rounded: list[int] = np.rint(more[np.triu_indices(WIDTH)]).astype(int).tolist()
    return rounded


def verdict(rows: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> Verdict:
    u = standardise(rows, np.zeros(WIDTH), np.ones(WIDTH))
    counts, missing = BINS.strip(BINS.count(rows.T))
    profile = LiveProfile(
        rows=len(rows),
        counts=counts,
        missing=missing,
        low=[None] * WIDTH,
        high=[None] * WIDTH,
        sums=np.rint(u.sum(axis=0)).astype(int).tolist(),
        near_sums=np.rint(u.sum(axis=0)).astype(int).tolist(),
        near_step=1,
        near_products=near_products(u),
        score_counts=count_scores(np.linspace(0, 1, len(rows))).tolist(),
        out_of_range=[0] * WIDTH,
    )
    return judge(the_reference(), THRESHOLDS, profile)


def window() -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.random.default_rng(7).standard_normal((200, WIDTH), np.float32)


def test_rows_like_the_reference_are_no_alarm() -> None:
    found = verdict(window())
    assert not found.alarm
    assert 0 < found.ratio < 1
    assert found.correlations == []
    assert found.rows == 200


def test_the_feature_that_moved_comes_first_with_its_shift() -> None:
    rows = window()
    rows[:, 2] += 1.5
    found = verdict(rows)
    assert found.alarm
    first = found.features[0]
    assert first.name == "f2"
    assert first.ratio == found.ratio > 1
    assert first.shift_sd == pytest.approx(1.5, abs=0.2)
    assert [f.ratio for f in found.features] == sorted(f.ratio for f in found.features)[::-1]


def test_missing_values_are_an_alarm_though_the_others_look_as_before() -> None:
    rows = window()
    rows[:60, 1] = np.nan
    found = verdict(rows)
    assert found.alarm
    assert found.features[0].name == "f1"
    assert found.features[0].missing_ratio == pytest.approx(0.3)


def test_a_swapped_wire_is_seen_in_the_correlation_alone() -> None:
    rows = window()
    rows[:, 3] = -rows[:, 0]
    found = verdict(rows)
    assert [(c.a, c.b) for c in found.correlations] == [("f0", "f3")]
    assert found.correlations[0].live == pytest.approx(-1.0)
    assert max(f.ratio for f in found.features) < 1 <= found.ratio == found.correlations[0].ratio


def test_a_negative_correlation_is_read_back_from_the_upper_half_of_the_products() -> None:
    rows = window()
    rows[:, 3] = -rows[:, 0]
    assert verdict(rows).correlations[0].live < 0


def test_five_pairs_at_most_are_named() -> None:
    rows = window()
    rows[:] = rows[:, :1]
    assert len(verdict(rows).correlations) == SHOWN_PAIRS == 5


def test_scores_that_gather_are_an_alarm() -> None:
    rows = window()
    u = standardise(rows, np.zeros(WIDTH), np.ones(WIDTH))
    counts, missing = BINS.strip(BINS.count(rows.T))
    profile = LiveProfile(
        rows=200,
        counts=counts,
        missing=missing,
        low=[None] * WIDTH,
        high=[None] * WIDTH,
        sums=np.rint(u.sum(axis=0)).astype(int).tolist(),
        near_sums=np.rint(u.sum(axis=0)).astype(int).tolist(),
        near_step=1,
        near_products=near_products(u),
        score_counts=[200] + [0] * 31,
        out_of_range=[0] * WIDTH,
    )
    found = judge(the_reference(), THRESHOLDS, profile)
    assert found.alarm
    assert found.score_ratio == found.ratio > 1


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38, 0.0])
def test_any_window_gives_numbers_that_travel(value: float) -> None:
    found = verdict(np.full((200, WIDTH), value, np.float32))
    assert found.alarm
    assert np.isfinite(found.ratio)
    assert decode(encode(found.features), list[FeatureDrift]) == found.features
    assert decode(encode(found.correlations), list[CorrelationDrift]) == found.correlations
