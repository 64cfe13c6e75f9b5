"""`fleetloop rollouts`, `cohorts` and `quarantine`: what is shown, asked and refused."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from fleetloop_hub.errors import GateError
from fleetloop_hub.fleet_records import LabelCohort, Passage, RolloutState
from fleetloop_hub.judgement_records import Comparison, Finding, Judgement
from support.commands import Run, a_refusal, listening_hub, runner
from support.hubrecords import SHA, START, a_quarantine, a_rollout
from support.hubweb import WebHub

WHY = ("--by", "ann", "--reason", "looked at it")


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with listening_hub(tmp_path) as hub:
        yield hub


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    return runner(monkeypatch, capsys, tmp_path)


def compared(measure: str, unit: str, **figures: float | str | None) -> Comparison:
    known: dict[str, float | str | None] = {
        "treated": 0.03,
        "control": 0.01,
        "difference": 2.0,
        "low": 1.2,
        "high": None,
        "limit": 1.0,
        **figures,
    }
    rows = {"treated_rows": 900, "control_rows": 950}
    return Comparison(measure=measure, unit=unit, finding=Finding.HARMFUL, text="", **known, **rows)  # type: ignore[arg-type]  # fields by name


def test_start_says_to_whom_who_asks_and_where_to_watch(run: Run, hub: WebHub) -> None:
    roof = 'site = "roof"'
    said = run("rollouts", "start", "rain@2", "--cohort", "plains", "--where", roof, *WHY)
    assert said.code == 0
    assert "http://127.0.0.1:" in said.out
    assert "fleetloop rollouts show rollout-1" in said.out
    assert hub.actions.asked == [("rollout", "rain", 2, "plains", roof)]
    (entry,) = hub.audit.entries()
    assert (entry.by, entry.reason, entry.details["where"]) == ("ann", "looked at it", roof)
    begun = run("rollouts", "start", "rain@2", "--json").out
    assert json.loads(begun) == {"rollout": "rollout-1"}


def test_what_names_no_version_is_refused_before_anything_is_asked(run: Run, hub: WebHub) -> None:
    for which in ("rain", "rain@", "@2", "rain@newest"):
        for command in ("start", "plan"):
            assert "write MODEL@VERSION" in a_refusal(run("rollouts", command, which))
    assert hub.actions.asked == []


def test_a_plan_shows_phases_devices_and_what_gives_way(run: Run, hub: WebHub) -> None:
    said = run("rollouts", "plan", "rain@2", "--cohort", "plains").out
    for words in ("25.0 %", "in 1 min", "s-1", "not asked", "barred", "rollout-0"):
        assert words in said.replace("in 60 s", "in 1 min")
    assert "Nothing was begun" in said
    assert hub.actions.asked == [("plan", "rain", 2, "plains")]


def test_what_a_person_does_reaches_the_rollout_with_name_and_reason(run: Run, hub: WebHub) -> None:
    events = {
        ("approve",): "approve",
        ("pause",): "pause",
        ("resume",): "resume",
        ("abort",): "abort",
        ("abort", "--keep"): "abort",
        ("abort", "--revert"): "withdraw",
    }
    for (command, *options), event in events.items():
        said = run("rollouts", command, "rollout-1", *options, *WHY)
        assert said.out == "rollout-1 is open: phase 1 of 2: 1 well\n"
        assert hub.actions.asked[-1] == (event, "rollout-1", f"{event} by ann: looked at it")


def test_without_a_reason_nothing_is_asked_and_a_refusal_is_the_hubs(run: Run, hub: WebHub) -> None:
    assert run("rollouts", "pause", "rollout-1").code == 2
    assert hub.actions.asked == []
    hub.actions.error = GateError("rollout rollout-1 is done: pause changes nothing there")
    assert "is done" in a_refusal(run("rollouts", "pause", "rollout-1", *WHY))
    assert "rollouts list" in a_refusal(run("rollouts", "show", "rain/../1"))


def test_show_tells_phases_devices_history_and_the_judgement_by_measure(
    run: Run, hub: WebHub
) -> None:
    measures = [
        compared("errors", "points", hardware="pi3"),
        compared("latency", "x", treated=12.0, control=11.0, high=2.5, limit=None),
        compared("restarts", "a day", treated=None, control=None, difference=None),
    ]
    judged = Judgement(finding=Finding.HARMFUL, text="it fails on pi3", comparisons=measures)
    passed = Passage(at=START, state=RolloutState.PAUSED, text="pause by ann: [no]")
    paused = replace(
        a_rollout(), state=RolloutState.PAUSED, phase=1, judgement=judged, history=[passed]
    )
    hub.catalog.put(replace(paused, decision="rain-0003"))
    said = run("rollouts", "show", "rollout-1").out
    assert "asked for by rain-0003: fleetloop why --decision rain-0003" in said
    for words in ("passed", "open since", "1 ok", "pause by ann: [no]", "it fails on pi3", "pi3"):
        assert words in said
    for figure in (
        "3.00 %",
        "+2.00 points",
        "1.20 to no end",
        "4.1 ms",
        "2.00 times",
        "only shown",
    ):
        assert figure in said
    assert "Next: fleetloop rollouts resume rollout-1" in said
    assert json.loads(run("rollouts", "show", "rollout-1", "--json").out)["phase"] == 1


def test_a_rollout_is_listed_and_shown_in_every_state(run: Run, hub: WebHub) -> None:
    for state in RolloutState:
        hub.catalog.put(a_rollout(state=state))
        assert str(state) in run("rollouts", "list").out
        assert f"rollout-1 is {state}" in run("rollouts", "show", "rollout-1").out


def test_where_there_is_nothing_the_next_command_is_said(run: Run, hub: WebHub) -> None:
    assert "fleetloop rollouts start" in run("rollouts", "list").out
    assert "fleetloop cohorts define" in run("cohorts", "list").out
    assert "Nothing is in quarantine" in run("quarantine", "list").out
    assert json.loads(run("quarantine", "list", "--json").out) == []
    assert hub.actions.asked == []


def test_parts_of_cohorts_get_names_and_lose_them(run: Run, hub: WebHub) -> None:
    said = run("cohorts", "define", "roofs", "--in", "plains", "--where", 'site = "roof"').out
    assert 'roofs is plains where site = "roof"' in said
    assert "devices keep what they have" in run("cohorts", "remove", "roofs", *WHY).out
    asked = [("define", "roofs", 'site = "roof"', "plains"), ("undefine", "roofs")]
    assert hub.actions.asked == asked
    hub.catalog.put(LabelCohort(key="roofs", home="plains", where='site in ["a"]'))
    assert 'site in ["a"]' in run("cohorts", "list").out


def test_a_quarantine_is_listed_with_its_reason_and_lifted_with_one(run: Run, hub: WebHub) -> None:
    hub.catalog.put(a_quarantine())
    said = run("quarantine", "list").out
    assert SHA[:12] in said
    assert "2 of 2 failed (rollout-1)" in said
    lifted = run("quarantine", "lift", SHA[:12], "pi4", *WHY)
    assert "rain@1 may be offered to pi4 again" in lifted.out
    assert hub.actions.asked == [("lift", f"{SHA[:12]}/pi4", "ann: looked at it")]
