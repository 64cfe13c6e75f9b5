"""What an attacker with one device's password can do at each broker: nothing to the others."""

import pytest

from fleetloop_hub.broker_port import Broker, BrokerAccount
from fleetloop_shared.link import Connected, Disconnected, Received, SubscriptionRefused, Will
from fleetloop_shared.paho_link import PahoLink
from support.brokers import HUB, QUIET_S, STATION_1, STATION_2, Links, Listener, link_to
from support.cutting import cut

pytestmark = pytest.mark.integration

OTHERS_STATE = "fleetloop/v1/devices/station-2/up/state"
FORBIDDEN_TO_PUBLISH = [
    OTHERS_STATE,
    "fleetloop/v1/devices/station-1/down/ack",
    "fleetloop/v1/devices/station-10/up/state",
    "fleetloop/v1/devices/station-1/upwards",
    "fleetloop/v1/cohorts/plains/director",
    "fleetloop/v1/hub/state",
    "fleetloop/v1/alerts/disk/disk-hub-0a1b2c",
    "fleetloop/v1/blobs/" + "a" * 64 + "/0",
    "elsewhere",
]
FORBIDDEN_TO_READ = [
    "fleetloop/v1/devices/station-2/down/ack",
    "fleetloop/v1/devices/station-2/up/state",
    "fleetloop/v1/cohorts/hills/director",
]
FORBIDDEN_FILTERS = [
    *FORBIDDEN_TO_READ,
    "fleetloop/v1/devices/+/down/ack",
    "fleetloop/v1/devices/#",
    "fleetloop/v1/cohorts/+/director",
    "fleetloop/#",
    "#",
]
ALLOWED_TO_READ = [
    "fleetloop/v1/devices/station-1/down/ack",
    "fleetloop/v1/cohorts/plains/director",
    "fleetloop/v1/hub/state",
    "fleetloop/v1/blobs/" + "a" * 64 + "/0",
]


@pytest.fixture
def hub(broker: Broker, links: Links) -> Listener:
    listener = links.to(broker, HUB)
    listener.link.subscribe("fleetloop/#")
    probe = "fleetloop/v1/hub/state"
    listener.until(lambda: bool(listener.link.publish(probe, b"") and listener.payloads(probe)))
    listener.seen.clear()
    return listener


def test_a_device_reads_what_concerns_it(broker: Broker, links: Links, hub: Listener) -> None:
    device = links.to(broker, STATION_1)
    for topic in ALLOWED_TO_READ:
        assert hub.link.publish(topic, b"for you", retained=True)
        hub.message(topic, b"for you")
        device.link.subscribe(topic)
        hub.link.publish(topic, b"for you", retained=True)
        device.message(topic, b"for you")
    assert device.of(SubscriptionRefused) == []


@pytest.mark.parametrize("qos", [0, 1])
def test_a_device_cannot_publish_elsewhere(
    broker: Broker, links: Links, hub: Listener, qos: int
) -> None:
    device = links.to(broker, STATION_1)
    own = "fleetloop/v1/devices/station-1/up/get"
    for topic in FORBIDDEN_TO_PUBLISH:
        assert device.link.publish(topic, b"forged", qos=qos)
    assert device.link.publish(own, b"own")
    hub.message(own, b"own")
    assert [event for event in hub.of(Received) if event.payload == b"forged"] == []


def test_a_device_cannot_leave_a_will_for_another(
    broker: Broker, links: Links, hub: Listener
) -> None:
    forger = link_to(broker, STATION_1)
    links.add(forger, Will(OTHERS_STATE, b"forged"))
    cut(forger)
    device = links.to(broker, STATION_1)
    assert device.link.publish("fleetloop/v1/devices/station-1/up/get", b"marker")
    hub.message("fleetloop/v1/devices/station-1/up/get", b"marker")
    assert hub.payloads(OTHERS_STATE) == []


def test_a_device_cannot_read_what_concerns_others(
    broker: Broker, links: Links, hub: Listener
) -> None:
    for topic in FORBIDDEN_TO_READ:
        assert hub.link.publish(topic, b"kept secret", retained=True)
        hub.message(topic, b"kept secret")
    device = links.to(broker, STATION_1)
    for filter_ in FORBIDDEN_FILTERS:
        device.link.subscribe(filter_)
    device.link.subscribe("fleetloop/v1/hub/state")
    for topic in FORBIDDEN_TO_READ:
        assert hub.link.publish(topic, b"live secret")
    device.until(
        lambda: bool(
            hub.link.publish("fleetloop/v1/hub/state", b"marker")
            and device.payloads("fleetloop/v1/hub/state")
        )
    )
    assert [topic for topic in FORBIDDEN_TO_READ if device.payloads(topic)] == []


@pytest.mark.parametrize("broker_kind", ["nats"], indirect=True)
def test_a_forbidden_subscription_is_reported_where_the_broker_says_so(
    broker: Broker, links: Links
) -> None:
    device = links.to(broker, STATION_1)
    for filter_ in FORBIDDEN_FILTERS:
        device.link.subscribe(filter_)
    device.until(lambda: len(device.of(SubscriptionRefused)) == len(FORBIDDEN_FILTERS))
    assert [event.filter for event in device.of(SubscriptionRefused)] == FORBIDDEN_FILTERS


@pytest.mark.parametrize(
    ("username", "password"),
    [("station-1", "guessed"), ("station-1", ""), ("nobody", STATION_1.password), ("", "")],
    ids=["a guess", "no password", "another name", "nothing"],
)
def test_a_wrong_name_or_password_is_refused(
    broker: Broker, links: Links, username: str, password: str
) -> None:
    intruder = links.add(PahoLink(broker.address, "station-1", username, password), wait=False)
    intruder.until(lambda: bool(intruder.of(Disconnected)))
    assert intruder.of(Connected) == []
    assert "refused" in intruder.of(Disconnected)[0].reason


@pytest.mark.parametrize("broker_kind", ["mosquitto"], indirect=True)
def test_a_device_cannot_take_over_another_ones_connection(broker: Broker, links: Links) -> None:
    victim = links.to(broker, STATION_2)
    intruder = PahoLink(broker.address, "station-2", STATION_1.username, STATION_1.password)
    links.add(intruder)
    victim.link.wait(QUIET_S)
    victim.pump()
    assert victim.of(Disconnected) == []


def test_admitting_adds_and_removes_without_dropping_who_stays(
    broker: Broker, links: Links, hub: Listener
) -> None:
    removed = links.to(broker, STATION_2)
    new = BrokerAccount("station-3", "its-own-password", cohort="plains")
    waiting = links.add(link_to(broker, new), wait=False)
    waiting.until(lambda: bool(waiting.of(Disconnected)))

    broker.admit([HUB, STATION_1, new])

    waiting.connected()
    assert waiting.link.publish("fleetloop/v1/devices/station-3/up/get", b"hello")
    hub.message("fleetloop/v1/devices/station-3/up/get", b"hello")
    removed.until(lambda: bool(removed.of(Disconnected)))
    returned = links.add(link_to(broker, STATION_2), wait=False)
    returned.until(lambda: bool(returned.of(Disconnected)))
    assert returned.of(Connected) == []
    assert hub.of(Disconnected) == []


def test_admission_holds_from_the_moment_admit_returns(broker: Broker, links: Links) -> None:
    for number in range(5):
        new = BrokerAccount(f"new-{number}", "its-own-password", cohort="plains")
        broker.admit([HUB, new])
        device = links.to(broker, new)
        assert device.of(Disconnected) == []


def test_a_label_source_tells_labels_reads_its_receipts_and_nothing_else(
    broker: Broker, links: Links, hub: Listener
) -> None:
    bank = BrokerAccount("bank", "its-own-password", None, labels_only=True)
    broker.admit([HUB, STATION_1, STATION_2, bank])
    own, receipt = "fleetloop/v1/sources/bank/up/labels", "fleetloop/v1/sources/bank/down/receipt"
    source = links.to(broker, bank)
    source.link.subscribe(receipt)
    for filter_ in ("fleetloop/#", "fleetloop/v1/sources/+/down/receipt", *FORBIDDEN_TO_READ):
        source.link.subscribe(filter_)
    for topic in ("fleetloop/v1/sources/other/up/labels", receipt, *FORBIDDEN_TO_PUBLISH):
        assert source.link.publish(topic, b"forged")
    assert source.link.publish(own, b"labels")
    hub.message(own, b"labels")
    assert [event for event in hub.of(Received) if event.payload == b"forged"] == []
    for topic in FORBIDDEN_TO_READ:
        assert hub.link.publish(topic, b"secret")
    source.until(lambda: bool(hub.link.publish(receipt, b"taken") and source.payloads(receipt)))
    assert {event.payload for event in source.of(Received)} == {b"taken"}
