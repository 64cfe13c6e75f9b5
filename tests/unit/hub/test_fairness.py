"""Groups of people compared, and brought together by thresholds of their own."""

from dataclasses import replace

import numpy as np
import pytest

from fleetloop_hub.packaging.head import Head
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.spec.reading import parse
from fleetloop_hub.spec.scalars import Metric
from fleetloop_hub.spec.validation_tables import FairnessTable
from fleetloop_hub.validation import fairness
from fleetloop_hub.validation.metrics import Answers, Floats, measure
from fleetloop_hub.validation.mitigation import misses, mitigate, offsets
from fleetloop_hub.validation.shares import within
from fleetloop_shared.manifest import Signature
from support.families import frame

FORM = Signature(
    input_name="x",
    score_name="y",
    features=[],
    classes=[0, 1],
    positive=1,
    decision_threshold=0.5,
)


def people(rows: int = 4_000, seed: int = 0) -> tuple[Floats, Answers]:
    """A group of 1 in 5 whose scores are half a logit and more too low: the groups and answers."""
    rng = np.random.default_rng(seed)
    group = (rng.random(rows) < 0.2).astype(np.float64)
    skill = rng.normal(0, 1.5, rows)
    truth = (skill + rng.normal(0, 1, rows) > 0.5 * group).astype(np.float64)
    score = 1 / (1 + np.exp(-(skill - 1.5 * group)))
    return group, Answers(truth, np.column_stack([1 - score, score]).astype(np.float32), FORM)


def moved(answers: Answers, group: Floats, head: Head) -> Answers:
    values = group.astype(np.float32)[:, None]
    outputs = head.apply(answers.outputs.astype(np.float64), values)
    return Answers(answers.truth, outputs.astype(np.float32), FORM)


def gap(answers: Answers, group: Floats, measure_: str = "true positive gap") -> float:
    names = group.astype(int).astype(np.str_)
    rows = fairness.group_rows(answers, "g", names, 50)
    found = fairness.gaps(answers, rows, names, FairnessTable(groups=["g"]))
    value = next(g.value for g in found if g.measure == measure_)
    assert value is not None
    return value


def test_rates_are_shares_of_the_rows_they_speak_of() -> None:
    truth = np.array([1, 1, 0, 0, 1, 0, 0, 0], np.float64)
    score = np.array([0.9, 0.1, 0.9, 0.1, 0.9, 0.1, 0.1, 0.1])
    answers = Answers(truth, np.column_stack([1 - score, score]).astype(np.float32), FORM)
    names = np.array(["a", "a", "a", "a", "b", "b", "b", ""])
    a, b, missing = fairness.group_rows(answers, "g", names, 4)
    assert (a.group, a.rows, a.judged) == ("a", 4, True)
    assert [a.selection.value, a.true_positive.value, a.false_positive.value] == [0.5, 0.5, 0.5]
    assert (b.group, b.rows, b.judged) == ("b", 3, False)
    assert (missing.group, missing.rows) == ("", 1)
    assert missing.true_positive.value is None
    assert (missing.true_positive.low, missing.true_positive.high) == (0.0, 1.0)


def test_a_gap_has_its_groups_and_an_interval_around_it() -> None:
    group, answers = people()
    names = group.astype(int).astype(np.str_)
    rows = fairness.group_rows(answers, "g", names, 50)
    limits = FairnessTable(groups=["g"], true_positive_gap=0.1)
    found = {g.measure: g for g in fairness.gaps(answers, rows, names, limits, 0)}
    wide = found["true positive gap"]
    assert (wide.lowest, wide.highest, wide.limit) == ("1", "0", 0.1)
    assert wide.value is not None
    assert wide.low is not None
    assert wide.high is not None
    assert 0.1 < wide.low < wide.value < wide.high < wide.low + 0.2
    assert not within(wide)
    assert within(found["selection gap"])
    (missed,) = fairness.misses(answers, {"g": names}, limits)
    assert missed == f"g: true positive gap {wide.value:.3f}, limit 0.1"


def test_a_small_group_is_shown_and_not_judged() -> None:
    group, answers = people(300)
    names = group.astype(int).astype(np.str_)
    limits = FairnessTable(groups=["g"], true_positive_gap=0.0, group_rows=100)
    rows = fairness.group_rows(answers, "g", names, limits.group_rows)
    assert [row.judged for row in rows] == [True, False]
    (found,) = [g for g in fairness.gaps(answers, rows, names, limits, 0) if g.limit is not None]
    assert found.value is None
    assert not within(found)


@pytest.mark.parametrize(
    ("limits", "measure_", "most"),
    [
        (FairnessTable(groups=["g"], true_positive_gap=0.1), "true positive gap", 0.1),
        (FairnessTable(groups=["g"], false_positive_gap=0.05), "false positive gap", 0.05),
        (FairnessTable(groups=["g"], selection_gap=0.1), "selection gap", 0.1),
    ],
)
@pytest.mark.parametrize("metric", ["accuracy", "balanced_accuracy", "f1"])
def test_offsets_keep_the_limit_on_new_rows_at_a_small_price(
    limits: FairnessTable, measure_: str, most: float, metric: Metric
) -> None:
    group, answers = people()
    found = mitigate(answers, group.astype(np.float32), 0, limits, metric)
    assert found is not None
    newer_group, newer = people(seed=1)
    after = moved(newer, newer_group, Head(positive=1, groups=found))
    assert gap(newer, newer_group, measure_) > most
    assert gap(after, newer_group, measure_) <= most
    assert measure(metric, after) > measure(metric, newer) - 0.02


def test_ratio_and_gaps_can_be_kept_together() -> None:
    limits = FairnessTable(groups=["g"], selection_ratio=0.8, true_positive_gap=0.1)
    group, answers = people()
    found = mitigate(answers, group.astype(np.float32), 0, limits, "accuracy")
    assert found is not None
    after = moved(answers, group, Head(positive=1, groups=found))
    assert gap(after, group, "selection ratio") >= 0.8
    assert gap(after, group) <= 0.1


def test_no_limit_no_second_group_and_too_few_rows_have_no_offsets() -> None:
    group, answers = people(400)
    column = group.astype(np.float32)
    limits = FairnessTable(groups=["g"], true_positive_gap=0.1)
    assert mitigate(answers, column, 0, FairnessTable(groups=["g"]), "accuracy") is None
    assert mitigate(answers, column * 0, 0, limits, "accuracy") is None
    many = FairnessTable(groups=["g"], true_positive_gap=0.1, group_rows=200)
    assert mitigate(answers, column, 0, many, "accuracy") is None


def test_missing_values_keep_the_threshold_for_all() -> None:
    group, answers = people()
    column = group.astype(np.float32)
    column[::7] = np.nan
    limits = FairnessTable(groups=["g"], true_positive_gap=0.1)
    found = mitigate(answers, column, 0, limits, "accuracy")
    assert found is not None
    assert set(found.values) <= {0.0, 1.0}


def spec_with(groups: str) -> ModelSpec:
    return parse(
        '[model]\nname = "m"\n[[sources]]\ncsv = "m.csv"\n[label]\ncolumn = "y"\n'
        '[[features]]\nname = "g"\n[[features]]\nname = "a"\n[gates]\nmetric = "accuracy"\n'
        f"[fairness]\ngroups = {groups}\ntrue_positive_gap = 0.1\n"
    )


def test_offsets_are_for_a_feature_whose_groups_are_too_far_apart() -> None:
    group, answers = people()
    names = group.astype(int).astype(np.str_)
    rows = frame(np.column_stack([group, group]).astype(np.float32), answers.truth)
    other = np.resize(["x", "y"], len(group))
    rows = replace(rows, groups={"g": names, "h": names, "a": other})
    spec = spec_with('["g", "h", "a"]')
    found = offsets(answers, rows, spec)
    assert found is not None
    assert found.feature == 0
    after = moved(answers, group, Head(positive=1, groups=found))
    assert len(misses(answers, rows, spec)) == 2
    assert misses(after, rows, spec) == []
    assert offsets(answers, rows, spec_with('["h", "a"]')) is None
    assert offsets(after, rows, spec) is None
