"""Every link keeps the port's promise: the simulator's, and paho's on each broker."""

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetloop_firmware_sim.network import SimBroker, SimLink
from fleetloop_hub.broker_port import BrokerAccount
from fleetloop_shared.event_attributes import Attributes, Describe
from fleetloop_shared.link import Connected, Disconnected, Link, Received, Will
from fleetloop_shared.paho_link import MAX_PAYLOAD_BYTES, PahoLink
from support.brokers import (
    HUB,
    PATIENCE_S,
    STATION_1,
    Links,
    Listener,
    link_to,
    mosquitto_is_missing,
    start_broker,
)
from support.cutting import cut

STATE = "fleetloop/v1/devices/station-1/up/state"
GET = "fleetloop/v1/devices/station-1/up/get"
ACK = "fleetloop/v1/devices/station-1/down/ack"
WILL = Will(STATE, b"offline")


class World(ABC):
    """A broker with two accounts, whose links can be cut off and which can go away."""

    @abstractmethod
    def link(self, account: BrokerAccount) -> Link: ...

    @abstractmethod
    def cut(self, link: Link) -> None:
        """Break a link's connection without a word; it may come back by itself."""

    @abstractmethod
    def restart(self) -> None: ...

    @abstractmethod
    def close(self) -> None: ...


class SimWorld(World):
    def __init__(self) -> None:
        self._broker = SimBroker()

    def link(self, account: BrokerAccount) -> Link:
        return SimLink(self._broker, account.username)

    def cut(self, link: Link) -> None:
        assert isinstance(link, SimLink)
        link.cut()
        link.restore()

    def restart(self) -> None:
        self._broker.stop()
        self._broker.start()

    def close(self) -> None:
        pass


class RealWorld(World):
    def __init__(self, kind: str, folder: Path, describe: Describe | None) -> None:
        self._kind, self._folder, self._describe = kind, folder, describe
        self._broker = start_broker(kind, folder)

    def link(self, account: BrokerAccount) -> Link:
        return link_to(self._broker, account, self._describe)

    def cut(self, link: Link) -> None:
        assert isinstance(link, PahoLink)
        cut(link)

    def restart(self) -> None:
        self._broker.stop()
        self._broker = start_broker(self._kind, self._folder)

    def close(self) -> None:
        self._broker.stop()


def describe(topic: str, payload: bytes) -> Attributes | None:
    return [("length", str(len(payload)))] if payload else None


@pytest.fixture(params=["sim", "nats", "mosquitto", "nats offered 5", "mosquitto at 5"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    kind, *five = request.param.split()
    if kind == "mosquitto" and mosquitto_is_missing():
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")
    made = (
        SimWorld()
        if kind == "sim"
        else RealWorld(kind, tmp_path / "broker", describe if five else None)
    )
    yield made
    made.close()


@pytest.fixture
def hub(world: World, links: Links) -> Listener:
    return links.add(world.link(HUB))


@pytest.fixture
def station(world: World, links: Links) -> Listener:
    return links.add(world.link(STATION_1), WILL)


def subscribed(hub: Listener, filter_: str, qos: int = 1) -> None:
    """Subscribe, and know that the broker has noted it: it handles one client's wishes in order."""
    hub.link.subscribe(filter_, qos)
    hub.link.subscribe(ACK, qos=1)
    marker = str(len(hub.seen)).encode()
    assert hub.link.publish(ACK, marker)
    hub.message(ACK, marker)


def kept(hub: Listener, topic: str) -> bytes | None:
    """What someone who comes now is told is retained there."""
    hub.link.unsubscribe(topic)
    hub.pump()
    before = len(hub.seen)
    subscribed(hub, topic)
    told = [event for event in hub.seen[before:] if isinstance(event, Received)]
    return next((event.payload for event in told if event.retained), None)


def soon_kept(hub: Listener, topic: str, payload: bytes | None) -> bool:
    """Whether that is retained soon: NATS needs a millisecond more than it takes to answer."""
    deadline = time.monotonic() + PATIENCE_S
    while kept(hub, topic) != payload:
        if time.monotonic() > deadline:
            return False
    return True


def test_the_first_connection_has_number_one(station: Listener) -> None:
    assert station.of(Connected) == [Connected(1)]
    assert station.link.connected


def test_start_returns_at_once_and_nothing_is_handed_over_before_the_broker_accepts(
    world: World,
) -> None:
    link = world.link(STATION_1)
    assert not link.connected
    assert not link.publish(STATE, b"online")
    link.subscribe(ACK)
    link.unsubscribe(ACK)
    assert link.events() == []


def test_a_message_arrives_once_and_whole(hub: Listener, station: Listener) -> None:
    payload = bytes(range(256)) * 240  # a chunk of 60 KiB, any bytes
    subscribed(hub, "fleetloop/v1/devices/+/up/get")
    assert station.link.publish(GET, payload)
    assert station.link.publish(GET, b"end")
    hub.message(GET, b"end")
    arrived = [(event.topic, event.payload, event.retained) for event in hub.of(Received)]
    assert arrived[1:] == [(GET, payload, False), (GET, b"end", False)]


@pytest.mark.parametrize("qos", [0, 1])
def test_messages_of_one_publisher_arrive_in_order(
    hub: Listener, station: Listener, qos: int
) -> None:
    subscribed(hub, "fleetloop/v1/devices/station-1/up/#", qos)
    sent = [str(number).encode() for number in range(200)]
    assert all(station.link.publish(GET, payload, qos=qos) for payload in sent)
    hub.message(GET, sent[-1])
    assert hub.payloads(GET) == sent


def test_a_retained_message_waits_for_who_comes_later(hub: Listener, station: Listener) -> None:
    subscribed(hub, "fleetloop/v1/devices/+/up/state")
    assert station.link.publish(STATE, b"online", retained=True)
    assert not hub.message(STATE, b"online").retained
    assert soon_kept(hub, STATE, b"online")


def test_a_retained_message_is_replaced_and_cleared(hub: Listener, station: Listener) -> None:
    for payload in (b"one", b"two"):
        assert station.link.publish(STATE, payload, retained=True)
        assert soon_kept(hub, STATE, payload)
    hub.seen.clear()
    assert station.link.publish(STATE, b"", retained=True)
    hub.message(STATE, b"")
    assert soon_kept(hub, STATE, None)


def test_what_is_not_retained_is_not_kept(hub: Listener, station: Listener) -> None:
    assert station.link.publish(GET, b"now")
    assert station.link.publish(STATE, b"kept", retained=True)
    assert soon_kept(hub, STATE, b"kept")
    assert kept(hub, GET) is None


def test_after_unsubscribing_nothing_comes(hub: Listener, station: Listener) -> None:
    subscribed(hub, GET)
    hub.link.unsubscribe(GET)
    subscribed(hub, STATE)
    assert station.link.publish(GET, b"unheard")
    assert station.link.publish(STATE, b"heard")
    hub.message(STATE, b"heard")
    assert hub.payloads(GET) == []


def test_a_payload_too_large_is_refused_and_harms_nothing(hub: Listener, station: Listener) -> None:
    subscribed(hub, GET)
    assert not station.link.publish(GET, bytes(MAX_PAYLOAD_BYTES + 1))
    assert station.link.publish(GET, bytes(MAX_PAYLOAD_BYTES))
    assert len(hub.message(GET).payload) == MAX_PAYLOAD_BYTES
    assert station.of(Disconnected) == []


def test_the_largest_payload_can_be_retained(hub: Listener, station: Listener) -> None:
    payload = bytes(MAX_PAYLOAD_BYTES)
    assert station.link.publish(STATE, payload, retained=True)
    assert soon_kept(hub, STATE, payload)


def test_the_will_is_said_when_the_connection_breaks(
    world: World, hub: Listener, station: Listener
) -> None:
    subscribed(hub, STATE)
    world.cut(station.link)
    hub.message(STATE, b"offline")


def test_the_will_is_not_said_after_a_goodbye(hub: Listener, station: Listener) -> None:
    subscribed(hub, "fleetloop/v1/devices/station-1/up/#")
    assert station.link.publish(GET, b"last words")
    station.link.stop()
    assert not station.link.connected
    hub.message(GET, b"last words")
    subscribed(hub, "fleetloop/v1/hub/state")
    assert hub.payloads(STATE) == []


def test_a_broken_connection_comes_back_and_subscriptions_do_not(
    world: World, hub: Listener
) -> None:
    subscribed(hub, GET)
    world.cut(hub.link)
    hub.connected(2)
    assert [type(event) for event in hub.seen if not isinstance(event, Received)] == [
        Connected,
        Disconnected,
        Connected,
    ]
    assert hub.of(Connected)[-1].conn == 2
    assert hub.link.publish(GET, b"unheard")
    subscribed(hub, STATE)
    assert hub.payloads(GET) == []


def test_a_restarted_broker_is_found_again(world: World, hub: Listener, station: Listener) -> None:
    subscribed(hub, GET)
    world.restart()
    hub.connected(2)
    station.connected(2)
    subscribed(hub, GET)
    assert station.link.publish(GET, b"again")
    hub.message(GET, b"again")


def test_a_stopped_link_can_be_started_again(hub: Listener, station: Listener) -> None:
    station.link.stop()
    station.link.start(WILL)
    station.connected(2)
    subscribed(hub, STATE)
    assert station.link.publish(STATE, b"back")
    hub.message(STATE, b"back")
