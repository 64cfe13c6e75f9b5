"""Endless data: more bytes than were signed, metadata without an end, chains without an end."""

import tracemalloc
import zlib

import msgspec
import pytest

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


@pytest.mark.parametrize("topic", [OWN, IMAGE])
def test_a_message_that_grows_to_a_gigabyte(device: Attacked, topic: str) -> None:
    bomb = zlib.compress(bytes(2**27), 9) * 8
    assert len(bomb) < 1_100_000
    tracemalloc.start()
    device.attack(bomb, topic)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 20_000_000
    device.unharmed("endless-data", topic)
    device.follows_its_own_director()


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_metadata_longer_than_it_may_be(device: Attacked, role: str) -> None:
    good = device.hub.direct(device.statement(NEXT, device.two))
    text = str(getattr(decode_compressed(good, Bundle), role))
    device.attack(bent(good, **{role: text + " " * 700_000}))
    device.unharmed("endless-data")
    device.follows_its_own_director()


def test_a_chain_of_roots_that_leads_nowhere(device: Attacked) -> None:
    good = decode_compressed(device.hub.direct(device.statement(NEXT, device.two)), Bundle)
    endless = msgspec.structs.replace(good, roots=good.roots + good.roots * 250)
    device.attack(payload(endless))
    device.unharmed("rollback")
    device.follows_its_own_director()


def test_a_deep_chain_of_true_roots_is_followed_as_far_as_it_goes(device: Attacked) -> None:
    for _ in range(40):
        device.hub.director.rotate({}, device.hub.director.began)
    device.follows_its_own_director()
    assert device.refused() == []


def test_a_chunk_longer_than_it_is_signed(device: Attacked) -> None:
    device.link.keep(IMAGE, device.hub.listing([device.one, device.two], NEXT))
    device.link.keep(OWN, device.hub.direct(device.statement(NEXT, device.two)))
    sha256 = device.two.release.manifest_sha256
    where = Topic.BLOB.at(sha256=sha256, index=0)
    device.attack(device.two.document + bytes(800_000), where)
    assert device.rig.agent.updater.journal.state is State.PLANNED
    assert device.refused()[-1].reason == "endless-data"
    assert device.refused()[-1].topic == where
    assert sum(map(len, device.files().values())) < sum(map(len, device.before.values())) + 20_000
    assert device.serves() == 1
    device.bring(device.two)
    device.rig.run(8)
    assert device.serves() == 2


def test_reports_that_an_attacker_provokes_are_bounded(device: Attacked) -> None:
    for number in range(300):
        device.link.keep(Topic.DIRECTOR.at(cohort=COHORT), f"junk {number}".encode())
    device.rig.run(2)
    assert device.rig.reported.refusals == {"undecodable": 300}
    assert len(device.refused()) == 6
    device.unharmed("undecodable")
    device.follows_its_own_director()
