"""What the hub tells its fleet: enrolment, signed statements, chunks on the broker."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from fleetloop_agent.trust.belief import listed
from fleetloop_hub.delivery.director import Director
from fleetloop_hub.delivery.enrolment import HUB, Enrolment
from fleetloop_hub.delivery.listing import Image
from fleetloop_hub.delivery.meaning import Turn
from fleetloop_hub.delivery.rollout_states import Effect
from fleetloop_hub.errors import EnrolError
from fleetloop_hub.fleet_records import Rollout, RolloutState
from fleetloop_hub.records import Model, VersionState
from fleetloop_hub.spec.data_tables import (
    FeatureTable,
    LabelTable,
    ModelTable,
    RowsTable,
    SourceTable,
)
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.spec.rollout_table import RolloutTable
from fleetloop_hub.spec.training_tables import CandidateTable
from fleetloop_shared.errors import SignatureError
from fleetloop_shared.messages import DesiredState, EnrolRequest
from fleetloop_shared.topics import Topic
from fleetloop_shared.trust import fingerprint, manifest_target
from support.bundles import NOW, desired_in, device_of
from support.hubparts import Parts, RememberedAccounts, make_version, parts

SPEC = ModelSpec(
    model=ModelTable(name="rain"),
    sources=[SourceTable(csv="rain.csv")],
    rows=RowsTable(time="day"),
    label=LabelTable(column="rain"),
    features=[FeatureTable(name="t")],
    candidates=[CandidateTable(name="lr", family="linear")],
)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Parts]:
    with parts(tmp_path) as made:
        yield made


# --- enrolment -----------------------------------------------------------------------------------


@pytest.fixture
def enrolment(kept: Parts) -> tuple[Enrolment, RememberedAccounts]:
    broker = RememberedAccounts()
    return Enrolment(kept.catalog, broker, kept.trust, "secret"), broker


def ask(token: str, device: str = "station-1") -> EnrolRequest:
    return EnrolRequest(
        token=token.rpartition(".")[0], device=device, hardware="x86-64", agent="0.1.0"
    )


def test_a_token_admits_one_device_and_pins_the_hub_s_roots(
    enrolment: tuple[Enrolment, RememberedAccounts],
) -> None:
    desk, broker = enrolment
    token = desk.token("stations", now=0.0, expires_s=60.0)
    answer = desk.enrol(ask(token), now=1.0)
    assert answer.cohort == "stations"
    assert fingerprint(answer.image_root, answer.director_root) == token.rpartition(".")[2]
    assert [a.username for a in broker.accounts] == [HUB, "station-1"]
    assert broker.accounts[1].password == answer.password


def test_a_lost_answer_may_be_asked_for_again(
    enrolment: tuple[Enrolment, RememberedAccounts],
) -> None:
    desk, _ = enrolment
    token = desk.token("stations", now=0.0, expires_s=60.0)
    assert desk.enrol(ask(token), now=1.0) == desk.enrol(ask(token), now=2.0)


@pytest.mark.parametrize(
    ("device", "now", "words"),
    [
        ("station-2", 1.0, "used"),
        ("station-1", 1e9, "expired"),
        ("../etc", 1.0, "characters"),
        (HUB, 1.0, "may be called"),
    ],
)
def test_a_token_is_refused_with_the_reason(
    enrolment: tuple[Enrolment, RememberedAccounts], device: str, now: float, words: str
) -> None:
    desk, broker = enrolment
    token = desk.token("stations", now=0.0, expires_s=60.0)
    desk.enrol(ask(token), now=1.0)
    before = list(broker.accounts)
    with pytest.raises(EnrolError, match=words):
        desk.enrol(ask(token, device), now)
    assert broker.accounts == before


def test_an_invented_token_is_refused(enrolment: tuple[Enrolment, RememberedAccounts]) -> None:
    with pytest.raises(EnrolError, match="unknown"):
        enrolment[0].enrol(ask("invented.0000"), now=1.0)


def test_a_fresh_token_does_not_give_away_another_device_s_account(
    enrolment: tuple[Enrolment, RememberedAccounts],
) -> None:
    desk, _ = enrolment
    desk.enrol(ask(desk.token("stations", now=0.0, expires_s=60.0)), now=1.0)
    thief = desk.token("stations", now=0.0, expires_s=60.0)
    with pytest.raises(EnrolError, match="already"):
        desk.enrol(ask(thief), now=1.0)


# --- director ------------------------------------------------------------------------------------


def make_rollout(
    state: RolloutState = RolloutState.OPEN, control: int | None = 1, *, timed: bool = False
) -> Rollout:
    return Rollout(
        key="rain-2-stations-1",
        model="rain",
        version=2,
        control=control,
        cohort="stations",
        salt="s",
        phases=[0.25, 1.0],
        phase=0,
        bucket=2_500,
        deadline=NOW + 48 * 3600 if timed else None,
        state=state,
        phase_since=NOW,
        started_at=NOW,
    )


OPENED = Turn(make_rollout(), Effect.OPEN)
GONE_BACK = Turn(make_rollout(RolloutState.HALTING), Effect.REVERT)
GONE_BACK_TO_NOTHING = Turn(make_rollout(RolloutState.HALTING, None), Effect.REVERT)


def said(kept: Parts, payload: bytes) -> DesiredState:
    return desired_in(kept.trust, "stations", payload)


@pytest.fixture
def director(kept: Parts) -> Director:
    kept.catalog.put(Model(key="rain", spec="", floor=3, added_at=0.0))
    make_version(kept, 1)
    make_version(kept, 2)
    return Director(kept.catalog, kept.blobs, kept.trust)


def test_a_statement_gives_the_canary_the_release_and_the_others_the_control(
    kept: Parts, director: Director
) -> None:
    statement = director.state(OPENED, SPEC, now=NOW)
    desired = said(kept, statement.payload)
    assert statement.topic == Topic.DIRECTOR.at(cohort="stations")
    assert (desired.phase, desired.release.version) == (2_500, 2)
    assert desired.control is not None
    assert desired.control.version == 1
    assert (desired.floor, desired.sequence) == (3, 1)


def test_a_phase_says_when_devices_begin_and_by_when_and_a_way_back_is_at_once(
    kept: Parts, director: Director
) -> None:
    policy = RolloutTable(start_after_h=2.0, spread_s=900.0, deadline_h=48.0)
    spec = msgspec.structs.replace(SPEC, rollout=policy)
    opened = Turn(make_rollout(timed=True), Effect.OPEN)
    desired = said(kept, director.state(opened, spec, now=NOW).payload)
    times = (desired.start_not_before, desired.spread_s, desired.deadline)
    assert times == (NOW + 2 * 3600, 900.0, NOW + 48 * 3600)
    back = said(kept, director.state(GONE_BACK, spec, now=NOW).payload)
    assert (back.start_not_before, back.spread_s, back.deadline) == (0.0, 0.0, None)


def test_without_times_in_the_spec_devices_begin_at_once(kept: Parts, director: Director) -> None:
    desired = said(kept, director.state(OPENED, SPEC, now=NOW).payload)
    assert (desired.start_not_before, desired.spread_s, desired.deadline) == (0.0, 0.0, None)


def test_a_reverted_rollout_is_a_new_statement_that_names_the_old_version(
    kept: Parts, director: Director
) -> None:
    director.state(OPENED, SPEC, now=NOW)
    payload = director.state(GONE_BACK, SPEC, now=NOW).payload
    desired = said(kept, payload)
    assert (desired.release.version, desired.phase, desired.sequence) == (1, 10_000, 2)


def test_a_reverted_first_rollout_gives_nobody_anything(kept: Parts, director: Director) -> None:
    payload = director.state(GONE_BACK_TO_NOTHING, SPEC, now=NOW).payload
    assert said(kept, payload).phase == 0


def test_statements_are_numbered_on_after_a_restart(kept: Parts, director: Director) -> None:
    first = director.state(OPENED, SPEC, now=NOW)
    again = Director(kept.catalog, kept.blobs, kept.trust)
    assert again.standing() == [first]
    assert said(kept, again.state(OPENED, SPEC, now=NOW).payload).sequence == 2
    assert [v.number for v in again.live()] == [2, 1]


def test_the_image_repository_cannot_say_what_to_run(kept: Parts) -> None:
    with pytest.raises(SignatureError):
        desired_in(kept.trust, "stations", kept.trust.image_bundle())


# --- what exists ---------------------------------------------------------------------------------


def test_what_may_go_to_devices_is_listed_and_signed_anew_only_when_it_changes(
    kept: Parts,
) -> None:
    image = Image(kept.catalog, kept.blobs, kept.trust)
    version = make_version(kept, 1)
    first = image.statement(NOW)
    assert image.statement(NOW + 9.0) == first
    device = device_of(kept.trust, "stations")
    assert device.take_image(first.payload)
    kept.catalog.put(msgspec.structs.replace(version, state=VersionState.ARCHIVED))
    again = Image(kept.catalog, kept.blobs, kept.trust).statement(NOW + 9.0)
    assert device.take_image(again.payload)
    assert listed(device.image, manifest_target("rain", 1)) is None
