"""Rollouts at a hub whose devices are words: places, persons, quarantine, and who gives way."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from fleetloop_hub.delivery.rollout_states import Event
from fleetloop_hub.errors import AbsentError, GateError
from fleetloop_hub.fleet_records import Cohort, Device, Quarantine, Rollout, RolloutState
from fleetloop_hub.judgement_records import Finding, Judgement
from fleetloop_hub.records import Model, Version, VersionState
from fleetloop_hub.web.rollout_actions import Wanted
from fleetloop_shared.codec import decode, decode_compressed
from fleetloop_shared.membership import assigned, in_wave
from fleetloop_shared.messages import DesiredState, DeviceState
from fleetloop_shared.topics import Topic
from fleetloop_shared.trust import Bundle, desired_target
from support.hubparts import make_version
from support.hubrig import HubRig, hub_rig
from support.learnable import SPEC

LABELS = {
    "s-1": ("pi3", "roof"),
    "s-2": ("pi3", "yard"),
    "s-3": ("pi4", "roof"),
    "s-4": ("pi4", "yard"),
}
S = RolloutState
NOW = 2e9


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[HubRig]:
    with hub_rig(tmp_path) as made:
        yield made


@pytest.fixture
def fleet(rig: HubRig) -> HubRig:
    """Four devices of two hardware types, on roof and yard, that run version 1."""
    policy(rig)
    first = make_version(rig.kept, 1)
    for name, (hardware, site) in LABELS.items():
        rig.kept.catalog.put(
            Device(key=name, cohort="stations", hardware=hardware, password="p", enrolled_at=0.0)
        )
        born = DeviceState(
            online=True,
            boot=1,
            conn=1,
            agent="0.1.0",
            hardware=hardware,
            labels={"site": site},
        )
        rig.say(name, Topic.STATE, born)
    make_version(rig.kept, 2)
    make_version(rig.kept, 3)
    rig.look()
    rig.hub.roll_out("rain", 1, "stations")
    rig.look()
    takes(rig, first)
    assert last(rig).state is S.DONE
    return rig


def policy(rig: HubRig, more: str = "") -> None:
    rig.add_model(
        f"{SPEC.replace(chr(34) + 'toy' + chr(34), chr(34) + 'rain' + chr(34))}{more}", "rain"
    )


def last(rig: HubRig) -> Rollout:
    return rig.kept.catalog.all(Rollout)[-1]


def version(rig: HubRig, number: int) -> Version:
    found = rig.kept.catalog.find(Version, f"rain/{number}")
    assert found is not None
    return found


def start(rig: HubRig, number: int, where: str = "", cohort: str = "stations") -> Rollout:
    rig.hub.rollouts.start(
        Wanted(model="rain", version=number, cohort=cohort, where=where), rig.hub._now()
    )
    rig.look()
    return last(rig)


def said(rig: HubRig) -> DesiredState:
    """What the cohort is told, as it stands in the bundle; who signs it is tested elsewhere."""
    payload = rig.broker.retained()[Topic.DIRECTOR.at(cohort="stations")]
    text = decode_compressed(payload, Bundle).files[desired_target("stations")]
    return decode(text.encode(), DesiredState)


def wave(rig: HubRig) -> set[str]:
    desired = said(rig)
    return {
        name
        for name, (hardware, site) in LABELS.items()
        if in_wave(desired, name, hardware, {"site": site})
    }


def meant(rig: HubRig) -> dict[str, int | None]:
    """The version that the last statement means for each device."""
    found = {
        name: assigned(said(rig), name, hardware, {"site": site})
        for name, (hardware, site) in LABELS.items()
    }
    return {name: None if release is None else release.version for name, release in found.items()}


def takes(rig: HubRig, taken: Version) -> None:
    """Everybody does as they are told, until nobody is told anything new."""
    for _ in range(4):
        for name in wave(rig):
            rig.serves(name, taken)
        rig.look()
        if not last(rig).under_way:
            return


def person(rig: HubRig, event: Event) -> Rollout:
    return rig.hub.rollouts.happen(last(rig).key, event, f"{event} by ann: a test", rig.hub._now())


# --- where ----------------------------------------------------------------------------------------


def test_nobody_gets_a_version_that_the_label_query_is_not_about(fleet: HubRig) -> None:
    start(fleet, 2, 'site = "roof"')
    takes(fleet, version(fleet, 2))
    assert last(fleet).state is S.DONE
    assert meant(fleet) == {"s-1": 2, "s-3": 2, "s-2": 1, "s-4": 1}


def test_two_parts_of_a_cohort_keep_what_each_has(fleet: HubRig) -> None:
    start(fleet, 2, 'site = "roof"')
    takes(fleet, version(fleet, 2))
    fleet.hub.rollouts.define("yards", 'site = "yard"', "stations")
    rollout = start(fleet, 3, cohort="yards")
    assert (rollout.cohort, rollout.place, rollout.control) == ("stations", "yards", 1)
    takes(fleet, version(fleet, 3))
    assert meant(fleet) == {"s-1": 2, "s-3": 2, "s-2": 3, "s-4": 3}
    start(fleet, 1)
    takes(fleet, version(fleet, 1))
    assert meant(fleet) == dict.fromkeys(LABELS, 1)


def test_a_place_where_nobody_is_and_a_query_that_is_none_are_refused(fleet: HubRig) -> None:
    before = fleet.kept.catalog.all(Rollout)
    for where, words in (
        ('site = "sea"', "no device of cohort stations matches"),
        ("site", "=, != or in after site"),
    ):
        with pytest.raises(GateError, match=words):
            start(fleet, 2, where)
    assert fleet.kept.catalog.all(Rollout) == before


def test_two_parts_at_once_are_refused_and_the_first_goes_on(fleet: HubRig) -> None:
    first = start(fleet, 2, 'site = "roof"')
    with pytest.raises(GateError, match=f"rollout {first.key} to .* is under way"):
        start(fleet, 3, 'site = "yard"')
    assert last(fleet) == first


def test_a_newer_rollout_to_the_same_place_takes_the_older_one_s_place_visibly(
    fleet: HubRig,
) -> None:
    older = start(fleet, 2)
    newer = start(fleet, 3)
    found = fleet.kept.catalog.find(Rollout, older.key)
    assert found is not None
    assert (found.state, found.text) == (S.SUPERSEDED, "superseded by rain/3")
    assert (newer.state, newer.control) == (S.OPEN, 1)
    assert 2 not in meant(fleet).values()


# --- what a person does ---------------------------------------------------------------------------


def test_nothing_is_said_to_devices_before_a_person_has_approved(fleet: HubRig) -> None:
    policy(fleet, "[rollout]\napproval = true\n")
    sequence = said(fleet).sequence
    assert start(fleet, 2).state is S.WAITING
    fleet.look()
    assert said(fleet).sequence == sequence
    approved = person(fleet, Event.APPROVE)
    assert approved.approval == "approve by ann: a test"
    fleet.look()
    assert last(fleet).state is S.OPEN
    with pytest.raises(GateError, match="is open: approve changes nothing"):
        person(fleet, Event.APPROVE)


def test_a_paused_rollout_does_not_move_and_goes_on_where_it_was(fleet: HubRig) -> None:
    policy(fleet, '[rollout]\nphases = ["2 devices", 1.0]\n')
    start(fleet, 2)
    paused = person(fleet, Event.PAUSE)
    fleet.look()
    told = said(fleet)
    assert told.deadline == told.issued_at, "nobody begins any more"
    for name in wave(fleet):
        fleet.serves(name, version(fleet, 2))
    fleet.look()
    assert last(fleet) == paused
    assert person(fleet, Event.RESUME).state is S.OPEN
    fleet.look()
    assert said(fleet).deadline is None
    takes(fleet, version(fleet, 2))
    assert last(fleet).state is S.DONE


@pytest.mark.parametrize("event", [Event.ABORT, Event.WITHDRAW])
def test_an_aborted_rollout_keeps_or_takes_back_what_it_gave(fleet: HubRig, event: Event) -> None:
    start(fleet, 2)
    assert person(fleet, event).state is S.ABORTED
    fleet.look()
    told, versions = said(fleet), set(meant(fleet).values())
    assert (told.deadline == told.issued_at) is (event is Event.ABORT)
    assert versions == ({1, 2} if event is Event.ABORT else {1})
    assert version(fleet, 2).state is VersionState.READY, "nothing speaks against it"


# --- harm -----------------------------------------------------------------------------------------


def judged(rig: HubRig, *hardware: str) -> None:
    harm = Judgement(
        finding=Finding.HARMFUL,
        text="latency 2.1 x the control's",
        comparisons=[],
        hardware=list(hardware),
    )
    rig.hub._releasing._rollouts._sights._judge = lambda *_: harm


def test_what_does_harm_is_taken_back_and_never_offered_to_that_hardware_again(
    fleet: HubRig,
) -> None:
    start(fleet, 2)
    (canary,) = wave(fleet)
    fleet.serves(canary, version(fleet, 2))
    judged(fleet, "pi3")
    fleet.look()
    assert last(fleet).state is S.HALTING
    assert meant(fleet) == dict.fromkeys(LABELS, 1)
    fleet.look()
    assert last(fleet).state is S.HALTING, "the canary still has it"
    fleet.serves(canary, version(fleet, 1))
    fleet.look()
    assert last(fleet).state is S.REVERTED
    assert version(fleet, 2).state is VersionState.REVERTED
    (quarantine,) = fleet.kept.catalog.all(Quarantine)
    assert (quarantine.hardware, quarantine.version) == ("pi3", 2)
    assert said(fleet).quarantined == {"pi3": [version(fleet, 2).manifest]}


def test_harm_on_one_type_may_leave_it_out_and_go_on_with_the_others(fleet: HubRig) -> None:
    policy(fleet, '[rollout]\nphases = ["2 devices", 1.0]\non_harm = "exclude"\n')
    start(fleet, 2)
    for name in wave(fleet):
        fleet.serves(name, version(fleet, 2))
    judged(fleet, "pi3")
    fleet.look()
    fleet.hub._releasing._rollouts._sights._judge = lambda *_: None
    assert meant(fleet)["s-1"] == meant(fleet)["s-2"] == 1
    assert 2 in {meant(fleet)["s-3"], meant(fleet)["s-4"]}
    assert "on without pi3" in last(fleet).history[-1].text
    takes(fleet, version(fleet, 2))
    assert last(fleet).state is S.DONE
    assert meant(fleet) == {"s-1": 1, "s-2": 1, "s-3": 2, "s-4": 2}


def bar(rig: HubRig, hardware: str) -> str:
    artifact = version(rig, 2).artifact
    rig.kept.catalog.put(
        Quarantine(
            key=f"{artifact}/{hardware}",
            model="rain",
            version=2,
            artifact=artifact,
            hardware=hardware,
            reason="it is slow there",
            rollout="elsewhere",
            at=1.0,
        )
    )
    return f"{artifact[:12]}/{hardware}"


def test_a_quarantine_reaches_cohorts_that_have_the_version_already(fleet: HubRig) -> None:
    start(fleet, 2)
    takes(fleet, version(fleet, 2))
    key = bar(fleet, "pi3")
    fleet.look()
    assert meant(fleet) == {"s-1": 1, "s-2": 1, "s-3": 2, "s-4": 2}
    fleet.hub.rollouts.lift(key, "ann: the driver was mended", fleet.hub._now())
    fleet.look()
    assert meant(fleet) == dict.fromkeys(LABELS, 2)
    with pytest.raises(AbsentError, match="no quarantine that stands"):
        fleet.hub.rollouts.lift(key, "ann: again", fleet.hub._now())


def test_what_is_barred_from_everybody_there_is_not_rolled_out(fleet: HubRig) -> None:
    bar(fleet, "pi3")
    with pytest.raises(GateError, match=r"in quarantine on pi3 \(it is slow there\)"):
        start(fleet, 2, 'hardware = "pi3"')
    plan = fleet.hub.rollouts.plan(
        Wanted(model="rain", version=2, cohort="stations"), fleet.hub._now()
    )
    notes = {d.device: (d.phase, d.note) for d in plan.devices}
    assert notes["s-1"] == (0, "in quarantine on pi3: it is slow there")
    assert sorted(phase for phase, _ in notes.values()) == [0, 0, 1, 2]


def test_a_plan_foretells_the_canary_and_changes_nothing(fleet: HubRig) -> None:
    before = fleet.kept.catalog.everything()
    asked = Wanted(model="rain", version=2, cohort="stations")
    plan = fleet.hub.rollouts.plan(asked, fleet.hub._now())
    assert fleet.kept.catalog.everything() == before
    assert [(p.number, p.devices) for p in plan.phases] == [(1, 1), (2, 4)]
    start(fleet, 2)
    assert wave(fleet) == {d.device for d in plan.devices if d.phase == 1}


def test_no_more_devices_are_on_their_way_than_may_be(fleet: HubRig) -> None:
    policy(fleet, "[rollout]\nphases = [1.0]\nat_once = 1\n")
    start(fleet, 2)
    taken = set[str]()
    for _ in LABELS:
        coming = wave(fleet) - taken
        assert len(coming) == 1
        fleet.look()
        assert wave(fleet) - taken == coming
        fleet.serves(next(iter(coming)), version(fleet, 2))
        taken |= coming
        fleet.look()
    assert last(fleet).state is S.DONE


def test_a_hub_that_restarts_anywhere_goes_on_as_if_nothing_had_happened(fleet: HubRig) -> None:
    start(fleet, 2)
    for _ in range(4):
        fleet.look()
        before, told = last(fleet), said(fleet)
        fleet.restarted()
        fleet.look()
        assert (last(fleet), said(fleet).sequence) == (before, told.sequence)
        for name in wave(fleet):
            fleet.serves(name, version(fleet, 2))
        fleet.look()
    assert last(fleet).state is S.DONE
    cohort = fleet.kept.catalog.find(Cohort, "stations")
    assert cohort is not None
    assert (cohort.base, cohort.previous) == ("rain/2", "rain/1")
    model = fleet.kept.catalog.find(Model, "rain")
    assert model is not None
    fleet.kept.catalog.put(replace(model))
