"""The onset: what came and went before calm rows is not taken for where a change began."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from fleetloop_hub.packaging.reference import build_reference
from fleetloop_shared.drift.block import Blocks
from fleetloop_shared.drift.scan import Scan
from fleetloop_shared.manifest import OTHER, Feature
from fleetloop_shared.profile import DriftThresholds, ScaleThresholds
from support.watching import a_signature

Rows = npt.NDArray[np.float32]

BLOCK_ROWS = 256
FEATURES = [Feature(name="temp"), Feature(name="flow"), Feature(name="site", categories=["a", "b"])]


def rows_like_the_reference(rows: int, seed: int) -> Rows:
    drawn = np.random.default_rng(seed).standard_normal((rows, 3), np.float32)
    drawn[:, 1] += 2 * drawn[:, 0]
    drawn[:, 2] = drawn[:, 2] > 0
    return drawn


REFERENCE = build_reference(FEATURES, rows_like_the_reference(1_500, 0), np.linspace(0, 1, 1_500))
SIGNATURE = a_signature(REFERENCE)
BLOCKS = Blocks(REFERENCE, SIGNATURE)
THRESHOLDS = DriftThresholds(
    window_rows=BLOCK_ROWS,
    false_alarms_per_million_rows=1.0,
    scales=[
        ScaleThresholds(
            rows=BLOCK_ROWS * length,
            anderson_darling=[25.0] * 3,
            triangular=[0.02 + 80.0 / (BLOCK_ROWS * length)] * 3,
            rare=[20.0 + 6.0 * length] * 3,
            correlation=9.0,
            score=9.0,
        )
        for length in (1, 2, 4, 8, 16)
    ],
)


def since_rows(rows: Rows) -> list[tuple[int, int]]:
    """The last row served when an alarm was told, and since which rows differed."""
    scan, scores = Scan(REFERENCE, THRESHOLDS, SIGNATURE), np.linspace(0, 1, BLOCK_ROWS)
    return [
        (at + BLOCK_ROWS, told.since_row)
        for at in range(0, len(rows), BLOCK_ROWS)
        for told in scan.take(at + 1, BLOCKS.count(rows[at : at + BLOCK_ROWS], scores))
        if told.since_row is not None
    ]


def warmer(rows: Rows) -> None:
    rows[:, 0] += 3


def a_little_warmer(rows: Rows) -> None:
    rows[:, 0] += 0.7


def unplugged(rows: Rows) -> None:
    rows[:, 0] = np.nan


def another_wire(rows: Rows) -> None:
    rows[:, 1] = np.random.default_rng(3).standard_normal(len(rows))


def some_unlisted(rows: Rows) -> None:
    rows[np.random.default_rng(4).random(len(rows)) < 0.1, 2] = OTHER


CHANGES = [warmer, a_little_warmer, unplugged, another_wire, some_unlisted]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("earlier", [warmer, some_unlisted])
def test_an_episode_that_has_ended_is_no_part_of_the_next(
    earlier: Callable[[Rows], None], change: Callable[[Rows], None]
) -> None:
    rows = rows_like_the_reference(13_312, 1)
    earlier(rows[2_048:4_096])
    change(rows[12_288:])
    told = since_rows(rows)
    assert told[0] == (2_304, 2_049)
    served, since_row = next(pair for pair in told if pair[0] > 12_288)
    assert served <= 12_288 + 2 * BLOCK_ROWS
    assert abs(since_row - 12_289) <= BLOCK_ROWS


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("begins", [0, 20_480])
def test_many_calm_rows_before_a_change_are_no_part_of_it(
    begins: int, change: Callable[[Rows], None]
) -> None:
    rows = rows_like_the_reference(begins + 1_024, 2)
    change(rows[begins:])
    (_, since_row), *_ = since_rows(rows)
    assert abs(since_row - begins - 1) <= BLOCK_ROWS
