"""The monitor's windows against counting the same rows in one go."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetloop_agent.ports import Rows
from fleetloop_agent.serving.monitor import Monitor
from fleetloop_hub.packaging.reference import build_reference
from fleetloop_shared.codec import decode, encode
from fleetloop_shared.drift.block import Blocks
from fleetloop_shared.drift.rolled import Profiles
from fleetloop_shared.drift.sums import Block
from fleetloop_shared.manifest import Feature
from fleetloop_shared.profile import LiveProfile, ReferenceProfile
from support.watching import a_signature

Scores = npt.NDArray[np.float64]

WIDTH = 3

FEATURES = [Feature(name=name) for name in "abc"]


def reference() -> ReferenceProfile:
    rows = np.random.default_rng(0).standard_normal((400, WIDTH), np.float32) * 10
    rows[:, 2] = rows[:, 2] > 0
    return build_reference(FEATURES, rows, np.linspace(0, 1, 400))


REFERENCE = reference()
PROFILES = Profiles(REFERENCE)
BLOCKS = Blocks(REFERENCE, a_signature(REFERENCE))
BLOCK_ROWS = 512


def odd_rows(count: int, seed: int) -> tuple[Rows, Scores]:
    """Rows with missing, infinite and huge values, and their scores."""
    random = np.random.default_rng(seed)
    rows = random.standard_normal((count, WIDTH), np.float32) * 10
    for value in (np.nan, np.inf, -np.inf, 3e38, 1e36, 1.0):
        rows[random.random(rows.shape) < 0.05] = value
    return rows, random.random(count)


@dataclass(frozen=True)
class Counted:
    first_row: int
    profile: LiveProfile
    block: Block = field(compare=False)


def taken(monitor: Monitor) -> list[Counted]:
    return [Counted(f.first_row, BLOCKS.profile(f.block), f.block) for f in monitor.take()]


def windows(rows: Rows, scores: Scores, window_rows: int) -> list[Counted]:
    monitor = Monitor(BLOCKS, window_rows)
    monitor.extend(rows, scores)
    return taken(monitor)


def expected_counts(values: Rows, edges: list[float]) -> list[int]:
    present = values[~np.isnan(values)]
    places = np.searchsorted(np.array(edges, np.float32), present, side="right")
    counts: list[int] = np.bincount(places, minlength=len(edges) + 1).tolist()
    return counts


@pytest.mark.parametrize("window_rows", [1, 7, 64, BLOCK_ROWS, BLOCK_ROWS + 1, 3 * BLOCK_ROWS + 5])
def test_a_window_is_what_brute_force_says(window_rows: int) -> None:
    rows, scores = odd_rows(3 * window_rows - 1, seed=1)
    first, second, *_ = windows(rows, scores, window_rows)
    assert (first.first_row, second.first_row) == (1, window_rows + 1)
    for counted, start in ((first, 0), (second, window_rows)):
        found, block = counted.profile, counted.block
        part, part_scores = rows[start : start + window_rows], scores[start : start + window_rows]
        for k, feature in enumerate(REFERENCE.features):
            values = part[:, k]
            finite = values[np.isfinite(values)]
            assert found.counts[k] == expected_counts(values, feature.edges)
            assert found.missing[k] == np.isnan(values).sum()
            assert block.low[k] == finite.min(initial=np.inf)
            assert block.high[k] == finite.max(initial=-np.inf)
            low, high = found.low[k], found.high[k]
            assert (low is None) == (high is None) == (not len(finite))
            if low is not None and high is not None and high < 1e30:
                assert low <= finite.min() <= low + feature.sd / 5
                assert high >= finite.max() >= high - feature.sd / 5
        u = (part.astype(float) - [f.mean for f in REFERENCE.features]) / [
            f.sd for f in REFERENCE.features
        ]
        near = np.where(np.isnan(part), 0.0, np.round(u.clip(-8, 8) * 32) / 32)
        u[~(np.abs(u) < 3.4e38 / 32)] = 0.0  # infinite, as float32 counts steps
        assert block.sums == pytest.approx(u.sum(axis=0), rel=1e-5, abs=1e-3)
        ones = np.column_stack([np.ones(len(near)), near])
        assert (block.products == ones.T @ ones).all()
        assert found.score_counts == np.histogram(part_scores, 32, (0, 1))[0].tolist()
        assert found.rows == window_rows


@given(
    st.lists(st.integers(1, 2 * BLOCK_ROWS), max_size=8),
    st.integers(16, 2 * BLOCK_ROWS),
    st.integers(0, 5),
)
@settings(max_examples=30, deadline=None)
def test_one_by_one_and_many_at_a_time_are_equal_to_the_last_bit(
    cuts: list[int], window_rows: int, seed: int
) -> None:
    rows, scores = odd_rows(1_200, seed)
    mixed = Monitor(BLOCKS, window_rows)
    at = 0
    for cut in cuts:
        if cut % 2:
            mixed.extend(rows[at : at + cut], scores[at : at + cut])
        else:
            for k in range(at, min(at + cut, len(rows))):
                mixed.add(rows[k : k + 1], float(scores[k]))
        at += cut
    mixed.extend(rows[at:], scores[at:])
    found, straight = taken(mixed), windows(rows, scores, window_rows)
    assert found == straight
    for one, other in zip(found, straight, strict=True):
        for name in Block.__struct_fields__:
            assert np.array_equal(getattr(one.block, name), getattr(other.block, name))


@given(st.lists(st.integers(1, 60), min_size=1, max_size=6), st.integers(0, 50))
@settings(max_examples=40, deadline=None)
def test_merged_parts_are_the_whole(sizes: list[int], seed: int) -> None:
    rows, scores = odd_rows(sum(sizes), seed)
    rows[np.abs(rows) > 1e30] = np.inf  # beside 3e38, sums lose everything small in any order
    (whole,) = windows(rows, scores, len(rows))
    merged, at = None, 0
    for size in sizes:
        (part,) = windows(rows[at : at + size], scores[at : at + size], size)
        merged = part.block if merged is None else merged + part.block
        at += size
    assert merged is not None
    assert_close(merged, whole.block)


@given(st.permutations(range(80)), st.integers(0, 50))
@settings(max_examples=40, deadline=None)
def test_the_order_of_rows_does_not_matter(order: list[int], seed: int) -> None:
    rows, scores = odd_rows(80, seed)
    rows[np.abs(rows) > 1e30] = np.inf
    (found,) = windows(rows[order], scores[order], 80)
    (straight,) = windows(rows, scores, 80)
    assert_close(found.block, straight.block)


def assert_close(a: Block, b: Block) -> None:
    """Equal in everything but the sums of distances, which are rounded."""
    assert a.sums == pytest.approx(b.sums, rel=1e-5, abs=1e-3)
    for name in a.__struct_fields__:
        if name != "sums":
            assert np.array_equal(getattr(a, name), getattr(b, name))


@given(st.integers(0, 50))
@settings(max_examples=10, deadline=None)
def test_merged_profiles_are_about_the_profile_of_the_whole(seed: int) -> None:
    rows, scores = odd_rows(1_024, seed)
    rows[np.abs(rows) > 1e30] = np.inf
    counted = windows(rows, scores, 256)
    merged, whole = counted[0].profile, counted[0].block
    for part in counted[1:]:
        merged, whole = merged.merge(part.profile), whole + part.block
    exact = BLOCKS.profile(whole)
    same = ("rows", "counts", "missing", "score_counts", "out_of_range", "low", "high")
    assert all(getattr(merged, name) == getattr(exact, name) for name in same)
    assert merged.sums == pytest.approx(exact.sums, abs=3)
    products = np.array(PROFILES.near_products(merged))
    assert products == pytest.approx(whole.products[1:, 1:], abs=4 * 16 / 2)


def test_profiles_of_windows_of_other_lengths_do_not_merge() -> None:
    (long,), (short,) = windows(*odd_rows(512, 0), 512), windows(*odd_rows(64, 0), 64)
    with pytest.raises(ValueError, match="different lengths"):
        long.profile.merge(short.profile)


def test_a_window_that_is_not_full_is_kept_back() -> None:
    rows, scores = odd_rows(99, seed=0)
    monitor = Monitor(BLOCKS, 100)
    monitor.extend(rows, scores)
    assert monitor.take() == []
    monitor.add(rows[:1], 0.5)
    assert len(monitor.take()) == 1
    assert monitor.take() == []


def test_profiles_of_odd_rows_travel() -> None:
    rows, scores = odd_rows(64, seed=3)
    (found,) = windows(rows, scores, 64)
    assert decode(encode(found.profile), LiveProfile) == found.profile


def test_profiles_of_different_references_do_not_merge() -> None:
    (found,) = windows(*odd_rows(8, seed=0), 8)
    other = build_reference(FEATURES, np.zeros((4, 3), np.float32), np.zeros(4))
    blocks = Blocks(other, a_signature(other))
    elsewhere = blocks.profile(blocks.count(*odd_rows(8, seed=0)))
    with pytest.raises(ValueError, match="different references"):
        found.profile.merge(elsewhere)
