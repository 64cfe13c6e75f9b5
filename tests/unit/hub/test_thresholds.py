"""Calibration: the budget is kept, autocorrelation is paid for, and drift is still seen."""

import numpy as np
import numpy.typing as npt
import pytest
from scipy.signal import lfilter

from fleetloop_hub.packaging import bin_forms
from fleetloop_hub.packaging.binned import binned
from fleetloop_hub.packaging.reference import build_reference
from fleetloop_hub.packaging.row_memory import measure
from fleetloop_hub.packaging.scales import shortcomings
from fleetloop_hub.packaging.thresholds import calibrate
from fleetloop_shared.codec import decode, encode
from fleetloop_shared.drift.bins import Bins, count_scores
from fleetloop_shared.manifest import Feature
from fleetloop_shared.profile import DriftThresholds, ReferenceProfile
from support.watching import judged

Rows = npt.NDArray[np.float32]
WINDOW_ROWS = 40


def world(count: int, seed: int, memory: float = 0.0) -> Rows:
    """Rows of mixed features that resemble the row before them by `memory`, an AR(1) factor."""
    random = np.random.default_rng(seed)
    fresh = random.standard_normal((count, 6))
    fresh[1:] *= np.sqrt(1 - memory**2)
    rows = np.asarray(lfilter([1.0], [1.0, -memory], fresh, axis=0))
    rows[:, 1] = np.exp(rows[:, 1])
    rows[:, 2] = rows[:, 2] > 1
    rows[:, 3] = 7.0
    rows[:, 4] += rows[:, 0]
    rows[random.random(count) < 0.02, 5] = np.nan
    return rows.astype(np.float32)


def scores(rows: Rows) -> npt.NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-rows[:, 0].astype(np.float64))))


def calibrated(
    rows: Rows, budget: float = 250.0, window_rows: int = WINDOW_ROWS
) -> tuple[ReferenceProfile, DriftThresholds]:
    reference = build_reference([Feature(name=name) for name in "abcdef"], rows, scores(rows))
    return reference, calibrate(
        reference,
        rows,
        scores(rows),
        window_rows=window_rows,
        false_alarms_per_million_rows=budget,
        seed=0,
    )


def alarms(reference: ReferenceProfile, thresholds: DriftThresholds, rows: Rows) -> list[bool]:
    windows = judged(reference, thresholds, rows, scores(rows))
    return [window.alarm for window in windows if window.closed]


@pytest.mark.parametrize("memory", [0.0, 0.5, 0.9])
def test_the_budget_is_kept_also_where_rows_resemble_the_row_before(memory: float) -> None:
    found = []
    for seed in range(4):
        rows = world(2_000 + 250 * WINDOW_ROWS, seed, memory)
        found += alarms(*calibrated(rows[:2_000]), rows[2_000:])
    assert len(found) == 1_000
    assert sum(found) <= 30


def test_few_windows_that_resemble_each_other_are_met_with_caution() -> None:
    found = []
    for seed in range(6):
        rows = world(240 + 150 * WINDOW_ROWS, seed, memory=0.7)
        found += alarms(*calibrated(rows[:240]), rows[240:])
    assert len(found) == 900
    assert sum(found) <= 12


def test_rows_that_resemble_the_row_before_make_thresholds_larger() -> None:
    _, independent = calibrated(world(2_000, 0))
    _, resembling = calibrated(world(2_000, 0, memory=0.9))
    for one, other in zip(resembling.scales, independent.scales, strict=True):
        assert one.anderson_darling[0] > 2 * other.anderson_darling[0]
        assert one.correlation > other.correlation


def test_a_smaller_budget_makes_every_threshold_larger() -> None:
    rows = world(1_000, 0)
    _, large = calibrated(rows, budget=1_250.0)
    _, small = calibrated(rows, budget=0.25)
    for one, other in zip(small.scales, large.scales, strict=True):
        assert np.all(np.array(one.anderson_darling) > other.anderson_darling)
        assert np.all(np.array(one.triangular) > other.triangular)
        assert one.correlation > other.correlation
        assert one.score > other.score


def test_drift_is_an_alarm_within_one_window() -> None:
    reference, thresholds = calibrated(world(2_000, 0), budget=25.0)
    for feature, change in ((0, 2.0), (1, 8.0), (3, 0.5), (5, np.nan)):
        rows = world(WINDOW_ROWS, 1)
        rows[:, feature] += change
        assert alarms(reference, thresholds, rows) == [True], feature


def test_one_odd_value_in_a_constant_feature_is_no_alarm() -> None:
    reference, thresholds = calibrated(world(2_000, 0), budget=25.0)
    rows = world(WINDOW_ROWS, 1)
    rows[3, 3] = 7.5
    assert alarms(reference, thresholds, rows) == [False]


def test_the_same_seed_gives_the_same_thresholds_to_the_last_bit() -> None:
    rows = world(300, 0)
    assert calibrated(rows) == calibrated(rows)


@pytest.mark.parametrize("count", [1, 2, 7, 39, 159, 161])
def test_a_small_reference_still_gives_thresholds_that_travel(count: int) -> None:
    _, thresholds = calibrated(world(count, 0), budget=25.0)
    for scale in thresholds.scales:
        limits = [*scale.anderson_darling, *scale.triangular, *scale.rare]
        limits += [scale.correlation, scale.score]
        assert all(np.isfinite(limits))
        assert min(limits) > 0
    assert decode(encode(thresholds), DriftThresholds) == thresholds


def test_a_small_reference_says_what_it_cannot_tell() -> None:
    assert shortcomings(20 * WINDOW_ROWS, WINDOW_ROWS) == []
    safe, advice = shortcomings(10 * WINDOW_ROWS, WINDOW_ROWS)
    assert "10.0 windows" in safe
    assert "800 rows, or windows of 20 rows" in advice
    assert "taken from shorter ones" in shortcomings(30, WINDOW_ROWS)[0]


@pytest.mark.parametrize(("window_rows", "budget"), [(0, 1.0), (10, 0.0), (10, 100_000.0)])
def test_a_budget_that_cannot_be_is_refused(window_rows: int, budget: float) -> None:
    with pytest.raises(ValueError, match="above 0 and below one a window"):
        calibrated(world(50, 0), budget, window_rows)


def season(count: int, first: int) -> Rows:
    """Rows that rise and fall in 200 rows, and noise."""
    at = np.arange(first, first + count)
    random = np.random.default_rng(first)
    level = 5 * np.sin(2 * np.pi * at / 200) + random.standard_normal(count)
    return np.stack([level, random.standard_normal(count)], axis=1).astype(np.float32)


def test_seasons_that_the_reference_holds_are_no_drift_and_a_broken_sensor_in_them_is() -> None:
    rows, later = season(2_400, 0), season(3_200, 2_400)
    known = build_reference([Feature(name="a"), Feature(name="b")], rows, scores(rows))
    thresholds = calibrate(
        known,
        rows,
        scores(rows),
        window_rows=WINDOW_ROWS,
        false_alarms_per_million_rows=25.0,
        seed=0,
    )
    assert not any(alarms(known, thresholds, later))
    later[1_600:, 0] += 8
    found = alarms(known, thresholds, later)
    assert not any(found[:40])
    assert any(found[40:50])


def test_rows_that_resemble_others_longer_than_any_lag_is_looked_at_are_bounded_by_windows() -> (
    None
):
    rows = season(2_400, 0)
    known = build_reference([Feature(name="a"), Feature(name="b")], rows, scores(rows))
    placed = binned(known, rows, scores(rows))
    forms = bin_forms.order_roots(placed.shares)
    memory = measure(
        placed.places, placed.shares, forms.transpose(0, 2, 1) @ forms, np.ones(3, np.bool_)
    )
    level, noise, _ = memory.independent_rows.tolist()
    assert level < 60 < noise


def test_places_are_the_bins_that_devices_count() -> None:
    rows = world(500, 3)
    rows[::7, 0] = np.nan
    rows[1::7, 1], rows[2::7, 1] = np.inf, -np.inf
    told = scores(world(500, 4))
    reference = build_reference([Feature(name=name) for name in "abcdef"], rows, told)
    placed = binned(reference, rows, told)
    bins = Bins([f.edges for f in reference.features])
    columns = bins.count(rows.T)
    last = columns.shape[1] - 1
    assert np.array_equal(placed.counts[:-1, :last], columns[:, :last])
    assert np.array_equal(placed.counts[:-1, -1], columns[:, last])
    assert placed.counts[-1, :32].tolist() == count_scores(told).tolist()
