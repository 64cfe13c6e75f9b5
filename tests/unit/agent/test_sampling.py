"""Which served rows leave a device: why, how probable it was, what it costs, what never leaves."""

import json
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from fleetloop_agent.serving.predictor import Predictor
from fleetloop_agent.serving.sample_budget import SampleBudget
from fleetloop_agent.serving.sample_chance import opening
from fleetloop_agent.serving.sample_purse import PATH, SamplePurse
from fleetloop_agent.serving.sample_reasons import Drifted, LeastSure
from fleetloop_shared.durable import Disk, RealDisk
from fleetloop_shared.errors import DiskFullError
from fleetloop_shared.reports import Sample
from fleetloop_shared.sampling import Reason, SamplingPolicy
from support import kinds
from support.agent_board import ConstantRuntime, StandingClock
from support.sampled import PLENTY, granted
from support.serving_rig import model, predictor, rows


def sent(made: Predictor, policy: SamplingPolicy, values: np.ndarray) -> list[Sample]:
    """What leaves of these rows."""
    made.sample(msgspec.structs.replace(policy, bytes_per_day=PLENTY), granted())
    made.predict(values)
    return made.collect().samples


def test_without_a_policy_no_row_leaves() -> None:
    made = predictor()
    made.predict(rows(2_000))
    assert made.collect().samples == []
    assert sent(made, SamplingPolicy(random_share=1.0), rows(10))
    made.sample(None, None)
    made.predict(rows(10))
    assert made.collect().samples == []


def test_rows_out_of_range_are_sent_for_that_reason_and_no_others() -> None:
    values = rows(100)
    values[[3, 70], 0] = [9.0, -9.0]
    values[5, 0] = np.nan
    found = sent(predictor(ConstantRuntime()), SamplingPolicy(out_of_range=True), values)
    assert [s.prediction_id.rpartition(".")[2] for s in found] == ["4", "71"]
    assert {(s.reason, s.probability) for s in found} == {(Reason.OUT_OF_RANGE, 1.0)}


def test_an_unlisted_category_is_out_of_range() -> None:
    made = kinds.predictor("regression")
    policy = SamplingPolicy(out_of_range=True, bytes_per_day=PLENTY)
    made.sample(policy, granted())
    made.predict([{"heat": 0.5, "colour": c, "size": 1} for c in ("red", "plaid")])
    (found,) = made.collect().samples
    assert found.values[1] == -1.0


def test_the_least_sure_rows_are_about_the_stated_share_and_nearest_to_the_threshold() -> None:
    made, values = predictor(), rows(4_000, seed=5)
    found = sent(made, SamplingPolicy(low_confidence=0.1), values)
    assert 300 < len(found) < 500
    band = LeastSure(model()[0], 0.1)
    assert all(0.5 - 0.15 < s.score < 0.5 + 0.15 for s in found)
    assert band.low < 0.5 < band.high
    assert all(s.reason is Reason.LOW_CONFIDENCE for s in found)


def test_a_regression_has_no_least_sure_rows() -> None:
    manifest = kinds.predictor("regression").manifest
    assert manifest is not None
    assert not LeastSure(manifest, 0.5).of(np.linspace(-1e6, 1e6, 99)).any()


def test_the_first_reason_of_a_row_is_told_and_its_largest_probability() -> None:
    values = rows(1_000)
    values[0, 0] = 9.0
    found = sent(predictor(), SamplingPolicy(random_share=0.2, out_of_range=True), values)
    first, *others = found
    assert (first.reason, first.probability) == (Reason.OUT_OF_RANGE, 1.0)
    assert {(s.reason, s.probability) for s in others} == {(Reason.RANDOM, 0.2)}


def test_weighed_by_their_probability_selective_samples_stand_for_all_rows() -> None:
    values = rows(20_000, seed=3)
    values[:, 0] += 2.0
    policy = SamplingPolicy(random_share=0.1, low_confidence=0.1, out_of_range=True)
    made = predictor()
    found = sent(made, policy, values)
    weights = np.array([1 / s.probability for s in found if s.probability])
    scores = np.array([s.score for s in found])
    truth = 1 / (1 + np.exp(-(values[:, 0] - values[:, 1]).astype(float)))
    assert weights.sum() == pytest.approx(20_000, rel=0.05)
    assert np.average(scores, weights=weights) == pytest.approx(truth.mean(), abs=0.01)
    assert abs(scores.mean() - truth.mean()) > 0.03, "unweighed they are not like all rows"


def test_rows_one_by_one_and_many_at_a_time_give_the_same_samples() -> None:
    policy = SamplingPolicy(random_share=0.3, low_confidence=0.2, out_of_range=True)
    values = rows(600)
    at_once, one_by_one = predictor(), predictor()
    together = sent(at_once, policy, values)
    one_by_one.sample(msgspec.structs.replace(policy, bytes_per_day=PLENTY), granted())
    for row in values:
        one_by_one.predict(row[None])
    assert one_by_one.collect().samples == together


def test_rows_that_show_an_alarm_go_first_until_a_window_without_one() -> None:
    made = predictor()
    policy = SamplingPolicy(drifted_first=True, bytes_per_day=PLENTY)
    made.sample(policy, granted())
    moved = rows(400)
    moved[:, 0] += 3.0
    made.predict(moved)
    assert made.collect().samples == [], "nothing had been judged yet"
    made.predict(moved)
    found = made.collect().samples
    assert found
    assert {s.reason for s in found} == {Reason.DRIFT}
    middle = model()[0].reference.features[0].mean
    assert all(s.values[0] is not None and s.values[0] > middle for s in found)
    made.predict(rows(400, seed=9))
    made.collect()
    made.predict(rows(400, seed=10))
    assert made.collect().samples == []


def test_missing_values_show_a_drift_of_missing_values() -> None:
    manifest = model()[0]
    made = predictor(ConstantRuntime())
    gone = rows(400)
    gone[::2, 1] = np.nan
    made.predict(gone)
    verdict = next(w.judged.verdict for w in made.collect().windows if w.judged.verdict.alarm)
    verdict = replace(verdict, score_ratio=0.0)
    assert Drifted(verdict, manifest).of(gone).tolist() == np.isnan(gone[:, 1]).tolist()


def test_what_a_challenger_answers_otherwise_is_sent_once_and_stands_for_no_other_row() -> None:
    made = predictor()
    policy = SamplingPolicy(random_share=0.5, disagreement=True, bytes_per_day=PLENTY)
    made.sample(policy, granted())
    values = rows(50)
    answered = made.answer(values)
    numbers = np.arange(answered.first, answered.first + 50, dtype=np.uint64)
    made.disagreed(values, numbers, (answered.scores, answered.labels))
    found = made.collect().samples
    assert len({s.prediction_id for s in found}) == len(found) == 50
    others = [s for s in found if s.reason is Reason.DISAGREEMENT]
    assert others
    assert {s.probability for s in others} == {None}


def test_fields_that_never_leave_are_in_no_sample_and_named_in_the_report() -> None:
    made = predictor()
    policy = SamplingPolicy(random_share=1.0, never=["rain", "no-feature"], bytes_per_day=PLENTY)
    made.sample(policy, granted())
    made.predict(np.array([[1.5, 7.125]], np.float32))
    collected = made.collect()
    (sample,) = collected.samples
    assert sample.values == [1.5, None]
    assert collected.withheld == ["rain"]


def test_what_was_held_under_another_policy_is_given_up() -> None:
    made = predictor()
    made.sample(SamplingPolicy(random_share=1.0, bytes_per_day=PLENTY), granted())
    made.predict(rows(600))
    made.sample(SamplingPolicy(random_share=1.0, never=["rain"], bytes_per_day=PLENTY), granted())
    collected = made.collect()
    assert collected.samples == []
    assert collected.counters.dropped == 600


def test_a_short_budget_goes_to_drift_before_all_and_to_random_rows_a_little() -> None:
    shares = [opening(reason, 0.12) for reason in Reason]
    assert shares[:4] == sorted(shares[:4], reverse=True)
    assert shares[0] > 0.5
    assert 0 < shares[-1] <= 0.05
    assert all(opening(reason, 1.0) == 1 for reason in Reason)


def test_a_budget_that_is_used_up_sends_nothing_and_counts_what_it_had_no_room_for() -> None:
    made = predictor()
    made.sample(SamplingPolicy(random_share=1.0, bytes_per_day=10_000), granted(10_000))
    made.predict(rows(3_000))
    collected = made.collect()
    spent = sum(len(msgspec.json.encode(s)) for s in collected.samples)
    assert 0 < spent <= 10_000 / 4
    assert all(s.probability is not None and s.probability <= 1 for s in collected.samples)
    assert collected.counters.dropped > 0


class FullDisk(RealDisk):
    """A disk on which nothing more fits."""

    def write(self, path: Path, data: bytes, offset: int | None = None) -> None:
        raise DiskFullError("no room")


def spendable(disk: Disk, clock: StandingClock, bytes_per_day: int = 100_000) -> int:
    """How much one start can spend at once."""
    purse = SamplePurse(disk, clock)
    budget = purse.budget(bytes_per_day)
    spent = 0
    for _ in range(100):
        purse.top_up()
        while budget.spend(100):
            spent += 100
    return spent


def test_a_restart_does_not_fill_the_budget_again(tmp_path: Path) -> None:
    clock, disk = StandingClock(), RealDisk(tmp_path)
    assert spendable(disk, clock) == 25_000
    assert spendable(disk, clock) == 0
    clock.at += 3_600
    assert spendable(disk, clock) == pytest.approx(75_000 / 24, abs=100)


def test_a_clock_that_is_set_back_and_forth_fills_the_budget_once(tmp_path: Path) -> None:
    clock, disk = StandingClock(), RealDisk(tmp_path)
    spendable(disk, clock)
    for _ in range(5):
        clock.wrong_by_s = 400 * 86_400.0
        spendable(disk, clock)
        clock.wrong_by_s = 0.0
    clock.wrong_by_s = 400 * 86_400.0
    assert spendable(disk, clock) == 0


@pytest.mark.parametrize("content", [b"", b"{", b'{"level":1e999,"at":0}', b'{"level":"x"}'])
def test_a_damaged_budget_is_an_empty_one(tmp_path: Path, content: bytes) -> None:
    (tmp_path / PATH).parent.mkdir()
    (tmp_path / PATH).write_bytes(content)
    assert spendable(RealDisk(tmp_path), StandingClock()) == 0


def test_a_full_disk_sends_no_sample(tmp_path: Path) -> None:
    assert spendable(FullDisk(tmp_path), StandingClock()) == 0


def test_a_graceful_end_puts_back_what_was_granted(tmp_path: Path) -> None:
    clock, disk = StandingClock(), RealDisk(tmp_path)
    purse = SamplePurse(disk, clock)
    budget = purse.budget(100_000)
    purse.top_up()
    assert budget.spend(1_000)
    purse.close()
    assert not budget.spend(1), "nothing is sent after the end"
    assert json.loads((tmp_path / PATH).read_bytes())["level"] == 24_000


def test_another_budget_does_not_fill_the_bucket() -> None:
    budget = SampleBudget(1_000_000, 5.0, 0.0)
    assert budget.set_apart(0.0) == 5.0
