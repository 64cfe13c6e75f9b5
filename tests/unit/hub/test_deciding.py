"""Where an answer turns into yes, what answers cost, and how anomaly models are judged."""

import numpy as np
import pytest
from msgspec import structs

from fleetloop_hub.spec.data_tables import LabelTable
from fleetloop_hub.training.deciding import (
    balanced_threshold,
    costs,
    decision_threshold,
    with_odd_range,
)
from fleetloop_hub.training.oddities import judged, marked
from fleetloop_hub.validation.metrics import Answers
from fleetloop_shared.manifest import Signature
from support.families import frame, rows_for, spec_for

COSTLY = LabelTable(column="y", cost_false_positive=1.0, cost_false_negative=9.0)


def test_costs_set_the_threshold_and_the_metric_does_where_there_are_none() -> None:
    spec = spec_for("two classes")
    assert decision_threshold(spec, 0.2) == 0.2
    assert decision_threshold(spec_for("two classes", "accuracy"), 0.2) == 0.5
    assert decision_threshold(structs.replace(spec, label=COSTLY), 0.2) == pytest.approx(0.1)


def test_threshold_of_costs_is_the_cheapest_on_calibrated_scores() -> None:
    rng = np.random.default_rng(0)
    sure = rng.beta(0.5, 2.0, 40_000)
    truth = (rng.random(len(sure)) < sure).astype(np.float64)
    outputs = np.column_stack([1 - sure, sure]).astype(np.float32)

    def cost(threshold: float) -> float:
        form = Signature(
            input_name="x",
            score_name="y",
            features=[],
            classes=[0, 1],
            positive=1,
            decision_threshold=threshold,
        )
        found = costs(Answers(truth, outputs, form), COSTLY)
        assert found is not None
        assert found.always_yes == pytest.approx(1 - truth.mean())
        assert found.always_no == pytest.approx(9 * truth.mean())
        return found.model

    always_yes, always_no = 1 - truth.mean(), 9 * truth.mean()
    assert cost(0.1) < min(cost(0.05), cost(0.2), cost(0.5), always_yes, always_no)


def test_weights_of_classes_move_the_threshold_as_they_move_the_odds() -> None:
    assert balanced_threshold(0.2, 0.2) == pytest.approx(0.5)
    assert balanced_threshold(0.5, 0.5) == pytest.approx(0.5)
    odds = 0.3 / 0.7 * (0.9 / 0.1)
    assert balanced_threshold(0.3, 0.1) == pytest.approx(odds / (1 + odds))


def test_the_histogram_of_odd_scores_lies_where_most_of_them_are() -> None:
    scores = np.concatenate([np.linspace(0.4, 0.5, 1_000), [0.99]])
    form = Signature(
        input_name="x",
        score_name="y",
        features=[],
        classes=[0, 1],
        positive=1,
        decision_threshold=0.5,
        task="anomaly",
    )

    def lies(scores: np.ndarray) -> tuple[float, float]:
        found = with_odd_range(form, scores)
        return found.score_low, found.score_high

    assert lies(scores) == pytest.approx((0.3755, 0.5249), abs=0.001)
    assert lies(np.array([0.0, 1.0])) == (0.0, 1.0)
    assert lies(np.full(9, 0.5)) == (0.5, 1.5), "one value has no width"


def test_labels_of_odd_rows_only_judge() -> None:
    rows = rows_for("oddities")
    label = np.where(np.arange(300) % 2 == 0, np.nan, rows.label)
    train = marked(frame(rows.values, label), spec_for("oddities"))
    found, made_up = judged(train, train, 0)
    assert not made_up
    assert len(found) == 150
    np.testing.assert_array_equal(found.label, rows.label[1::2])


def test_without_labels_rows_are_made_up_within_the_ranges_of_training() -> None:
    rows = rows_for("oddities")
    spec = structs.replace(spec_for("oddities"), label=LabelTable())
    blind = marked(rows, spec)
    assert np.isnan(blind.label).all()
    found, made_up = judged(blind, blind, 0)
    assert made_up
    assert len(found) == 600
    assert found.label.tolist() == [0.0] * 300 + [1.0] * 300
    made = found.values[300:]
    assert set(made[:, 3].tolist()) == {0.0, 1.0, 2.0}
    low, high = np.nanmin(rows.values, axis=0), np.nanmax(rows.values, axis=0)
    assert (made >= low).all()
    assert (made <= high).all()
    np.testing.assert_array_equal(found.values, judged(blind, blind, 0)[0].values)
