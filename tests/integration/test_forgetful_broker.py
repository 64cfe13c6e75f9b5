"""A broker that keeps nothing: found out by trying, and models still reach every device."""

import time
from pathlib import Path

import msgspec
import numpy as np
import pytest

from fleetloop_agent.config import FetchConfig
from fleetloop_agent.update.parts import Part
from fleetloop_agent.update.window import Window
from fleetloop_firmware_sim.flash import Flash
from fleetloop_hub.broker.external import ExternalBroker
from fleetloop_hub.broker_port import Broker
from fleetloop_hub.delivery.seeding import Seeder, Uplink
from fleetloop_shared.chunks import pack
from fleetloop_shared.codec import decode
from fleetloop_shared.link import Received
from fleetloop_shared.messages import ChunkRequest
from fleetloop_shared.paho_link import PahoLink
from fleetloop_shared.topics import Topic, parse
from support.brokers import HUB, PATIENCE_S, STATION_1, STATION_2, Links
from support.forgetful_broker import ForgetfulBroker
from support.hubparts import make_version, parts

pytestmark = pytest.mark.integration


def as_external(host_and_port: str) -> ExternalBroker:
    return ExternalBroker(f"mqtt://{HUB.username}:{HUB.password}@{host_and_port}")


def test_a_broker_that_retains_is_found_to_and_nothing_is_left_of_the_trial(
    broker: Broker, links: Links
) -> None:
    external = as_external(broker.address.removeprefix("mqtt://"))
    external.start([])
    assert external.retains
    hub = links.to(broker, HUB)
    hub.link.subscribe(Topic.PROBE.at())
    assert hub.link.publish(Topic.PROBE.at(), b"end")
    hub.message(Topic.PROBE.at(), b"end")
    assert hub.payloads(Topic.PROBE.at()) == [b"end"]


@pytest.mark.parametrize("hangs_up", [False, True], ids=["drops the flag", "hangs up"])
def test_a_broker_that_does_not_is_found_not_to(
    broker: Broker, monkeypatch: pytest.MonkeyPatch, *, hangs_up: bool
) -> None:
    monkeypatch.setattr("fleetloop_hub.broker.probing._KEEP_S", 0.6)
    with ForgetfulBroker(broker.address, hangs_up=hangs_up) as forgetful:
        external = as_external(f"127.0.0.1:{forgetful.port}")
        external.start([])
        assert not external.retains


def test_models_reach_devices_through_a_broker_that_keeps_nothing(
    broker: Broker, links: Links, tmp_path: Path
) -> None:
    blob = np.random.default_rng(4).bytes(1_000_000)
    transport, encoded = pack(blob)
    with ForgetfulBroker(broker.address) as forgetful, parts(tmp_path) as kept:
        address = f"mqtt://127.0.0.1:{forgetful.port}"
        hub = links.add(PahoLink(address, "hub", HUB.username, HUB.password))
        hub.link.subscribe(Topic.GET.every())
        sent: list[str] = []

        def publish(topic: str, payload: bytes, retained: bool) -> bool:  # noqa: FBT001  # the port's order
            taken = hub.link.publish(topic, payload, retained=retained)
            sent.extend([topic] if taken else [])
            return taken

        uplink = Uplink(publish, lambda: hub.link.backlog_bytes, retains=False)
        seeder = Seeder(kept.catalog, kept.blobs, uplink)
        sha256 = kept.blobs.put(encoded)
        version = msgspec.structs.replace(make_version(kept, 1), transport=sha256)
        seeder.want([(version, transport.chunk_bytes)])
        devices = []
        for account in (STATION_1, STATION_2):
            link = links.add(
                PahoLink(address, account.username, account.username, account.password)
            ).link
            window = Window(account.username, link, FetchConfig(stall_s=0.5))
            window.answered_directly(direct=True)
            devices.append((link, window, window.open(Part(Flash(), transport))))
        deadline = time.monotonic() + PATIENCE_S
        while not all(download.done for _, _, download in devices):
            assert time.monotonic() < deadline
            for event in hub.link.events():
                if isinstance(event, Received) and (address_ := parse(event.topic)):
                    request = decode(event.payload, ChunkRequest)
                    assert seeder.answer(address_.names["device"], request, time.monotonic())
            seeder.pump(time.monotonic())
            for link, window, _ in devices:
                for event in link.events():
                    if isinstance(event, Received) and (address_ := parse(event.topic)):
                        names = address_.names
                        now = time.monotonic()
                        window.receive(names["sha256"], int(names["index"]), event.payload, now)
                window.step(time.monotonic())
            hub.link.wait(0.005)
        assert all(download.part.read() == encoded for _, _, download in devices)
        assert len(sent) >= 2 * len(transport.chunks)
