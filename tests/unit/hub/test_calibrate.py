"""Calibration: it is chosen where it helps, left out where not, and never turns scores round."""

import numpy as np
import numpy.typing as npt
import pytest

from fleetloop_hub.packaging.head import Calibration
from fleetloop_hub.training.calibrate import apply, choose

Floats = npt.NDArray[np.float64]


def drawn(rows: int, seed: int = 0) -> tuple[Floats, Floats]:
    """True probabilities and labels drawn with them."""
    rng = np.random.default_rng(seed)
    sure = 1 / (1 + np.exp(-rng.normal(0, 2, rows)))
    return sure, (rng.random(rows) < sure).astype(np.float64)


def two(score: Floats) -> Floats:
    return np.column_stack([1 - score, score])


def error(score: Floats, sure: Floats) -> float:
    return float(np.abs(score - sure).mean())


def test_scores_that_are_probabilities_are_left_alone() -> None:
    for seed in range(5):
        sure, truth = drawn(600, seed)
        assert choose("auto", "linear", two(sure), truth, 1) == Calibration()


def test_too_certain_scores_get_a_sigmoid_that_takes_the_certainty_away() -> None:
    sure, truth = drawn(2_000)
    logit = np.log(sure / (1 - sure))
    certain = 1 / (1 + np.exp(-3 * logit - 1))
    found = choose("auto", "mlp", two(certain), truth, 1)
    assert found.method == "sigmoid"
    np.testing.assert_allclose(found.x, (1 / 3, -1 / 3), atol=0.06)
    assert error(apply(found, certain), sure) < 0.3 * error(certain, sure)


def test_scores_no_sigmoid_can_right_get_steps_of_few_points() -> None:
    sure, truth = drawn(6_000)
    bent = np.where(sure > 0.5, 0.9 + sure / 10, sure / 10)
    bent = np.where((sure > 0.3) & (sure < 0.5), 0.06 + sure / 100, bent)
    found = choose("auto", "random-forest", two(bent), truth, 1)
    assert found.method == "isotonic"
    assert 2 <= len(found.x) == len(found.y) <= 32
    assert (np.diff(np.array(found.x, np.float32)) > 0).all()
    assert (np.diff(found.y) >= 0).all()
    assert 0 < found.y[0] <= found.y[-1] < 1
    assert error(apply(found, bent), sure) < 0.4 * error(bent, sure)


def test_svm_is_calibrated_even_where_rows_are_few() -> None:
    sure, truth = drawn(15)
    assert choose("auto", "linear", two(sure), truth, 1).method == "none"
    assert choose("auto", "svm", two(sure), truth, 1).method == "sigmoid"


def test_first_column_can_be_the_positive_one() -> None:
    sure, truth = drawn(2_000)
    certain = 1 / (1 + np.exp(-3 * np.log(sure / (1 - sure))))
    found = choose("sigmoid", "mlp", two(certain)[:, ::-1], 1 - truth, 0)
    assert found == choose("sigmoid", "mlp", two(certain), truth, 1)


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_scores_that_tell_the_opposite_are_never_turned_round(method: str) -> None:
    sure, truth = drawn(500)
    found = choose(method, "linear", two(1 - sure), truth, 1)
    calibrated = apply(found, np.linspace(0.01, 0.99, 50))
    assert (np.diff(calibrated) >= 0).all()


@pytest.mark.parametrize("method", ["auto", "sigmoid", "isotonic"])
def test_one_class_or_one_score_alone_says_nothing_about_others(method: str) -> None:
    sure, _ = drawn(100)
    assert choose(method, "linear", two(sure), np.ones(100), 1) == Calibration()
    flat = np.full(100, 0.5)
    truth = (np.arange(100) % 4 == 0).astype(np.float64)
    assert np.isfinite(apply(choose(method, "linear", two(flat), truth, 1), flat)).all()


@pytest.mark.parametrize(("power", "method"), [(1.0, "none"), (3.0, "temperature")])
def test_several_classes_have_a_temperature_where_they_need_one(power: float, method: str) -> None:
    rng = np.random.default_rng(2)
    logits = rng.normal(0, 1.5, (3_000, 3))
    sure = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truth = (rng.random((3_000, 1)) > sure.cumsum(axis=1)).sum(axis=1).astype(np.float64)
    told = sure**power / (sure**power).sum(axis=1, keepdims=True)
    found = choose("auto", "mlp", told, truth, -1)
    assert found.method == method
    if method == "temperature":
        assert found.x[0] == pytest.approx(1 / 3, abs=0.05)
    assert choose("isotonic", "mlp", told, truth, -1).method == "temperature"
    assert choose("none", "mlp", told, truth, -1) == Calibration()
