"""The retraining decision: what the evidence asks for, and why."""

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from fleetloop_hub.records import Verdict
from fleetloop_hub.retraining.advice import Finding
from fleetloop_hub.retraining.decide import decide
from fleetloop_hub.retraining.evidence import (
    DeviceDrift,
    Estimated,
    Evidence,
    LabelLoss,
    Predecessor,
)
from fleetloop_hub.retraining.holding import Holding
from fleetloop_hub.retraining.rules import RULES
from fleetloop_hub.spec.retrain_table import RetrainTable

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


# --- triggers, and what outweighs what ------------------------------------------------------------

LOSS = LabelLoss("accuracy 0.71 by 800 labels", 800, 0.71, 0.83, proven=True)
WELL = LabelLoss("accuracy 0.90 by 800 labels", 800, 0.90, 0.83, proven=False, well=True)
BEFORE = Predecessor(2, 800, 0.86, 0.71, 0.11, "accuracy")
POOR = Estimated("accuracy", 0.83, 0.70, 0.75)
ODD = LabelLoss("labels", 800, 0.71, 0.83, proven=True, shared=False, device="d2")


def case(drifting: int = 0, **more: object) -> Evidence:
    return dataclasses.replace(evidence(drifting, 4 - drifting), **more)  # type: ignore[arg-type]  # the fields vary by case


CASES: list[tuple[str, Evidence, dict[str, object], Verdict, str]] = [
    ("labels prove a loss", case(loss=LOSS), {}, Verdict.RETRAIN, "labels below the gate"),
    ("and are not heard", case(loss=LOSS), {"by_accuracy": False}, Verdict.WAIT, "quiet"),
    ("one device's labels", case(loss=ODD), {}, Verdict.INVESTIGATE, "one device's answers"),
    (
        "the version before is better",
        case(loss=LOSS, predecessor=BEFORE),
        {},
        Verdict.ROLL_BACK,
        "the version before is better",
    ),
    (
        "and is not to be gone back to",
        case(loss=LOSS, predecessor=BEFORE),
        {"roll_back": False},
        Verdict.RETRAIN,
        "labels below the gate",
    ),
    ("drift, labels well", case(4, loss=WELL), {}, Verdict.RETRAIN, "fleet drift"),
    (
        "drift, labels well, patient",
        case(4, loss=WELL),
        {"drift_without_loss": "wait"},
        Verdict.WAIT,
        "harmless drift",
    ),
    ("drift is not heard", case(4), {"by_drift": False}, Verdict.WAIT, "few devices see drift"),
    ("an estimate is not heard", case(estimated=POOR), {}, Verdict.WAIT, "quiet"),
    (
        "an estimate is below",
        case(estimated=POOR),
        {"by_estimate": True},
        Verdict.RETRAIN,
        "estimate below the gate",
    ),
    (
        "and labels say otherwise",
        case(estimated=POOR, loss=WELL),
        {"by_estimate": True},
        Verdict.WAIT,
        "quiet",
    ),
    ("labels have come", case(), {"new_labels": 600}, Verdict.RETRAIN, "new labels"),
    ("not yet enough of them", case(), {"new_labels": 601}, Verdict.WAIT, "quiet"),
    ("it is time", case(since_training_s=9e4), {"every_h": 24.0}, Verdict.RETRAIN, "schedule"),
    ("it is not time yet", case(since_training_s=8e4), {"every_h": 24.0}, Verdict.WAIT, "quiet"),
    ("a person asks", case(asked="to see"), {}, Verdict.RETRAIN, "a person asks"),
    (
        "a person asks within the cool-down",
        case(asked="to see", since_training_s=1.0, labels=0),
        {},
        Verdict.RETRAIN,
        "a person asks",
    ),
    ("an odd device does not hold up labels", case(1, loss=LOSS), {}, Verdict.RETRAIN, ""),
    ("the budget is spent", case(4, trainings=24), {}, Verdict.WAIT, "fleet drift"),
    ("a rollout may be the cure", case(loss=LOSS, cure="one"), {}, Verdict.WAIT, ""),
    (
        "it does not stand for long enough",
        case(4, held={"drift": 2}),
        {"hold_looks": 3},
        Verdict.WAIT,
        "fleet drift",
    ),
    (
        "it has had its retraining",
        case(4, spent={"drift": 499}),
        {},
        Verdict.WAIT,
        "fleet drift",
    ),
    (
        "it has had its retraining, and labels have come since",
        case(4, spent={"drift": 500}),
        {},
        Verdict.RETRAIN,
        "fleet drift",
    ),
]


@pytest.mark.parametrize(
    ("seen", "policy", "verdict", "rule"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_rule_decides(
    seen: Evidence, policy: dict[str, object], verdict: Verdict, rule: str
) -> None:
    advice = decide(seen, replace(POLICY, **policy))
    assert (advice.verdict, advice.rule) == (verdict, rule or advice.rule), advice.reasons


def test_what_was_considered_is_said_with_what_outweighs_it() -> None:
    advice = decide(case(4, loss=LOSS, predecessor=BEFORE), POLICY)
    assert advice.version == 2
    said = {a.text for a in advice.alternatives}
    assert any(
        text.startswith("fleet drift: 4 of 4") and "'the version before is better' weighs" in text
        for text in said
    )
    quiet = decide(case(loss=WELL, predecessor=dataclasses.replace(BEFORE, low=-0.2)), POLICY)
    told = {a.verdict: a.text for a in quiet.alternatives}
    assert told[Verdict.ROLL_BACK].startswith("version 2 was not proven better on the same 800")
    assert "accuracy 0.90 by 800 labels" in told[Verdict.RETRAIN]


def test_trigger_stands_again_once_it_was_quiet_and_same_evidence_is_no_look() -> None:
    holding, about = Holding(), ("m", 1)
    assert holding.look(about, 1, {"drift"}, 2) == ({"drift": 1}, {})
    assert holding.look(about, 1, {"drift"}, 2) == ({"drift": 1}, {})
    assert holding.look(about, 2, {"drift"}, 2) == ({"drift": 2}, {})
    holding.spend(about, "drift", 700)
    assert holding.look(about, 3, {"drift"}, 2, 750) == ({"drift": 3}, {"drift": 50})
    assert holding.look(about, 4, set(), 2, 750) == ({}, {"drift": 50})
    assert holding.look(about, 4, set(), 2, 750) == ({}, {"drift": 50})
    assert holding.look(about, 5, set(), 2, 750) == ({}, {})
    assert holding.look(about, 6, {"drift"}, 2, 750) == ({"drift": 1}, {})


def test_page_has_the_table_of_rules() -> None:
    page = (Path(__file__).parents[3] / "docs" / "retraining.md").read_text()
    rows = [
        f"| {n} | {r.name} | {r.trigger} | {r.asks} | {r.when} |" for n, r in enumerate(RULES, 1)
    ]
    assert "\n".join(rows) in page
