"""The retraining decision: what the evidence asks for, and why."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetloop_hub.records import Verdict
from fleetloop_hub.retraining.decide import DeviceDrift, Evidence, Finding, decide
from fleetloop_hub.spec.fleet_tables import RetrainTable

POLICY = RetrainTable(drift_devices=0.5, min_labels=500, cooldown_s=60.0)


def fleet(drifting: int, quiet: int) -> list[DeviceDrift]:
    return [
        DeviceDrift(f"d{n}", 3, 0, 3.0, "temperature_f")
        if n < drifting
        else DeviceDrift(f"d{n}", 0, 3, 0.5, "temperature_f")
        for n in range(drifting + quiet)
    ]


def evidence(
    drifting: int, quiet: int, *, labels: int = 600, since_s: float = 1e9, busy: str | None = None
) -> Evidence:
    return Evidence(fleet(drifting, quiet), labels, since_s, busy)


def test_a_fleet_without_drift_waits() -> None:
    assert decide(evidence(0, 3), POLICY).verdict is Verdict.WAIT


def test_a_fleet_that_nobody_has_heard_of_waits() -> None:
    assert decide(evidence(0, 0), POLICY).verdict is Verdict.WAIT


def test_a_changed_world_with_labels_is_trained_on() -> None:
    advice = decide(evidence(3, 1), POLICY)
    assert advice.verdict is Verdict.RETRAIN
    assert advice.reasons[0].startswith("3 of 4 devices see drift, most in temperature_f")
    assert advice.devices == ["d0", "d1", "d2"]
    assert advice.numbers["new_labels"] == 600


def test_rows_that_have_been_learned_from_are_not_trained_on_again() -> None:
    known = dataclasses.replace(evidence(3, 1), learned="they have given version 2")
    advice = decide(known, POLICY)
    assert (advice.finding, advice.verdict) == (Finding.LEARNED, Verdict.WAIT)
    assert advice.reasons[-1] == "they have given version 2"
    later = decide(dataclasses.replace(known, learned="they have given version 3"), POLICY)
    assert later.noted_once != advice.noted_once


def test_one_device_among_many_is_a_broken_sensor_not_a_changed_world() -> None:
    advice = decide(evidence(1, 3), POLICY)
    assert advice.verdict is Verdict.INVESTIGATE
    assert advice.devices == ["d0"]


@pytest.mark.parametrize(
    "drift",
    [
        [DeviceDrift("d0", 1, 0, 3.0, "t"), *fleet(0, 3)[1:]],
        [
            DeviceDrift("d0", 9, 0, 3.0, "t"),
            *(DeviceDrift(f"d{n}", 0, 1, 0.5, "t") for n in (1, 2)),
        ],
    ],
    ids=["the first to see a change", "the last to see its end"],
)
def test_a_device_that_is_early_or_late_is_not_odd(drift: list[DeviceDrift]) -> None:
    advice = decide(Evidence(drift, 600, 1e9), POLICY)
    assert advice.verdict is Verdict.WAIT
    assert advice.finding is Finding.FEW


def test_the_only_device_there_is_can_be_the_world() -> None:
    assert decide(evidence(1, 0), POLICY).verdict is Verdict.RETRAIN


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (evidence(2, 0, labels=499), "499 of 500"),
        (evidence(2, 0, since_s=20.0), "cooling down for 40 s"),
        (evidence(2, 0, busy="run 7 is under way"), "run 7"),
    ],
)
def test_what_is_missing_is_said(changed: Evidence, reason: str) -> None:
    advice = decide(changed, POLICY)
    assert advice.verdict is Verdict.WAIT
    assert any(reason in said for said in advice.reasons)


@given(
    drifting=st.integers(0, 10),
    quiet=st.integers(0, 10),
    labels=st.integers(0, 2_000),
    since_s=st.floats(0, 1e6),
    busy=st.none() | st.just("x"),
)
def test_nothing_is_trained_against_the_policy(
    drifting: int, quiet: int, labels: int, since_s: float, busy: str | None
) -> None:
    advice = decide(evidence(drifting, quiet, labels=labels, since_s=since_s, busy=busy), POLICY)
    assert advice.reasons
    if advice.verdict is Verdict.RETRAIN:
        assert drifting >= quiet
        assert labels >= 500
        assert since_s >= 60
        assert busy is None


def test_an_imported_model_is_not_trained_here_whatever_the_world_does() -> None:
    advice = decide(evidence(3, 1), POLICY, trainable=False)
    assert (advice.verdict, advice.finding) == (Verdict.WAIT, Finding.NOT_YET)
    assert "import a newer model with `fleetloop models import`" in advice.reasons[0]
    assert advice.devices == ["d0", "d1", "d2"]
