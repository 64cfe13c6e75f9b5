"""Metrics and their intervals against scikit-learn and theory; gates that say what missed what."""

import dataclasses

import numpy as np
import numpy.typing as npt
import pytest
from msgspec import structs
from sklearn import metrics as theirs

from fleetloop_hub.spec.families import TASK_METRICS
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.spec.scalars import Metric
from fleetloop_hub.spec.training_tables import BudgetTable
from fleetloop_hub.spec.validation_tables import GateTable
from fleetloop_hub.validation.bootstrap import interval, paired_interval
from fleetloop_hub.validation.exam import Exam
from fleetloop_hub.validation.gates import judge
from fleetloop_hub.validation.metrics import METRICS, Answers, measure, threshold_for
from fleetloop_hub.validation.summary import summarise
from fleetloop_hub.version_parts import Parity
from fleetloop_shared.manifest import NO_CLASS, Signature
from support.learnable import toy_spec

PARITY = Parity(
    rows=200,
    label_flips=1,
    largest_gap=0.01,
    float_bytes=400,
    artifact_bytes=100,
    float_ms=0.1,
    artifact_ms=0.1,
)


def answered(
    truth: npt.NDArray[np.bool_], scores: npt.NDArray[np.float64], threshold: float = 0.5
) -> Answers:
    """What a model with two classes says."""
    form = Signature(
        input_name="x",
        score_name="y",
        features=[],
        classes=[0, 1],
        positive=1,
        decision_threshold=threshold,
    )
    outputs = np.column_stack([1 - scores, scores]).astype(np.float32)
    return Answers(truth.astype(np.float64), outputs, form)


def answers(rows: int, skill: float, seed: int = 0, threshold: float = 0.5) -> Answers:
    """Scores with ties that know the truth better the larger `skill` is."""
    rng = np.random.default_rng(seed)
    truth = rng.random(rows) < 0.3
    scores = np.clip(0.5 + skill * (truth - 0.5) + rng.normal(0, 0.3, rows), 0, 1).round(2)
    return answered(truth, scores, threshold)


@pytest.mark.parametrize("skill", [0.0, 0.3, 2.0])
def test_metrics_are_those_of_scikit_learn(skill: float) -> None:
    a = answers(300, skill)
    said = a.labels
    assert measure("accuracy", a) == pytest.approx(theirs.accuracy_score(a.truth, said))
    assert measure("f1", a) == pytest.approx(theirs.f1_score(a.truth, said))
    precision = theirs.average_precision_score(a.truth, a.scores)
    assert measure("average_precision", a) == pytest.approx(precision)
    expected = theirs.balanced_accuracy_score(a.truth, said)
    assert measure("balanced_accuracy", a) == pytest.approx(expected)
    assert measure("roc_auc", a) == pytest.approx(theirs.roc_auc_score(a.truth, a.scores))


@pytest.mark.parametrize("metric", TASK_METRICS["classification"])
def test_weights_count_rows_as_often_as_they_say(metric: Metric) -> None:
    a = answers(50, 0.3)
    often = np.random.default_rng(1).integers(0, 4, 50)
    repeated = a.take(np.repeat(np.arange(50), often))
    weighted = METRICS[metric](a, often[None].astype(np.float64))[0]
    assert weighted == pytest.approx(measure(metric, repeated))


def test_always_the_same_answer_is_worth_nothing_but_in_accuracy() -> None:
    never = answered(np.arange(100) < 15, np.zeros(100))
    assert measure("accuracy", never) == 0.85
    assert measure("balanced_accuracy", never) == 0.5
    assert measure("roc_auc", never) == 0.5


@pytest.mark.parametrize("seed", range(3))
def test_metrics_of_several_classes_are_those_of_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, 200).astype(np.float64)
    raw = rng.random((200, 3)) + np.eye(3)[truth.astype(int)] * 0.5
    outputs = (raw / raw.sum(axis=1, keepdims=True)).astype(np.float32)
    form = Signature(
        input_name="x",
        score_name="y",
        features=[],
        classes=[0, 1, 2],
        positive=NO_CLASS,
        decision_threshold=0.0,
    )
    a = Answers(truth, outputs, form)
    expected = {
        "accuracy": theirs.accuracy_score(truth, a.labels),
        "balanced_accuracy": theirs.balanced_accuracy_score(truth, a.labels),
        "f1": theirs.f1_score(truth, a.labels, average="macro"),
        "roc_auc": np.mean([theirs.roc_auc_score(truth == k, outputs[:, k]) for k in range(3)]),
        "average_precision": np.mean(
            [theirs.average_precision_score(truth == k, outputs[:, k]) for k in range(3)]
        ),
    }
    for metric in TASK_METRICS["classification"]:
        assert measure(metric, a) == pytest.approx(expected[metric], abs=1e-6)


def test_r2_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(100, 20, 300)
    outputs = (truth + rng.normal(0, 9, 300)).astype(np.float32)[:, None]
    form = Signature(
        input_name="x",
        score_name="y",
        features=[],
        classes=[],
        positive=NO_CLASS,
        decision_threshold=0.0,
        task="regression",
    )
    expected = theirs.r2_score(truth, outputs[:, 0])
    assert measure("r2", Answers(truth, outputs, form)) == pytest.approx(expected)


def test_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    expected = measure("accuracy", answers(200_000, 0.3, 99))
    ends = [interval("accuracy", answers(200, 0.3, seed), seed) for seed in range(120)]
    assert 0.88 <= np.mean([low <= expected <= high for low, high in ends]) <= 1.0


def test_interval_of_a_model_against_itself_is_nothing() -> None:
    a = answers(200, 0.3)
    assert paired_interval("roc_auc", a, a, 0) == (0.0, 0.0)


def test_interval_on_many_rows_needs_no_more_room() -> None:
    low, high = interval("roc_auc", answers(40_000, 0.3), 0)
    assert high - low < 0.02


def test_neighbours_that_resemble_each_other_widen_the_interval() -> None:
    rng = np.random.default_rng(0)
    alike = np.repeat(rng.random(60) < 0.7, 10)
    truth = np.zeros(600, np.bool_)
    together = answered(truth, np.where(alike, 0.0, 1.0))
    apart = answered(truth, rng.permutation(together.scores))
    (low, high), (inner_low, inner_high) = (interval("accuracy", a, 0) for a in (together, apart))
    assert high - low > 1.5 * (inner_high - inner_low)


def test_threshold_follows_from_what_the_metric_counts() -> None:
    assert threshold_for("accuracy", 0.15) == 0.5
    assert threshold_for("balanced_accuracy", 0.15) == 0.15
    assert threshold_for("roc_auc", 0.15) == 0.15


def demanding(gates: GateTable, budget: BudgetTable | None = None) -> ModelSpec:
    """A spec with these demands."""
    return structs.replace(toy_spec(), gates=gates, budget=budget or BudgetTable())


def verdicts(exam: Exam, gates: GateTable, budget: BudgetTable | None = None) -> dict[str, str]:
    """The texts of the gates that are missed."""
    results, _ = judge(exam, demanding(gates, budget))
    return {g.name: g.text for g in results if not g.passed}


def test_good_version_passes_every_gate() -> None:
    exam = Exam(answers(400, 0.6), answers(400, 0.1), PARITY, 0)
    assert verdicts(exam, GateTable(metric="roc_auc", floor=0.7)) == {}
    assert [g.name for g in judge(exam, demanding(GateTable()))[0]] == [
        "floor",
        "champion",
        "calibration",
        "label flips",
        "artifact size",
        "latency",
    ]


def test_floor_is_judged_by_the_lower_end_not_by_luck() -> None:
    exam = Exam(answers(40, 0.3), None, PARITY, 0)
    value = measure("roc_auc", exam.challenger)
    missed = verdicts(exam, GateTable(metric="roc_auc", floor=value - 0.01))
    assert f"roc_auc {value:.3f} on 40 held-out rows" in missed["floor"]
    assert f"misses the floor of {value - 0.01:.3f}" in missed["floor"]


def test_worse_than_the_champion_is_refused_and_a_margin_lets_pass() -> None:
    exam = Exam(answers(300, 0.3), answers(300, 0.9), PARITY, 0)
    missed = verdicts(exam, GateTable(metric="roc_auc", floor=0.0, champion_margin=0.01))
    assert "below the margin of -0.010; the champion stays" in missed["champion"]
    assert verdicts(exam, GateTable(metric="roc_auc", floor=0.0, champion_margin=0.9)) == {}


def test_flips_size_and_latency_are_refused_with_number_and_limit() -> None:
    exam = Exam(answers(400, 0.6), None, PARITY, 0)
    missed = verdicts(
        exam,
        GateTable(floor=0.0, label_flips=0.001),
        BudgetTable(artifact_bytes=99, latency_ms=0.05),
    )
    assert missed == {
        "label flips": "quantization changes 1 of 200 answers, and outputs by up to 0.0100; more "
        "than the 0.1% allowed; lower quantization.largest_loss, so that a finer recipe is taken",
        "artifact size": "100 bytes, more than the budget of 99; name a smaller candidate or raise "
        "[budget]",
        "latency": "0.100 ms a row at the hub, more than the budget of 0.05 ms; name a smaller "
        "candidate or raise [budget]",
    }


def test_summary_has_every_metric_its_interval_and_the_gain() -> None:
    found = summarise(Exam(answers(300, 0.6), answers(300, 0.1), PARITY, 0))
    assert found["held_out_rows"] == 300.0
    for metric in TASK_METRICS["classification"]:
        assert found[f"{metric}_low"] <= found[metric] <= found[f"{metric}_high"]
        gain = found[metric] - found[f"champion_{metric}"]
        assert found[f"gain_{metric}"] == pytest.approx(gain)
        assert found[f"gain_{metric}_low"] <= gain <= found[f"gain_{metric}_high"]


def test_retraining_must_be_better_than_the_champion_not_only_no_worse() -> None:
    same = answers(2_000, 2.0)
    led = Exam(challenger=same, champion=same, parity=PARITY, seed=1, must_beat=True)
    gates = {g.name: g for g in judge(led, demanding(GateTable(floor=0.5)))[0]}
    assert not gates["champion"].passed
    assert "it is no better, and a retraining must be" in gates["champion"].text
    asked = judge(dataclasses.replace(led, must_beat=False), demanding(GateTable(floor=0.5)))[0]
    assert next(g for g in asked if g.name == "champion").passed
