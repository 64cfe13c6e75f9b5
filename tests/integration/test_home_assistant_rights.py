"""At each broker: the hub alone tells Home Assistant of devices, and Home Assistant only reads."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetloop_hub.broker_port import Broker, BrokerAccount
from fleetloop_hub.home_assistant.discovery import topic_of
from fleetloop_shared.link import Received, Will
from fleetloop_shared.topics import Topic
from support.brokers import STATION_1, Links, start_broker

pytestmark = pytest.mark.integration

PREFIX = "homeassistant"
HUB = BrokerAccount("hub", "secret-of-the-hub", None, prefixes=(PREFIX,))
HOME = BrokerAccount("home-assistant", "secret-at-home", None, prefixes=(PREFIX,), watches=True)
CONFIG = topic_of(PREFIX, "station-1")
STATE = Topic.STATE.at(device="station-1")
STATUS = f"{PREFIX}/status"


@pytest.fixture
def broker(broker_kind: str, tmp_path: Path) -> Iterator[Broker]:
    running = start_broker(broker_kind, tmp_path / "broker", [HUB, HOME, STATION_1])
    yield running
    running.stop()


def test_home_assistant_reads_what_the_hub_alone_may_tell(broker: Broker, links: Links) -> None:
    hub, device = links.to(broker, HUB), links.to(broker, STATION_1)
    assert hub.link.publish(CONFIG, b"config", retained=True)
    home = links.to(broker, HOME, Will(STATUS, b"offline", retained=True))
    home.link.subscribe(f"{PREFIX}/+/+/config")
    home.link.subscribe(STATE)
    home.message(CONFIG, b"config")
    assert device.link.publish(CONFIG, b"forged")
    # NATS throws out whoever writes where it may not: the marker comes once it is back.
    home.until(lambda: bool(device.link.publish(STATE, b"marker") and home.payloads(STATE)))
    assert not [event for event in home.of(Received) if event.payload == b"forged"]


def test_home_assistant_writes_nothing_but_that_it_is_there(broker: Broker, links: Links) -> None:
    hub, home = links.to(broker, HUB), links.to(broker, HOME)
    hub.link.subscribe("fleetloop/#")
    home.link.subscribe(f"{PREFIX}/#")
    assert home.link.publish(STATUS, b"online", retained=True)
    home.message(STATUS, b"online")
    for topic in (STATE, Topic.HUB.at(), Topic.ACK.at(device="station-1"), CONFIG):
        assert home.link.publish(topic, b"forged")
    marker = Topic.HUB.at()
    hub.until(lambda: bool(hub.link.publish(marker, b"marker") and hub.payloads(marker)))
    home.until(lambda: bool(home.link.publish(STATUS, b"end") and b"end" in home.payloads(STATUS)))
    assert not [e for e in [*hub.of(Received), *home.of(Received)] if e.payload == b"forged"]
