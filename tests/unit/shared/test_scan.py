"""The scan: which windows are judged when, what is told, and since which row rows differ."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetloop_hub.packaging.reference import build_reference
from fleetloop_shared.codec import encode
from fleetloop_shared.drift.block import Blocks
from fleetloop_shared.drift.rolled import Profiles
from fleetloop_shared.drift.scan import Judged, Scan
from fleetloop_shared.drift.trace import Trace
from fleetloop_shared.drift.verdict import judge
from fleetloop_shared.manifest import Feature
from fleetloop_shared.profile import DriftThresholds, ScaleThresholds
from support.watching import a_signature

Rows = npt.NDArray[np.float32]

WIDTH = 4
BLOCK_ROWS = 64
FEATURES = [Feature(name=f"f{k}") for k in range(WIDTH)]


def like_the_reference(rows: int, seed: int) -> Rows:
    drawn = np.random.default_rng(seed).standard_normal((rows, WIDTH), np.float32)
    drawn[:, 1] += 2 * drawn[:, 0]
    return drawn * 10 + 300


REFERENCE = build_reference(FEATURES, like_the_reference(20_000, 0), np.linspace(0, 1, 20_000))
SIGNATURE = a_signature(REFERENCE)
BLOCKS = Blocks(REFERENCE, SIGNATURE)


def thresholds(window_rows: int, *scales: int, far: float = 1.0) -> DriftThresholds:
    return DriftThresholds(
        window_rows=window_rows,
        false_alarms_per_million_rows=1.0,
        scales=[
            ScaleThresholds(
                rows=rows,
                anderson_darling=[15.0 * far] * WIDTH,
                triangular=[80.0 * far / rows] * WIDTH,
                rare=[30.0 * far] * WIDTH,
                correlation=6.0 * far,
                score=120.0 * far / rows,
            )
            for rows in scales
        ],
    )


SCALES = thresholds(256, *(BLOCK_ROWS * k for k in (1, 2, 4, 8)))


def told(rows: Rows, scales: DriftThresholds, scan: Scan | None = None) -> list[Judged]:
    scan = scan or Scan(REFERENCE, scales, SIGNATURE)
    scores = np.random.default_rng(1).random(len(rows))
    block_rows = scales.scales[0].rows
    return [
        judged
        for at in range(0, len(rows) // block_rows * block_rows, block_rows)
        for judged in scan.take(
            at + 1, BLOCKS.count(rows[at : at + block_rows], scores[at : at + block_rows])
        )
    ]


def test_quiet_rows_are_told_of_once_a_reporting_window() -> None:
    found = told(like_the_reference(1_024, 1), SCALES)
    assert [(w.first_row, w.verdict.rows, w.closed) for w in found] == [
        (1, 256, True),
        (257, 256, True),
        (513, 256, True),
        (769, 256, True),
    ]
    assert not any(w.alarm or w.since_row for w in found)
    assert all(w.profile is not None and w.profile.rows == 256 for w in found)


def test_an_alarm_is_told_at_once_and_once_a_reporting_window() -> None:
    rows = like_the_reference(512, 2)
    rows[64:, 2] += 30
    early, *rest = told(rows[:128], SCALES)
    assert rest == []
    assert (early.alarm, early.closed, early.profile) == (True, False, None)
    assert early.verdict.features[0].name == "f2"
    assert early.verdict.features[0].shift == pytest.approx(30, abs=5)
    assert early.since_row == 65
    assert [w.closed for w in told(rows, SCALES)] == [False, True, False, True]


def test_the_end_of_a_window_with_an_alarm_says_so_even_where_it_is_none_itself() -> None:
    rows = like_the_reference(4_096, 3)
    rows[:64, 2] += 8
    early, closed = told(rows, thresholds(4_096, 64, 4_096))
    assert (early.alarm, early.closed) == (True, False)
    assert not closed.verdict.alarm
    assert (closed.alarm, closed.closed, closed.since_row) == (True, True, early.since_row)


def test_an_alarm_that_ends_with_its_reporting_window_is_told_once() -> None:
    rows = like_the_reference(64, 4)
    rows[:, 2] += 30
    (only,) = told(rows, thresholds(64, 64))
    assert only.closed
    assert only.alarm
    assert only.since_row == 1


def test_a_window_that_no_shorter_one_fills_is_put_together_from_blocks() -> None:
    rows = like_the_reference(64 * 6, 5)
    found = told(rows, thresholds(64 * 3, 64, 128, 64 * 3))
    assert [w.first_row for w in found] == [1, 193]
    whole = BLOCKS.count(rows[192:], np.random.default_rng(1).random(len(rows))[192:])
    assert found[1].profile is not None
    assert found[1].profile.counts == BLOCKS.profile(whole).counts
    assert found[1].profile.near_products == BLOCKS.profile(whole).near_products


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("begins", [512, 700, 1_000])
def test_the_onset_of_a_shift_is_found_to_about_a_block(begins: int, seed: int) -> None:
    rows = like_the_reference(begins + 600, seed)
    rows[begins:, 3] += 10.0  # one standard deviation
    alarms = [w for w in told(rows, SCALES) if w.alarm]
    assert alarms[0].since_row is not None
    assert abs(alarms[0].since_row - 1 - begins) <= 1.5 * BLOCK_ROWS


def test_the_onset_of_a_change_of_correlation_is_found_too() -> None:
    rows = like_the_reference(1_200, 7)
    rows[640:, 1] = rows[640:, 2] * 2 - 300
    alarm = next(w for w in told(rows, SCALES) if w.alarm)
    assert {(c.a, c.b) for c in alarm.verdict.correlations} >= {("f0", "f1")}
    assert alarm.since_row is not None
    assert abs(alarm.since_row - 641) <= 1.5 * BLOCK_ROWS


def test_the_onset_of_a_small_shift_lies_before_the_window_that_shows_it() -> None:
    rows = like_the_reference(4_096, 8)
    rows[1_000:, 2] += 2.5  # a quarter of a standard deviation
    alarm = next(w for w in told(rows, SCALES) if w.alarm)
    assert alarm.since_row is not None
    assert 700 <= alarm.since_row <= 1_400


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38])
def test_odd_values_give_alarms_that_travel(value: float) -> None:
    rows = like_the_reference(256, 9)
    rows[:, 1] = value
    found = told(rows, SCALES)
    assert found[0].alarm
    assert found[0].verdict.features[0].name == "f1"
    for window in found:
        encode(window.verdict.features)
        encode(window.profile)


@given(st.integers(0, 40), st.integers(0, 3))
@settings(max_examples=25, deadline=None)
def test_a_scan_that_was_interrupted_goes_on_as_if_it_had_not_been(blocks: int, seed: int) -> None:
    rows = like_the_reference(40 * BLOCK_ROWS, seed)
    rows[1_500:, 0] += 4
    scan = Scan(REFERENCE, SCALES, SIGNATURE)
    scores = np.random.default_rng(1).random(len(rows))
    found: list[Judged] = []
    for at in range(0, len(rows), BLOCK_ROWS):
        if at == blocks * BLOCK_ROWS:
            after = Scan(REFERENCE, SCALES, SIGNATURE)
            after.resume(scan.open_windows())
            scan = after
        some = slice(at, at + BLOCK_ROWS)
        found += scan.take(at + 1, BLOCKS.count(rows[some], scores[some]))
    straight = told(rows, SCALES)
    assert [(w.first_row, w.closed, w.alarm, w.verdict, w.profile) for w in found] == [
        (w.first_row, w.closed, w.alarm, w.verdict, w.profile) for w in straight
    ]


def test_the_trace_keeps_every_row_and_few_parts() -> None:
    trace = Trace()
    parts = trace.parts()
    block = BLOCKS.count(like_the_reference(BLOCK_ROWS, 0), np.zeros(BLOCK_ROWS))
    for number in range(500):
        trace.add(1 + number * BLOCK_ROWS, block)
        parts = trace.parts()
        ends = [row + part.rows for row, part in parts]
        assert [row for row, _ in parts[1:]] == ends[:-1]
        assert ends[-1] == 1 + (number + 1) * BLOCK_ROWS
        assert len(parts) <= 32
    assert sum(part.rows for _, part in parts) >= 100 * BLOCK_ROWS


def test_a_profile_is_judged_about_as_the_rows_it_was_made_of() -> None:
    rows = like_the_reference(256, 10)
    rows[:100, 0] = np.nan
    (window,) = [w for w in told(rows, SCALES) if w.closed]
    assert window.profile is not None
    again = judge(REFERENCE, SCALES.scales[2], window.profile)
    assert again.ratio == pytest.approx(window.verdict.ratio)
    for found, was in zip(again.features, window.verdict.features, strict=True):
        assert found.name == was.name
        assert found.ratio == pytest.approx(was.ratio)
        assert found.shift_sd == pytest.approx(was.shift_sd, abs=0.01)
    assert [(c.a, c.b) for c in again.correlations] == [("f0", "f1")]
    assert again.correlations[0].live == pytest.approx(
        window.verdict.correlations[0].live, abs=0.05
    )
    profiles = Profiles(REFERENCE)
    assert profiles.rolled(profiles.unrolled(window.profile)) == window.profile


@given(st.lists(st.integers(1, 20), max_size=6), st.integers(0, 3))
@settings(max_examples=20, deadline=None)
def test_blocks_taken_together_are_told_of_as_one_by_one(groups: list[int], seed: int) -> None:
    rows = like_the_reference(40 * BLOCK_ROWS, seed)
    rows[1_200:, 0] += 6
    scores = np.random.default_rng(1).random(len(rows))
    blocks = [
        (at + 1, BLOCKS.count(rows[at : at + BLOCK_ROWS], scores[at : at + BLOCK_ROWS]))
        for at in range(0, len(rows), BLOCK_ROWS)
    ]
    scan, found, at = Scan(REFERENCE, SCALES, SIGNATURE), list[Judged](), 0
    for size in [*groups, len(blocks)]:
        found += scan.take_all(blocks[at : at + size])
        at += size
    assert found == told(rows, SCALES)


def test_windows_that_overlap_are_resumed_without_counting_a_row_twice() -> None:
    scales = thresholds(192, 64, 128, 192)
    rows = like_the_reference(5 * BLOCK_ROWS, 11)
    scan = Scan(REFERENCE, scales, SIGNATURE)
    told(rows, scales, scan)
    opened = scan.open_windows()
    assert [None if part is None else part[0] for part in opened.parts] == [None, 257, 193]
    after = Scan(REFERENCE, scales, SIGNATURE)
    after.resume(opened)
    block = BLOCKS.count(like_the_reference(BLOCK_ROWS, 12) + 30, np.zeros(BLOCK_ROWS))
    (closed,) = after.take(321, block)
    assert (closed.first_row, closed.alarm, closed.since_row) == (193, True, 321)
