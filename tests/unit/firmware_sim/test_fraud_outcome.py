"""The fraud story's figures: average precision, its parts of the story, and what must be true."""

import dataclasses

import numpy as np
import pytest
from msgspec.structs import replace

from fleetloop_firmware_sim.stories.fraud.outcome import Answers, weigh
from fleetloop_firmware_sim.stories.fraud.precision import average_precision, interval
from fleetloop_firmware_sim.stories.fraud.summary import FraudSummary, demands
from fleetloop_hub.validation.metrics import Answers as Judged
from fleetloop_hub.validation.metrics import measure
from fleetloop_shared.manifest import Feature, Signature

_ROWS = 900


def test_average_precision_is_the_gates_own_also_with_equal_scores() -> None:
    chance = np.random.default_rng(1)
    truth = chance.random(_ROWS) < 0.1
    scores = (0.5 * truth + chance.random(_ROWS)).round(1) / 2
    signature = Signature(
        input_name="rows",
        score_name="scores",
        features=[Feature(name="x")],
        classes=[0, 1],
        positive=1,
        decision_threshold=0.5,
    )
    outputs = np.stack([1 - scores, scores], axis=1).astype(np.float32)
    wanted = measure("average_precision", Judged(truth.astype(float), outputs, signature))
    assert average_precision(truth, scores) == pytest.approx(wanted)


def test_the_interval_holds_the_value_and_is_the_same_again() -> None:
    chance = np.random.default_rng(2)
    truth = chance.random(_ROWS) < 0.1
    scores = truth + chance.normal(0.0, 0.8, _ROWS)
    low, high = interval(truth, scores, 3)
    assert low < average_precision(truth, scores) < high
    assert interval(truth, scores, 3) == (low, high)


def _answers() -> Answers:
    """Version 1 answers 600 rows; it is blind from row 300 on, and version 2 is not."""
    truth = np.arange(_ROWS) % 10 == 0
    seen = np.where(truth, 0.9, 0.1)
    blind = np.where(np.arange(_ROWS) < 300, seen, 0.1)
    version = np.where(np.arange(_ROWS) < 600, 1.0, 2.0)
    loop = np.where(version == 1.0, blind, seen)
    return Answers(
        row=np.arange(_ROWS),
        truth=truth,
        amount_eur=np.full(_ROWS, 2.0),
        version=version,
        loop=loop,
        still=blind,
        loop_said=loop > 0.5,
        still_said=blind > 0.5,
    )


def test_the_parts_end_where_the_technique_begins_and_where_the_last_old_answer_was() -> None:
    found = weigh(_answers(), 300, FraudSummary(story="fraud", seed=1))
    assert found.rows == (300, 300, 300)
    assert found.rows_until_recovery == 300
    assert list(found.precision) == pytest.approx([1.0, 0.1, 1.0])
    assert found.still_precision[2] == pytest.approx(0.1)
    assert (found.fraud_eur, found.caught_eur, found.still_caught_eur) == (120.0, 60.0, 0.0)


def test_a_fleet_that_never_recovers_has_no_figures_after() -> None:
    never = _answers()
    found = weigh(replace_version(never, 1.0), 300, FraudSummary(story="fraud", seed=1))
    assert found.rows == (300, 600, 0)
    assert found.rows_until_recovery is None
    assert np.isnan(found.precision[2])
    assert not all(demands(found).values())


def replace_version(answers: Answers, version: float) -> Answers:
    """The same answers, all by one version."""
    return dataclasses.replace(answers, version=np.full(_ROWS, version))


def test_the_story_ends_right_only_if_every_demand_is_met() -> None:
    whole = replace(
        weigh(_answers(), 300, FraudSummary(story="fraud", seed=1)),
        champion_after=2,
        still_version=1,
        rows_until_noticed=100,
        devices_committed=3,
        devices=6,
    )
    assert all(demands(whole).values())
    for change in (
        {"precision": (0.9, 0.8, 0.9)},
        {"precision": (0.9, 0.1, 0.3)},
        {"gain_low": -0.01},
        {"still_version": 2},
        {"rows_until_noticed": None},
        {"devices_committed": 2},
        {"precision": ()},
    ):
        assert not all(demands(replace(whole, **change)).values()), change
