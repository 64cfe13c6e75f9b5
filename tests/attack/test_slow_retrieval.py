"""Slow retrieval: content is kept from coming, so that a device does not get its update."""

import pytest

from fleetloop_agent.update.states import State
from fleetloop_shared.topics import Topic
from support.attacked import FIRST, IMAGE, OWN, Attacked

NEXT = FIRST + 1


@pytest.fixture
def device() -> Attacked:
    """Has been told of version 2, of which nothing is on the broker."""
    made = Attacked()
    made.link.keep(IMAGE, made.hub.listing([made.one, made.two], NEXT))
    made.attack(made.hub.direct(made.statement(NEXT, made.two)))
    made.remember()
    return made


def requests(device: Attacked) -> int:
    return len(device.link.sent(Topic.GET.at(device="station-1")))


def test_a_manifest_that_is_kept_back_is_told_and_asked_for_ever_more_slowly(
    device: Attacked,
) -> None:
    device.rig.run(400)
    assert device.rig.agent.updater.journal.state is State.PLANNED
    assert [event.reason for event in device.refused()] == ["slow-retrieval"]
    assert device.two.release.manifest_sha256[:12] in device.refused()[0].text
    assert device.serves() == 1
    assert requests(device) < 10
    assert device.files() == device.before
    device.bring(device.two)
    device.rig.run(300)
    assert device.serves() == 2, "what was slow is taken all the same"


def test_chunks_that_are_cleared_as_soon_as_they_are_there(device: Attacked) -> None:
    topics = [t for t in device.two.blobs if device.two.release.manifest_sha256 not in t]
    device.link.keep(
        Topic.BLOB.at(sha256=device.two.release.manifest_sha256, index=0), device.two.document
    )
    for _ in range(400):
        for topic in topics:
            device.link.keep(topic, b"")
        device.rig.run(1)
    assert device.rig.agent.updater.journal.state is State.FETCHING
    assert [e.reason for e in device.refused()] == ["slow-retrieval"]
    assert device.serves() == 1
    device.bring(device.two)
    device.rig.run(300)
    assert device.serves() == 2


def test_who_keeps_content_back_does_not_keep_a_newer_statement_back(device: Attacked) -> None:
    device.rig.run(200)
    three = device.hub.ship(3)
    device.bring(three)
    device.link.keep(IMAGE, device.hub.listing([device.one, device.two, three], NEXT + 1))
    device.link.keep(OWN, device.hub.direct(device.statement(NEXT + 1, three)))
    device.rig.run(5)
    assert device.serves() == 3
