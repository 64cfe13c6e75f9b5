"""Dropped requests and partial bundles: somebody lets through only what he likes."""

import msgspec
import pytest

from fleetloop_agent.update.acquire import IMAGE_WAIT_S
from fleetloop_agent.update.states import State
from fleetloop_firmware_sim.scenarios.repositories import payload
from fleetloop_shared.codec import decode_compressed
from fleetloop_shared.topics import Topic
from fleetloop_shared.trust import Bundle
from support.attacked import FIRST, IMAGE, OWN, Attacked, bent
from support.hubside import COHORT

NEXT = FIRST + 1


@pytest.fixture
def device() -> Attacked:
    return Attacked()


@pytest.mark.parametrize("part", ["timestamp", "snapshot", "targets"])
def test_a_bundle_of_which_a_part_is_missing(device: Attacked, part: str) -> None:
    good = device.hub.direct(device.statement(NEXT, device.two))
    device.attack(bent(good, **{part: ""}))
    assert device.refused()[-1].reason in {"mix-and-match", "undecodable"}
    device.unharmed(str(device.refused()[-1].reason))
    device.follows_its_own_director()


def test_a_bundle_without_the_statement_it_lists(device: Attacked) -> None:
    device.attack(bent(device.hub.direct(device.statement(NEXT, device.two)), files={}))
    device.unharmed("mix-and-match")
    device.follows_its_own_director()


def test_a_bundle_without_its_roots_is_checked_with_the_pinned_one(device: Attacked) -> None:
    good = decode_compressed(device.hub.direct(device.statement(NEXT, device.one)), Bundle)
    device.attack(payload(msgspec.structs.replace(good, roots=[])))
    assert device.refused() == []
    assert device.rig.agent.updater.journal.desired == device.statement(NEXT, device.one)


def test_the_list_that_a_statement_needs_is_held_back(device: Attacked) -> None:
    device.bring(device.two)
    device.attack(device.hub.direct(device.statement(NEXT, device.two)))
    assert device.rig.agent.updater.journal.state is State.PLANNED
    device.rig.run(IMAGE_WAIT_S + 5)
    assert device.refused()[-1].reason == "arbitrary-software"
    assert device.serves() == 1
    device.link.keep(IMAGE, device.hub.listing([device.one, device.two], NEXT))
    device.rig.run(5)
    assert device.serves() == 2


def test_retained_words_that_are_cleared_take_nothing_back(device: Attacked) -> None:
    for topic in (OWN, IMAGE):
        device.link.retained.pop(topic)
        device.link.deliver(topic, b"")
    device.rig.run(5)
    assert device.refused() == []
    assert device.files() == device.before
    device.follows_its_own_director()


def test_reports_that_are_swallowed_are_sent_until_the_hub_has_them(device: Attacked) -> None:
    device.attack(b"junk", Topic.DIRECTOR.at(cohort=COHORT))
    topic = Topic.EVENTS.at(device="station-1")
    device.rig.run(30)
    sent = [message for message in device.link.sent(topic) if b"undecodable" in message]
    assert len(sent) > 3
    assert len(set(sent)) == 1
