"""The whole hub: a version that does worse than its control is stopped; one gone back to rules."""

import math
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetloop_hub import relearning
from fleetloop_hub.decision_records import Decision
from fleetloop_hub.fleet_records import Quarantine, Rollout, RolloutState
from fleetloop_hub.judgement_records import Finding
from fleetloop_hub.records import Alias, Verdict, Version
from fleetloop_hub.retraining import advice
from fleetloop_hub.retraining.decide import decide
from fleetloop_hub.why import assembly
from fleetloop_shared import membership
from fleetloop_shared.topics import Topic
from support.hubparts import make_version
from support.hubrig import HubRig, hub_rig
from support.judged import report
from support.learnable import SPEC

WORSE = "labelled rows answered rightly: 10.00 %"
PATIENT = SPEC.replace('"toy"', '"rain"').replace("patience_s = 0.0", "patience_s = 300.0")
STATIONS = [f"station-{n}" for n in range(1, 7)]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[HubRig]:
    with hub_rig(tmp_path) as made:
        yield made


@pytest.fixture
def fleet(rig: HubRig) -> HubRig:
    """Six stations that run version 1, the champion."""
    rig.add_model(SPEC.replace('"toy"', '"rain"'), "rain")
    for station in STATIONS:
        rig.device(station)
    rig.look()
    take(rig, make_version(rig.kept, 1))
    return rig


def take(rig: HubRig, version: Version) -> None:
    """Every device takes a version as soon as it may."""
    rig.hub.roll_out(version.model, version.number, "stations")
    serve(rig, version)


def serve(rig: HubRig, version: Version) -> None:
    for _ in range(3):
        rig.look()
        for station in inside(rig, version):
            rig.serves(station, version)
    rig.look()
    assert last(rig).state is RolloutState.DONE, last(rig).text


def inside(rig: HubRig, version: Version) -> list[str]:
    """The stations that are told to run a version."""
    told = {s: membership.assigned(rig.desired(), s, "x", {}) for s in STATIONS}
    return [s for s, release in told.items() if release and release.version == version.number]


def last(rig: HubRig) -> Rollout:
    return rig.kept.catalog.all(Rollout)[-1]


def champion(rig: HubRig) -> int | None:
    found = rig.kept.catalog.find(Alias, "rain/champion")
    return None if found is None else found.version


def decision(rig: HubRig, key: str) -> Decision:
    found = rig.kept.catalog.find(Decision, key)
    assert found is not None
    return found


@pytest.mark.parametrize("restarted", [False, True], ids=["the same hub", "a restarted hub"])
def test_a_canary_with_many_wrong_answers_is_taken_back_and_barred(
    fleet: HubRig, *, restarted: bool
) -> None:
    second = make_version(fleet.kept, 2)
    fleet.hub.roll_out("rain", 2, "stations")
    fleet.look()
    canary, since = inside(fleet, second), time.time()
    assert 0 < len(canary) < len(STATIONS)
    for station in canary:
        fleet.serves(station, second)
    for station in STATIONS:
        wrong = station in canary
        for seq in range(1, 21):
            said = report(
                seq,
                device=station,
                version=2 if wrong else 1,
                at=since + seq,
                labels_correct=5 if wrong else 45,
            )
            fleet.say(station, Topic.HEALTH, said)
    if restarted:
        fleet.hub._due = math.inf  # it is killed after it has stored them, before it has looked
        fleet.hub.step()
        fleet.restarted()
    fleet.look()
    assert last(fleet).state is RolloutState.HALTING, last(fleet).text
    told = {s: membership.assigned(fleet.desired(), s, "x", {}) for s in STATIONS}
    assert {release.version for release in told.values() if release} == {1}
    assert inside(fleet, second) == []
    assert fleet.desired().quarantined == {"x": [second.manifest]}
    [barred] = fleet.kept.catalog.all(Quarantine)
    assert (barred.artifact, barred.hardware) == (second.artifact, "x")
    for station in canary:
        fleet.serves(station, first_of(fleet))
    fleet.look()
    ended = last(fleet)
    assert ended.state is RolloutState.REVERTED
    assert [p.state for p in ended.history][-3:] == ["open", "halting", "reverted"]
    assert ended.judgement is not None
    assert ended.judgement.finding is Finding.HARMFUL
    assert champion(fleet) == 1
    story = assembly.of_version(fleet.kept.catalog, second)
    assert WORSE in decision(fleet, second.decision).outcome
    assert any("was taken back" in s and WORSE in s for s in story.short)
    assert [n.text for n in story.happened if "is open" in n.text] == [
        f"{ended.key} is open: phase 1: the canary may take it"
    ]
    assert len([n for n in story.happened if WORSE in n.text]) == 1


def first_of(rig: HubRig) -> Version:
    found = rig.kept.catalog.find(Version, "rain/1")
    assert found is not None
    return found


def test_where_nothing_ran_before_a_version_waits_for_no_comparison(rig: HubRig) -> None:
    rig.add_model(PATIENT, "rain")
    for station in STATIONS:
        rig.device(station)
    rig.look()
    take(rig, make_version(rig.kept, 1))
    assert last(rig).judgement is None


def test_no_judgement_outlives_the_phase_that_had_a_control(fleet: HubRig) -> None:
    take(fleet, make_version(fleet.kept, 2))
    judgement = last(fleet).judgement
    assert judgement is not None
    assert judgement.finding is Finding.UNDECIDED
    assert fleet.hub._releasing._judging._books == {}


def go_back(champion: int) -> advice.Advice:
    kind = advice.Finding.BETTER_BEFORE
    reasons = ["version 1 is better on the same rows"]
    return advice.Advice(kind, Verdict.ROLL_BACK, "accuracy", reasons, [], {}, version=champion - 1)


def test_the_version_gone_back_to_is_champion_once_every_device_has_it(
    fleet: HubRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(fleet, make_version(fleet.kept, 2))
    assert champion(fleet) == 2
    monkeypatch.setattr(
        relearning,
        "decide",
        lambda *a, **k: go_back(2) if champion(fleet) == 2 else decide(*a, **k),
    )
    fleet.look()
    fleet.restarted()  # what was decided is not decided twice
    fleet.look()
    fleet.look()
    [back] = [d for d in fleet.kept.catalog.all(Decision) if d.verdict is Verdict.ROLL_BACK]
    assert (last(fleet).version, last(fleet).control, last(fleet).decision) == (1, 2, back.key)
    serve(fleet, first_of(fleet))
    assert len([r for r in fleet.kept.catalog.all(Rollout) if r.version == 1]) == 2
    assert champion(fleet) == 1
    previous = fleet.kept.catalog.find(Alias, "rain/previous")
    assert previous is not None
    assert previous.version == 2
    assert "version 1: phase 2 of 2" in decision(fleet, back.key).outcome
    story = assembly.of_decision(fleet.kept.catalog, decision(fleet, back.key))
    assert [r.key for r in story.rollouts] == [last(fleet).key]
    assert any("It came back to stations" in sentence for sentence in story.short)


def test_what_a_person_has_sent_on_its_way_the_hub_does_not_send_again(fleet: HubRig) -> None:
    second = make_version(fleet.kept, 2)
    fleet.hub._releasing.follow(second, second.decision)
    fleet.hub.roll_out("rain", 2, "stations")
    fleet.look()
    fleet.look()
    assert [r.version for r in fleet.kept.catalog.all(Rollout)] == [1, 2]


def test_what_may_not_go_back_out_is_noted_and_stops_nothing_else(fleet: HubRig) -> None:
    first, second = first_of(fleet), make_version(fleet.kept, 2)
    barred = Quarantine(
        key=f"{second.artifact}/x",
        model="rain",
        version=2,
        artifact=second.artifact,
        hardware="x",
        reason="it was wrong there",
        rollout="rain-2-stations-2",
        at=1.0,
    )
    fleet.kept.catalog.put(barred)
    third = make_version(fleet.kept, 3)
    for version in (second, third):
        fleet.hub._releasing.follow(version, version.decision)
    fleet.look()
    assert [r.version for r in fleet.kept.catalog.all(Rollout)] == [first.number, third.number]
    told = [note.text for note in decision(fleet, second.decision).followed]
    assert any("version 2: not rolled out to stations: rain@2 is in quarantine" in t for t in told)


def test_a_rollout_that_another_has_taken_the_place_of_is_noted_with_its_decision(
    fleet: HubRig,
) -> None:
    for number in (2, 3):
        make_version(fleet.kept, number)
        fleet.hub.roll_out("rain", number, "stations")
        fleet.look()
    fleet.look()
    _, given_way, open_ = fleet.kept.catalog.all(Rollout)
    assert given_way.noted is given_way.state is RolloutState.SUPERSEDED
    assert set(fleet.hub._releasing._judging._books) == {open_.key}
    told = [note.text for note in decision(fleet, "rain-0001").followed]
    assert "version 2: superseded by rain/3" in told
    assert champion(fleet) == 1
