"""What a sender can make a device hold or say: floods, endless packets, a forgetful broker."""

import pytest

from fleetloop_agent.update.parts import PARTS
from fleetloop_agent.update.states import State
from fleetloop_firmware_sim.flash import Flash
from fleetloop_shared.codec import decode, encode
from fleetloop_shared.link import Oversized, Received
from fleetloop_shared.messages import ChunkRequest, HubState
from fleetloop_shared.reports import EventKind
from fleetloop_shared.topics import Topic, parse
from support.agent_board import Bench
from support.agent_rig import DEVICE, AgentRig
from support.hubside import Hubside

HUB = Hubside()
ONE = HUB.ship(1)


@pytest.fixture
def rig() -> AgentRig:
    rig = AgentRig(HUB, Bench(Flash()))
    rig.bench.link.connect()
    return rig


def statement_only(rig: AgentRig) -> None:
    """Have the device want a release of which nothing is at the broker."""
    rig.direct(ONE, 1)
    for topic in ONE.blobs:
        del rig.bench.link.retained[topic]


def state(rig: AgentRig) -> State:
    return rig.agent.updater.journal.state


def refused(rig: AgentRig) -> dict[str, int]:
    return dict(rig.agent.updater.refusals.counts)


def test_endless_data_a_packet_longer_than_any_of_ours_is_counted_and_said_once(
    rig: AgentRig,
) -> None:
    for _ in range(5):
        rig.bench.link.inject(Oversized(200_000_000, 1_048_576))
    rig.run(1)
    assert refused(rig) == {"endless-data": 5}
    (said,) = rig.events(EventKind.REFUSED)
    assert "200,000,000 bytes" in said.text


def test_endless_data_many_different_bad_chunks_fill_neither_disk_nor_outbox(
    rig: AgentRig,
) -> None:
    statement_only(rig)
    rig.run(1)
    assert state(rig) is State.PLANNED
    sha256 = ONE.release.manifest_sha256
    before = rig.bench.disk.free_bytes()
    for number in range(3_000):
        bad = number.to_bytes(4, "big") * 50_000 if number % 2 else number.to_bytes(4, "big")
        topic = Topic.BLOB.at(sha256=sha256, index=number)
        rig.bench.link.inject(Received(topic, bad, retained=False))
    rig.run(1)
    assert refused(rig) == {"corrupt-chunk": 2_999 + 1}
    assert len(rig.events(EventKind.REFUSED)) == 1, "one for the blob, not one for each"
    assert before - rig.bench.disk.free_bytes() < 10_000
    rig.direct(ONE, 1)
    rig.run(30)
    assert state(rig) is State.TRIAL, "and the good ones still get in"


def test_endless_data_a_manifest_longer_than_signed_is_refused_by_name(rig: AgentRig) -> None:
    statement_only(rig)
    rig.run(1)
    topic = Topic.BLOB.at(sha256=ONE.release.manifest_sha256, index=0)
    rig.bench.link.inject(Received(topic, bytes(900_000), retained=False))
    rig.run(1)
    assert refused(rig) == {"endless-data": 1}
    assert rig.bench.disk.names(PARTS) == []


def test_slow_retrieval_content_held_back_is_reported_and_asked_for_on(rig: AgentRig) -> None:
    statement_only(rig)
    rig.run(300)
    assert refused(rig) == {"slow-retrieval": 1}
    (said,) = rig.events(EventKind.REFUSED)
    assert "slow-retrieval" in said.text
    asked = len(rig.bench.link.sent(Topic.GET.at(device=DEVICE)))
    rig.run(200)
    assert len(rig.bench.link.sent(Topic.GET.at(device=DEVICE))) > asked
    assert len(rig.events(EventKind.REFUSED)) == 1


def test_chunks_on_another_device_s_topic_are_not_for_us(rig: AgentRig) -> None:
    statement_only(rig)
    rig.run(1)
    other = Topic.CHUNK.at(device="station-2", sha256=ONE.release.manifest_sha256, index=0)
    rig.bench.link.inject(Received(other, next(iter(ONE.blobs.values())), retained=False))
    rig.run(1)
    assert refused(rig) == {"foreign": 1}


class DirectHub:
    """Answers devices on their own topics, as a hub does whose broker keeps nothing."""

    def __init__(self, rig: AgentRig) -> None:
        self._rig, self._read, self.asked = rig, 0, 0

    def answer(self) -> None:
        link = self._rig.bench.link
        sent = link.sent(Topic.GET.at(device=DEVICE))
        for payload in sent[self._read :]:
            request = decode(payload, ChunkRequest)
            for index in request.missing:
                self.asked += 1
                chunk = ONE.blobs[Topic.BLOB.at(sha256=request.sha256, index=index)]
                topic = Topic.CHUNK.at(device=DEVICE, sha256=request.sha256, index=index)
                link.inject(Received(topic, chunk, retained=False))
        self._read = len(sent)


def test_where_the_broker_keeps_nothing_a_release_comes_in_without_a_stall(rig: AgentRig) -> None:
    link, hub = rig.bench.link, DirectHub(rig)
    rig.run(0.2)
    link.deliver(Topic.HUB.at(), encode(HubState(online=True, at=5.0, retains=False)))
    statement_only(rig)
    began = rig.bench.clock.at
    while state(rig) is not State.TRIAL:
        rig.run(0.1)
        hub.answer()
        assert rig.bench.clock.at - began < 3.0
    assert hub.asked == len(ONE.blobs), "each chunk was asked for once"
    assert not [f for f in link.subscribed if (a := parse(f)) and a.topic is Topic.BLOB]


def test_where_the_broker_keeps_nothing_a_new_hub_is_told_again_what_lasts_once(
    rig: AgentRig,
) -> None:
    rig.run(1)
    births = len(rig.bench.link.sent(Topic.STATE.at(device=DEVICE)))
    for _ in range(3):
        state = HubState(online=True, at=5.0, retains=False)
        rig.bench.link.deliver(Topic.HUB.at(), encode(state))
        rig.run(1)
    assert len(rig.bench.link.sent(Topic.STATE.at(device=DEVICE))) == births + 1
    rig.bench.link.deliver(Topic.HUB.at(), encode(HubState(online=True, at=6.0)))
    rig.run(1)
    assert len(rig.bench.link.sent(Topic.STATE.at(device=DEVICE))) == births + 1
