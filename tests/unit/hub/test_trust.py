"""Whether a good average can be trusted: calibration, slices, bad days, and what loading costs."""

import numpy as np
import pytest

from fleetloop_hub.errors import TrainingError
from fleetloop_hub.packaging.graph import INPUT, OUTPUT, GraphBuilder
from fleetloop_hub.spec.data_tables import SliceTable
from fleetloop_hub.validation.calibration import calibration
from fleetloop_hub.validation.cost import weigh
from fleetloop_hub.validation.metrics import Answers, Floats
from fleetloop_hub.validation.robustness import MISSING, NOISE, RANGE, disturbed
from fleetloop_hub.validation.slices import parts, slice_rows
from fleetloop_shared.manifest import NO_CLASS, Signature
from support.families import rows_for, spec_for


def said(scores: Floats, truth: Floats) -> Answers:
    form = Signature(
        input_name="x",
        score_name="y",
        features=[],
        classes=[0, 1],
        positive=1,
        decision_threshold=0.5,
    )
    return Answers(truth, np.column_stack([1 - scores, scores]).astype(np.float32), form)


def honest(rows: int, seed: int, squeeze: float = 1.0) -> Answers:
    """Scores that are probabilities where `squeeze` is 1; smaller, they are too bold."""
    rng = np.random.default_rng(seed)
    scores = rng.random(rows)
    chance = 0.5 + (scores - 0.5) * squeeze
    return said(scores, (rng.random(rows) < chance).astype(np.float64))


def plain_error(answers: Answers) -> float:
    found = calibration(answers, 0)
    return sum(b.rows * abs(b.score - b.share) for b in found.bins) / len(answers)


def test_honest_scores_lose_about_half_of_what_chance_adds_to_the_plain_error() -> None:
    many = [honest(300, seed) for seed in range(20)]
    assert np.mean([plain_error(a) for a in many]) > 0.06
    assert np.mean([calibration(a, 0).error for a in many]) < 0.045


def test_bold_scores_have_the_error_that_they_really_have() -> None:
    expected = 0.125  # of |score - chance| = |score - 0.5| / 2, over even scores
    found = [calibration(honest(600, seed, 0.5), seed) for seed in range(20)]
    assert np.mean([f.error for f in found]) == pytest.approx(expected, abs=0.02)
    assert np.mean([f.low <= expected <= f.high for f in found]) >= 0.8


def test_bins_hold_about_as_many_rows_and_equal_scores_share_one() -> None:
    bins = calibration(honest(300, 0), 0).bins
    assert len(bins) == 15
    assert {b.rows for b in bins} == {20}
    two = said(np.resize([0.25, 0.75], 100), np.resize([0.0, 1.0], 100))
    assert [(b.rows, b.score, b.share) for b in calibration(two, 0).bins] == [
        (50, 0.25, 0.0),
        (50, 0.75, 1.0),
    ]


def test_of_several_classes_the_surest_answer_is_meant() -> None:
    form = Signature(
        input_name="x",
        score_name="y",
        features=[],
        classes=[0, 1, 2],
        positive=NO_CLASS,
        decision_threshold=0.0,
    )
    outputs = np.tile(np.array([[0.8, 0.1, 0.1]], np.float32), (100, 1))
    right = np.where(np.arange(100) < 60, 0.0, 2.0)
    assert calibration(Answers(right, outputs, form), 0).error == pytest.approx(0.2, abs=0.02)


def test_edges_part_numbers_and_missing_values_are_a_slice() -> None:
    column = np.array(["-1", "0", "4.9", "5", "", "red"])
    found = parts(SliceTable(column="t", edges=[0.0, 5.0]), column)
    assert {name: np.flatnonzero(mine).tolist() for name, mine in found.items()} == {
        "below 0": [0],
        "0 to 5": [1, 2],
        "5 and above": [3],
        "missing": [4],
    }


def test_values_are_slices_in_order_and_rare_ones_are_one_together() -> None:
    few = parts(SliceTable(column="c"), np.array(["10", "9", "x", "10"]))
    assert list(few) == ["9", "10", "x"]
    many = np.array([str(k) for k in range(60) for _ in range(2 if k < 50 else 1)])
    found = parts(SliceTable(column="c"), many)
    assert len(found) == 51
    assert found["10 others"].sum() == 10
    assert sum(mine.sum() for mine in found.values()) == len(many)


def test_the_more_slices_are_judged_the_wider_are_their_intervals() -> None:
    answers = honest(1_000, 0)
    first = np.arange(1_000) < 100
    alone = slice_rows("accuracy", answers, {("c", "a"): first}, 50, 0)
    cut = {("c", str(k)): np.arange(1_000) // 100 == k for k in range(10)}
    together = slice_rows("accuracy", answers, cut, 50, 0)
    assert alone[0].value == together[0].value
    assert alone[0].low is not None
    assert together[0].low is not None
    assert together[0].low < alone[0].low


def test_a_small_slice_and_one_without_a_class_are_shown_and_say_so() -> None:
    answers = honest(200, 0)
    cut = {("c", "few"): np.arange(200) < 10, ("c", "one"): answers.truth == 1}
    few, one = slice_rows("balanced_accuracy", answers, cut, 50, 0)
    assert (few.rows, few.judged) == (10, False)
    assert (one.judged, one.value, one.low) == (True, None, None)


def test_a_bad_day_does_what_it_says_and_the_same_each_time() -> None:
    spec = spec_for("two classes")
    rows, older = rows_for("two classes", 2_000, 1).values, rows_for("two classes", 500).values
    found, again = (disturbed(rows, older, spec, 3) for _ in range(2))
    for name, values in found.items():
        assert np.array_equal(values, again[name], equal_nan=True)
    gone = np.isnan(found[MISSING]) & ~np.isnan(rows)
    assert gone.sum() / (~np.isnan(rows)).sum() == pytest.approx(0.1, abs=0.01)
    moved = found[NOISE] - rows
    assert np.nanstd(moved[:, 1]) == pytest.approx(0.1 * older[:, 1].std(), rel=0.05)
    assert not moved[:, 3].any()
    far = np.abs(found[RANGE][:, 1]) > np.abs(older[:, 1]).max()
    assert far.mean() == pytest.approx(0.1, abs=0.02)
    assert np.array_equal(found[RANGE][:, 3], rows[:, 3])
    assert np.isfinite(found[RANGE][np.isfinite(rows)]).all()


def weights(width: int, columns: int) -> bytes:
    """A model of so many weights."""
    graph = GraphBuilder()
    wide = graph.add("MatMul", INPUT, graph.keep(np.ones((width, columns), np.float32)))
    graph.add("MatMul", wide, graph.keep(np.ones((columns, 1), np.float32)), output=OUTPUT)
    return graph.finish(width, 1)


def test_a_model_of_many_weights_costs_the_memory_that_they_need() -> None:
    rows = np.ones((5, 8), np.float32)
    small, large = weigh(weights(8, 4), rows), weigh(weights(8, 1_000_000), rows)
    assert small.memory_bytes is not None
    assert large.memory_bytes is not None
    assert large.memory_bytes > small.memory_bytes + 30_000_000
    assert 0 < small.load_ms < large.load_ms


def test_an_artifact_that_does_not_load_is_told() -> None:
    with pytest.raises(TrainingError, match="does not load and run in a process of its own"):
        weigh(b"no model", np.ones((1, 2), np.float32))
