"""The test with labels: silent while the demand is kept, loud soon after it no longer is."""

import math

import msgspec
import numpy as np
import pytest

from fleetloop_shared.estimate.betting import RISK, LabelTest
from fleetloop_shared.estimate.records import AccuracyReference

GATE = AccuracyReference(
    metric="accuracy",
    value=0.9,
    low=0.88,
    high=0.92,
    rows=32,
    counts=[1] * 32,
    expected=[0.9] * 32,
    spread=[0.3] * 32,
    loss_bound=0.17,
    loss_cap=1.0,
    bound_from="gate",
)


def first_alarm(test: LabelTest, right: np.ndarray) -> int | None:
    """The label at which an alarm came."""
    for answer in right:
        test.add(said=1.0, label=float(answer))
    return test.evidence().since_label


def test_labels_that_just_keep_the_demand_alarm_no_more_often_than_the_risk() -> None:
    random = np.random.default_rng(0)
    alarms = [first_alarm(LabelTest(GATE), random.random(2_000) >= 0.17) for _ in range(40)]
    assert sum(a is not None for a in alarms) <= 2  # 40 * RISK is 0.4


def test_a_drop_of_ten_points_is_seen_within_some_hundred_labels() -> None:
    random = np.random.default_rng(1)
    alarms = [first_alarm(LabelTest(GATE), random.random(1_000) >= 0.25) for _ in range(25)]
    assert np.median([a or math.inf for a in alarms]) < 400


def test_thousands_of_good_labels_do_not_bury_a_drop() -> None:
    random = np.random.default_rng(2)
    right = np.concatenate([random.random(5_000) >= 0.1, random.random(600) >= 0.4])
    since = first_alarm(LabelTest(GATE), right)
    assert since is not None
    assert 5_000 < since < 5_200


def test_good_labels_cost_a_bettor_little_of_what_it_has() -> None:
    random, test = np.random.default_rng(4), LabelTest(GATE)
    first_alarm(test, random.random(5_000) >= 0.15)
    assert 0.1 < test.evidence().e_value < 10


def test_right_answers_after_wrong_ones_alone_take_no_more_than_was_staked() -> None:
    test = LabelTest(msgspec.structs.replace(GATE, loss_bound=0.6))
    first_alarm(test, np.zeros(50))
    before = test.evidence().e_value
    first_alarm(test, np.ones(1))
    assert 0.5 <= test.evidence().e_value / before < 1


def test_no_order_of_losses_multiplies_the_stake_by_more_than_their_excess_allows() -> None:
    """All wrong is the best that a bettor can have; all right costs less than half of the stake."""
    worst, best = LabelTest(GATE), LabelTest(GATE)
    for _ in range(5_000):
        worst.add(1, 0)
        best.add(1, 1)
    assert worst.evidence().e_value == pytest.approx(math.exp(700))
    assert best.evidence().e_value == 1.0


def test_classes_count_alike_where_the_gate_says_so() -> None:
    """Always saying the frequent class is right nine times in ten, and worth one half."""
    balanced = msgspec.structs.replace(GATE, loss_bound=0.4, balanced=[0, 1])
    test, plain = LabelTest(balanced), LabelTest(msgspec.structs.replace(GATE, loss_bound=0.4))
    for turn in range(2_000):
        for each in (test, plain):
            each.add(said=0, label=int(turn % 10 == 0))
    assert test.evidence().alarm
    assert not plain.evidence().alarm
    assert (test.evidence().metric, test.evidence().value) == ("balanced_accuracy", 0.5)
    assert (plain.evidence().metric, plain.evidence().value) == ("accuracy", 0.9)


def test_a_class_that_never_comes_bets_nothing() -> None:
    test = LabelTest(msgspec.structs.replace(GATE, balanced=[0, 1]))
    for _ in range(500):
        test.add(said=1, label=0)
        test.add(said=1, label=7)
    assert test.evidence().labels == 1_000
    assert test.evidence().value is None
    assert test.evidence().e_value == 1.0


def regression() -> LabelTest:
    """Of a model whose mean squared distance may be 1."""
    return LabelTest(
        msgspec.structs.replace(GATE, metric="mae", loss_bound=1.0, loss_cap=9.0, balanced=[])
    )


def test_distances_of_a_regression_are_weighed_against_its_bound() -> None:
    random = np.random.default_rng(3)
    near, far = regression(), regression()
    for truth in random.normal(0.0, 1.0, 2_000):
        near.add(0.0, 0.95 * truth)
        far.add(0.0, 1.6 * truth)
    assert not near.evidence().alarm
    assert far.evidence().alarm
    assert far.evidence().value == pytest.approx(1.6 * (near.evidence().value or 0) / 0.95)
    assert far.evidence().demanded == 1.0


def test_endless_distances_are_a_number_all_the_same() -> None:
    test = regression()
    for _ in range(20):
        test.add(-1.7e308, 1.7e308)
    assert math.isfinite(test.evidence().value or math.inf)
    assert math.isfinite(test.evidence().e_value)
    assert test.evidence().largest > 1 / RISK
