"""What a stranger's numbers mean is decided by looking at them, and said."""

import numpy as np
import pytest

from fleetloop_hub.errors import ModelFileError
from fleetloop_hub.packaging.foreign_sense import make_sense
from fleetloop_shared.manifest import Signature

NO_TRUTH = np.full(3, np.nan)


def signature(
    classes: int | list[int] = 3, task: str = "classification", **changes: object
) -> Signature:
    made = {
        "input_name": "features",
        "score_name": "probabilities",
        "features": [],
        "classes": list(range(classes)) if isinstance(classes, int) else classes,
        "positive": -1,
        "decision_threshold": 0.5,
        "task": task,
    }
    return Signature(**{**made, **changes})  # type: ignore[arg-type]  # fields by name


SHARES = np.array([[0.2, 0.3, 0.5], [0.1, 0.1, 0.8], [1, 0, 0]], np.float32)
LOGITS = np.array([[-3, 2, 0.1], [4, 1, 1], [0, 0, 9]], np.float32)


def test_probabilities_stay_logits_get_a_softmax() -> None:
    sense, words = make_sense(SHARES, (), signature(), "auto", NO_TRUTH)
    assert (sense.activation, sense.shares, sense.pair, sense.order) == ("none", False, False, ())
    assert "left as they are" in words[1]
    sense, words = make_sense(LOGITS, (), signature(), "auto", NO_TRUTH)
    assert sense.activation == "softmax"
    assert "(-3 to 9) are no probabilities: a softmax was added" in words[1]


def test_log_probabilities_become_the_probabilities_they_are_of() -> None:
    logs = np.log(np.clip(SHARES, 1e-6, 1))
    assert make_sense(logs, (), signature(), "auto", NO_TRUTH)[0].activation == "softmax"


def test_a_probability_for_each_class_alone_is_divided_by_the_sum() -> None:
    alone = np.array([[0.9, 0.8, 0.1], [0.2, 0.2, 0.1], [0.5, 0.4, 0.9]], np.float32)
    sense, words = make_sense(alone, (), signature(), "auto", NO_TRUTH)
    assert sense.shares
    assert "divided by their sum" in words[1]


def test_one_number_for_two_classes_is_the_second_ones() -> None:
    sense, words = make_sense(SHARES[:, :1], (), signature(2), "auto", NO_TRUTH)
    assert sense.pair
    assert sense.activation == "none"
    assert "the probability of 1, the rest for 0" in words[0]
    sense, _ = make_sense(LOGITS[:, :1], (), signature(2), "auto", NO_TRUTH)
    assert (sense.activation, sense.pair) == ("sigmoid", True)


def test_a_person_overrules_what_was_seen_but_not_into_nonsense() -> None:
    assert make_sense(SHARES, (), signature(), "softmax", NO_TRUTH)[0].activation == "softmax"
    sense = make_sense(LOGITS, (), signature(), "sigmoid", NO_TRUTH)[0]
    assert (sense.activation, sense.shares) == ("sigmoid", True)
    with pytest.raises(ModelFileError, match="are no probabilities: leave --activation out"):
        make_sense(LOGITS, (), signature(), "none", NO_TRUTH)
    with pytest.raises(ModelFileError, match="softmax needs a column a class"):
        make_sense(LOGITS[:, :1], (), signature(2), "softmax", NO_TRUTH)


def test_columns_are_put_into_the_order_of_the_specs_classes() -> None:
    named = signature(class_names=["red", "green", "blue"])
    sense, _ = make_sense(SHARES, ("blue", "red", "green"), named, "auto", NO_TRUTH)
    assert sense.order == (1, 2, 0)
    numbered = signature([3, 5, 7])
    assert make_sense(SHARES, (7, 5, 3), numbered, "auto", NO_TRUTH)[0].order == (2, 1, 0)
    assert make_sense(SHARES, (3, 5, 7), numbered, "auto", NO_TRUTH)[0].order == ()
    sense, words = make_sense(SHARES, (0, 1, 2), numbered, "auto", NO_TRUTH)
    assert sense.order == ()
    assert "0 to 2 were taken for 3, 5, 7, in this order" in words[0]


def test_classes_that_are_not_the_specs_are_refused() -> None:
    named = signature(class_names=["red", "green", "blue"])
    with pytest.raises(ModelFileError, match=r"classes are cat, dog, cow, the spec's are red"):
        make_sense(SHARES, ("cat", "dog", "cow"), named, "auto", NO_TRUTH)
    with pytest.raises(ModelFileError, match="3 numbers a row, but there are 4 classes"):
        make_sense(SHARES, (), signature(4), "auto", NO_TRUTH)
    with pytest.raises(ModelFileError, match="1 numbers a row, but there are 3 classes"):
        make_sense(SHARES[:, :1], (), signature(3), "auto", NO_TRUTH)


def test_regression_answers_with_one_number_as_it_is() -> None:
    form = signature(0, "regression")
    sense, words = make_sense(LOGITS[:, :1], (), form, "auto", NO_TRUTH)
    assert (sense.activation, sense.pair) == ("none", False)
    assert "between -3 and 4" in words[0]
    with pytest.raises(ModelFileError, match="3 numbers a row, a regression with one"):
        make_sense(LOGITS, (), form, "auto", NO_TRUTH)
    with pytest.raises(ModelFileError, match="leave it out for a regression"):
        make_sense(LOGITS[:, :1], (), form, "sigmoid", NO_TRUTH)


def test_answers_that_are_no_numbers_are_refused() -> None:
    broken = np.where(SHARES > 0.7, np.nan, SHARES).astype(np.float32)
    with pytest.raises(ModelFileError, match="not all finite"):
        make_sense(broken, (), signature(), "auto", NO_TRUTH)


def _odd_share(raw: np.ndarray, truth: np.ndarray) -> np.ndarray:
    sense, _ = make_sense(raw, (), signature(2, "anomaly"), "auto", truth)
    assert sense.pair
    power = -(sense.slope * raw[:, 0].astype(np.float64) + sense.shift)
    score: np.ndarray = 1 / (1 + np.exp(power))
    return score


def test_distances_of_an_anomaly_model_become_scores_the_right_way_round() -> None:
    rng = np.random.default_rng(0)
    usual = rng.exponential(1.0, 1_000).astype(np.float32)[:, None] + 2
    unknown = np.full(1_000, np.nan)
    up = _odd_share(usual, unknown)
    assert up[usual[:, 0].argmax()] > 0.5 > np.median(up)
    assert np.count_nonzero(up > 0.5) == 10
    down = _odd_share(-usual, unknown)
    np.testing.assert_allclose(up, down, rtol=1e-5)
    truth = (usual[:, 0] < 2.1).astype(float)
    turned = _odd_share(usual, truth)
    assert turned[usual[:, 0].argmin()] > turned[usual[:, 0].argmax()]


def test_oddness_between_0_and_1_stays_as_it_is() -> None:
    sense, _ = make_sense(SHARES[:, :2], (), signature(2, "anomaly"), "auto", NO_TRUTH)
    assert (sense.activation, sense.order, sense.pair) == ("none", (1,), True)
    with pytest.raises(ModelFileError, match="how odd a row is"):
        make_sense(SHARES, (), signature(2, "anomaly"), "auto", NO_TRUTH)
