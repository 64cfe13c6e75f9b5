"""Wrong device: what was signed for other hardware, another cohort or another device."""

import pytest

from fleetloop_shared.codec import encode
from fleetloop_shared.topics import Topic
from support.attacked import FIRST, Attacked, bent
from support.hubside import COHORT

NEXT = FIRST + 1


@pytest.fixture
def device() -> Attacked:
    return Attacked()


def test_another_cohort_s_newer_statement_is_refused_and_does_not_poison(device: Attacked) -> None:
    other = device.hub.direct(device.statement(NEXT + 50, device.two, cohort="hills"))
    device.attack(other)
    device.unharmed("wrong-cohort")
    device.send(device.two, NEXT)  # an older version than the other cohort's
    device.rig.run(4)
    assert device.serves() == 2


def test_another_cohort_s_statement_under_our_cohort_s_path(device: Attacked) -> None:
    other = device.hub.direct(device.statement(NEXT, device.two, cohort="hills"))
    text = device.statement(NEXT, device.two, cohort="hills")
    device.attack(bent(other, files={f"cohorts/{COHORT}.json": encode(text).decode()}))
    device.unharmed("wrong-cohort")
    device.follows_its_own_director()


def test_what_is_said_on_another_cohort_s_topic_is_not_for_us(device: Attacked) -> None:
    topic = Topic.DIRECTOR.at(cohort="hills")
    device.link.subscriptions.add(topic)  # a broker that sends what nobody asked for
    device.attack(device.hub.direct(device.statement(NEXT, device.two)), topic)
    device.unharmed("foreign", topic)
    device.follows_its_own_director()


def test_a_release_for_other_hardware(device: Attacked) -> None:
    other = device.hub.ship(3, hardware=["board-b"])
    device.send(other, NEXT)
    device.rig.run(4)
    journal = device.rig.agent.updater.journal
    device.unharmed(
        "wrong-hardware",
        None,
        wrote=["trust"],
        desired=device.statement(NEXT, other),
        declined=other.release.manifest_sha256,
        last_error=journal.last_error,
    )
    device.follows_its_own_director()


def test_another_device_s_acknowledgement_makes_no_report_forgotten(device: Attacked) -> None:
    topic = Topic.ACK.at(device="station-2")
    device.link.subscriptions.add(topic)
    waiting = len(device.rig.bench.outbox.records)
    device.attack(b'{"boot":1,"seqs":[1,2,3]}', topic)
    assert len(device.rig.bench.outbox.records) >= waiting
    device.unharmed("foreign", topic)
    device.follows_its_own_director()


def test_nobody_can_aim_at_one_device_of_a_cohort(device: Attacked) -> None:
    """Whom a phase covers is drawn from what is signed: a changed salt is not signed."""
    narrow = device.hub.direct(device.statement(NEXT, device.two, phase=0))
    text = encode(device.statement(NEXT, device.two, phase=10_000)).decode()
    device.attack(bent(narrow, files={f"cohorts/{COHORT}.json": text}))
    device.unharmed("mix-and-match")
    device.follows_its_own_director()
