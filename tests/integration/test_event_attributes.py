"""What the hub says bears CloudEvents attributes at MQTT 5, and arrives at older brokers too."""

import queue
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from fleetloop_hub.broker_port import Broker
from fleetloop_shared.codec import encode
from fleetloop_shared.event_attributes import event_attributes
from fleetloop_shared.link import Disconnected, Received
from fleetloop_shared.messages import HubState
from fleetloop_shared.paho_link import PahoLink
from fleetloop_shared.topics import Topic
from support.brokers import (
    HUB,
    PATIENCE_S,
    STATION_1,
    Links,
    link_to,
    mosquitto_is_missing,
    start_broker,
)
from support.scripted_broker import CONNACK, ScriptedBroker

pytestmark = pytest.mark.integration

AT = Topic.ALERT.at(kind="drift", key="drift-rain-1")
STATE = Topic.STATE.at(device="station-1")


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Broker]:
    if mosquitto_is_missing():
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")
    broker = start_broker("mosquitto", tmp_path / "broker")
    yield broker
    broker.stop()


def raw_client(broker: Broker) -> paho.Client:
    """A stranger's MQTT 5 client with a device's account."""
    client = paho.Client(CallbackAPIVersion.VERSION2, "station-1", protocol=paho.MQTTv5)
    client.username_pw_set(STATION_1.username, STATION_1.password)
    host, _, port = broker.address.removeprefix("mqtt://").rpartition(":")
    client.connect(host, int(port))
    client.loop_start()
    return client


def test_a_subscriber_at_mqtt_5_sees_the_attributes_also_of_what_is_retained(
    mosquitto: Broker, links: Links
) -> None:
    seen: queue.Queue[paho.MQTTMessage] = queue.Queue()
    hub = links.add(link_to(mosquitto, HUB, event_attributes))
    payload = encode(HubState(online=True, at=1.0))
    assert hub.link.publish(Topic.HUB.at(), payload, retained=True)
    client = raw_client(mosquitto)
    client.on_message = lambda client, userdata, message: seen.put(message)
    client.subscribe(Topic.HUB.at(), 1)
    message = seen.get(timeout=PATIENCE_S)
    client.disconnect()
    client.loop_stop()
    said = dict(message.properties.UserProperty)  # type: ignore[union-attr] # paho sets it at MQTT 5
    assert message.retain
    assert message.payload == payload
    assert message.properties.ContentType == "application/json"  # type: ignore[union-attr] # the same
    assert set(said) == {"specversion", "id", "source", "type", "time"}
    assert said["specversion"] == "1.0"
    assert said["type"] == "fleetloop.hub.state"


def test_properties_that_a_stranger_sends_do_not_end_the_hubs_connection(
    mosquitto: Broker, links: Links
) -> None:
    hub = links.add(link_to(mosquitto, HUB, event_attributes))
    client = raw_client(mosquitto)
    odd = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho's has no types
    odd.UserProperty = [("\ufeff", "x" * 300)]
    client.publish(STATE, b"odd", 1, retain=True, properties=odd).wait_for_publish(PATIENCE_S)
    hub.link.subscribe(STATE)
    hub.message(STATE, b"odd")
    client.disconnect()
    client.loop_stop()
    assert hub.of(Disconnected) == []


def test_a_broker_that_takes_few_at_once_gets_all_in_order(mosquitto: Broker, links: Links) -> None:
    hub = links.add(link_to(mosquitto, HUB, event_attributes))
    hub.link.subscribe(AT)
    sent = [str(number).encode() for number in range(500)]
    assert all(hub.link.publish(AT, payload) for payload in sent)
    hub.message(AT, sent[-1])
    assert [e.payload for e in hub.of(Received)] == sent
    assert hub.of(Disconnected) == []


@pytest.mark.parametrize("answer", [b"\x20\x02\x00\x01", b""], ids=["refused", "closed"])
def test_a_broker_without_mqtt_5_is_met_with_the_older_version_and_that_is_remembered(
    links: Links, answer: bytes
) -> None:
    levels: list[int] = []

    def old(connection: socket.socket) -> None:
        levels.append(connection.recv(4096)[8])
        if levels[-1] == paho.MQTTv5:
            connection.sendall(answer)
            return
        connection.sendall(CONNACK)
        if levels.count(paho.MQTTv311) == 1:
            return
        while connection.recv(4096):
            pass

    with ScriptedBroker(old) as broker:
        link = PahoLink(broker.address, "hub", "hub", "x", describe=event_attributes)
        links.add(link).connected(2)
        link.stop()
    assert levels == [paho.MQTTv5, paho.MQTTv311, paho.MQTTv311]
