"""The hub on a broker that keeps nothing: it says again what must last, and answers each device."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetloop_firmware_sim.network import SimLink
from fleetloop_shared.codec import decode
from fleetloop_shared.link import Received
from fleetloop_shared.messages import ChunkRequest, DeviceState, HubState
from fleetloop_shared.topics import Topic
from support.hubparts import make_version
from support.hubrig import HubRig, hub_rig
from support.learnable import SPEC

DIRECTOR = Topic.DIRECTOR.at(cohort="stations")


class Eavesdropper:
    """Hears what the hub says while it listens."""

    def __init__(self, rig: HubRig) -> None:
        self._link = SimLink(rig.broker, "eavesdropper")
        self._link.start(None)
        self._link.subscribe("fleetloop/#")
        self._link.events()

    def heard(self) -> list[Received]:
        found = [event for event in self._link.events() if isinstance(event, Received)]
        return [event for event in found if "/up/" not in event.topic]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[HubRig]:
    with hub_rig(tmp_path) as made:
        made.accounts.keeps = False
        made.restarted()
        made.add_model(SPEC.replace('"toy"', '"rain"'), "rain")
        make_version(made.kept, 1)
        yield made


def birth(conn: int) -> DeviceState:
    return DeviceState(online=True, boot=1, conn=conn, agent="0.1.0", hardware="x")


def test_nothing_is_said_with_the_retain_flag(rig: HubRig) -> None:
    rig.device("station-1")
    rig.look()
    rig.hub.roll_out("rain", 1, "stations")
    rig.look()
    assert {topic for topic in rig.broker.retained() if "/up/" not in topic} == set()


def test_a_device_that_comes_is_told_all_that_lasts_and_is_answered_alone(rig: HubRig) -> None:
    rig.look()
    rig.device("station-1")
    rig.hub.roll_out("rain", 1, "stations")
    rig.look()
    ears = Eavesdropper(rig)
    rig.say("station-1", Topic.STATE, birth(conn=2))
    rig.hub.step()
    said = ears.heard()
    assert {message.topic for message in said} == {Topic.HUB.at(), Topic.IMAGE.at(), DIRECTOR}
    (hub,) = [decode(m.payload, HubState) for m in said if m.topic == Topic.HUB.at()]
    assert (hub.online, hub.retains) == (True, False)
    sha256 = str(make_version(rig.kept, 1).manifest)
    rig.say("station-1", Topic.GET, ChunkRequest(sha256=sha256, missing=[0]))
    rig.hub.step()
    (answer,) = ears.heard()
    assert answer.topic == Topic.CHUNK.at(device="station-1", sha256=sha256, index=0)
    assert answer.payload == rig.kept.blobs.get(sha256)


def test_devices_that_come_together_are_told_once_and_strangers_nothing(rig: HubRig) -> None:
    rig.look()
    for number in range(5):
        rig.device(f"station-{number}")
    rig.hub.roll_out("rain", 1, "stations")
    rig.look()
    ears = Eavesdropper(rig)
    for number in range(5):
        rig.say(f"station-{number}", Topic.STATE, birth(conn=2))
    rig.hub.step()
    assert sorted(message.topic for message in ears.heard()) == sorted(
        [Topic.HUB.at(), Topic.IMAGE.at(), DIRECTOR]
    )
    rig.say("stranger", Topic.STATE, birth(conn=1))
    rig.say(
        "station-1",
        Topic.STATE,
        DeviceState(online=False, boot=1, conn=2, agent="0.1.0", hardware="x"),
    )
    rig.hub.step()
    assert ears.heard() == []
