"""Labelled rows weighed to look like a device's: what they then say, and when they say nothing."""

import numpy as np
import pytest
from msgspec.structs import replace

from fleetloop_hub.monitoring.estimate import Estimator
from fleetloop_hub.monitoring.raking import effective, rake
from fleetloop_hub.monitoring.tilting import tilt
from fleetloop_hub.monitoring.weighing import Scales
from fleetloop_hub.validation.labelled import Labelled
from fleetloop_hub.validation.metrics import Answers
from fleetloop_shared.drift.bins import count_scores
from support.accuracy import labelled, manifest, profile, scores_of
from support.serving_rig import rows


def estimator() -> Estimator:
    """Of the labelled rows of the rig."""
    made = manifest()
    assert made.accuracy is not None
    return Estimator(labelled(), made.reference, made.accuracy, "roc_auc")


def scales() -> Scales:
    """The same rows, to be weighed."""
    known, made = labelled(), manifest()
    return Scales(made.reference, made.signature, known.values, known.answers.scores)


def expected(values: np.ndarray) -> float:
    """The accuracy of honest scores."""
    scores = scores_of(values)
    return float(np.maximum(scores, 1 - scores).mean())


def test_raked_weights_meet_every_feature_at_once() -> None:
    random = np.random.default_rng(0)
    places = random.integers(0, 4, (6, 3_000))
    wanted = [random.dirichlet(np.full(4, 5.0)) for _ in range(6)]
    weights = rake(np.full(3_000, 1 / 3_000), places, wanted, sweeps=50)
    for place, shares in zip(places, wanted, strict=True):
        assert np.bincount(place, weights, 4) == pytest.approx(shares, abs=1e-3)


def test_what_the_shares_do_not_speak_of_stays_as_it_was() -> None:
    """The odds ratio of two features is not changed by raking their margins."""
    places = np.array([[0] * 40 + [1] * 60, ([0] * 30 + [1] * 10) + ([0] * 20 + [1] * 40)])
    weights = rake(np.full(100, 0.01), places, [np.array([0.7, 0.3]), np.array([0.2, 0.8])], 100)
    table = np.bincount(places[0] * 2 + places[1], weights)
    assert table[0] * table[3] / (table[1] * table[2]) == pytest.approx(30 * 40 / (10 * 20))


def test_a_mean_that_no_weighing_gives_is_approached_and_the_rows_run_out() -> None:
    values = np.linspace(-1, 1, 200)
    even = np.full(200, 1 / 200)
    assert tilt(even, values, 0.5) @ values == pytest.approx(0.5, abs=2e-3)
    assert effective(tilt(even, values, 5.0)) < 40


@pytest.mark.parametrize("change", ["nothing", "moved", "narrow", "wide", "together"])
def test_the_estimate_follows_the_rows_and_its_interval_holds_the_truth(change: str) -> None:
    values = rows(4_000, seed=9)
    if change == "moved":
        values[:, 0] += 0.8
    elif change in {"narrow", "wide"}:
        values *= 0.5 if change == "narrow" else 1.3
    elif change == "together":
        values[:, 1] = 0.6 * values[:, 0] + 0.8 * values[:, 1]
    estimated = estimator().estimate(profile(values))
    found = estimated.estimates[0]
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    assert found.low <= expected(values) <= found.high
    assert found.value == pytest.approx(expected(values), abs=0.03)
    assert [e.metric for e in estimated.estimates] == ["accuracy", "roc_auc"]


def test_more_rows_than_chance_explains_make_the_interval_no_narrower_than_the_labels() -> None:
    made = estimator()
    few, many = (made.estimate(profile(rows(n, seed=2))).estimates[0] for n in (200, 20_000))
    assert few.low is not None
    assert few.high is not None
    assert many.low is not None
    assert many.high is not None
    assert few.high - few.low > 1.5 * (many.high - many.low)
    assert many.high - many.low > 0.03  # 2,000 labels have a standard error of 1 point


def test_values_that_no_labelled_row_has_are_refused_by_the_features_name() -> None:
    values = rows(1_000, seed=3)
    values[:200, 0] = np.nan
    assert "values of wind that no labelled row has" in scales().weigh(profile(values)).refused


def test_rows_that_few_labelled_ones_look_like_are_refused() -> None:
    values = rows(1_000, seed=3) * np.float32(0.02) + np.float32(1.0)
    weighed = scales().weigh(profile(values))
    assert "are left that look like these" in weighed.refused
    assert weighed.effective < 50


def test_values_far_beyond_the_labelled_ones_are_refused_although_their_bin_is_known() -> None:
    values = rows(2_000, seed=3)
    values[:, 1] *= np.where(np.abs(values[:, 1]) > 1.5, 6, 1)
    assert "values of rain go farther" in scales().weigh(profile(values)).refused


def test_few_rows_and_those_of_another_model_are_refused() -> None:
    assert "99 rows are too few" in scales().weigh(profile(rows(99))).refused
    other = replace(profile(rows(500)), counts=[[250, 250], [500]])
    assert "another model" in scales().weigh(other).refused


def test_a_refusal_is_said_of_every_metric() -> None:
    refused = estimator().estimate(profile(rows(50))).estimates
    assert [(e.metric, e.value) for e in refused] == [("accuracy", None), ("roc_auc", None)]
    assert all(e.refused for e in refused)


def test_distances_of_a_regression_follow_the_rows() -> None:
    """Where the first feature is large, answers are far off."""
    known, made = labelled(), manifest()
    form = replace(
        made.signature, task="regression", classes=[], positive=-1, score_low=-5.0, score_high=5.0
    )
    random = np.random.default_rng(4)
    noise = random.normal(0, 1, len(known.values)) * np.exp(known.values[:, 0])
    truth = known.values[:, 1].astype(np.float64)
    answers = Answers(truth, (truth + noise).astype(np.float32)[:, None], form)
    scores = np.clip((answers.scores + 5) / 10, 0, 1)
    reference = replace(made.reference, score_counts=count_scores(scores).tolist())
    assert made.accuracy is not None
    accuracy = replace(made.accuracy, metric="mae")
    of_values = Estimator(Labelled(answers, known.values), reference, accuracy, "r2")
    moved = rows(3_000, seed=6)
    moved[:, 0] += 0.5
    noise = random.normal(0, 1, 3_000) * np.exp(moved[:, 0])
    seen = count_scores(np.clip((moved[:, 1] + noise + 5) / 10, 0, 1)).tolist()
    estimates = of_values.estimate(replace(profile(moved), score_counts=seen)).estimates
    assert [e.metric for e in estimates] == ["mae", "rmse", "r2"]
    assert estimates[0].value == pytest.approx(np.abs(noise).mean(), rel=0.15)
    assert of_values.held_out()["mae"] < 0.8 * np.abs(noise).mean()
