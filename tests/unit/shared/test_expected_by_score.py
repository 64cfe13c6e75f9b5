"""Accuracy from the score histogram: right where scores mean what they meant, refused elsewhere."""

import msgspec
import numpy as np
import pytest

from fleetloop_shared.drift.bins import count_scores, score_places
from fleetloop_shared.estimate.expected_by_score import expected_by_score
from fleetloop_shared.estimate.records import AccuracyReference
from fleetloop_shared.profile import SCORE_BINS


def reference(scores: np.ndarray, worth: np.ndarray, metric: str = "accuracy") -> AccuracyReference:
    """What labelled rows say, by score."""
    places = score_places(scores)
    rows = np.bincount(places, minlength=SCORE_BINS)
    mean = np.bincount(places, worth, SCORE_BINS) / np.maximum(rows, 1)
    square = np.bincount(places, worth**2, SCORE_BINS) / np.maximum(rows, 1)
    return AccuracyReference(
        metric=metric,
        value=float(worth.mean()),
        low=0.0,
        high=1.0,
        rows=len(scores),
        counts=rows.tolist(),
        expected=mean.tolist(),
        spread=np.sqrt(np.maximum(square - mean**2, 0.0)).tolist(),
        loss_bound=0.5,
        loss_cap=1.0,
        bound_from="gate",
    )


def judged(
    random: np.random.Generator, rows: int, a: float, b: float
) -> tuple[np.ndarray, np.ndarray]:
    """Honest scores of a distribution, and whether the answer "yes from 0.5" was right."""
    scores = random.beta(a, b, rows)
    return scores, ((random.random(rows) < scores) == (scores >= 0.5)).astype(float)


def test_the_interval_holds_the_accuracy_of_moved_windows_as_often_as_it_says() -> None:
    random = np.random.default_rng(1)
    inside = 0
    for _ in range(200):
        known = reference(*judged(random, 2_000, 1.0, 1.0))
        scores, right = judged(random, 500, 2.0, 1.2)
        found = expected_by_score(known, count_scores(scores).tolist())
        assert found.low is not None
        assert found.high is not None
        inside += found.low <= right.mean() <= found.high
    assert 182 <= inside <= 199


def test_scores_that_move_to_where_answers_are_worse_lower_the_estimate() -> None:
    random = np.random.default_rng(2)
    known = reference(*judged(random, 4_000, 0.5, 0.5))
    unsure, _ = judged(random, 1_000, 5.0, 5.0)
    found = expected_by_score(known, count_scores(unsure).tolist())
    assert found.value is not None
    assert found.value < known.value - 0.1


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        ([49] + [0] * 31, "49 rows are too few"),
        ([0] * 31 + [60], "100% of the rows have scores that no labelled row has"),
        ([0, 60] + [0] * 30, "of 1,010 labelled rows 10 are left"),
    ],
)
def test_what_cannot_be_told_is_refused_with_the_reason(seen: list[int], why: str) -> None:
    scores = np.concatenate([np.full(1_000, 0.01), np.full(10, 1.5 / SCORE_BINS)])
    found = expected_by_score(reference(scores, np.ones(1_010)), seen)
    assert found.value is None
    assert why in found.refused


def test_predictions_that_leave_the_known_range_are_refused() -> None:
    random = np.random.default_rng(3)
    known = reference(np.clip(random.normal(0.5, 0.2, 2_000), 0, 1), np.ones(2_000), "mae")
    beyond = np.clip(random.normal(0.9, 0.2, 1_000), 0, 1)
    assert "ends of the known range" in (
        expected_by_score(known, count_scores(beyond).tolist()).refused
    )


def test_a_few_rows_with_unknown_scores_are_given_what_their_neighbours_are_worth() -> None:
    scores = np.concatenate([np.full(500, 0.5 / SCORE_BINS), np.full(500, 2.5 / SCORE_BINS)])
    known = reference(scores, np.concatenate([np.zeros(500), np.ones(500)]))
    found = expected_by_score(known, [96, 4] + [0] * 30)
    assert found.value == pytest.approx(0.02)


def test_the_interval_stays_between_nothing_and_everything_right() -> None:
    known = reference(np.full(100, 0.01), np.ones(100))
    known = msgspec.structs.replace(known, spread=[0.5] + [0.0] * 31)
    found = expected_by_score(known, [60] + [0] * 31)
    assert found.high == 1.0
