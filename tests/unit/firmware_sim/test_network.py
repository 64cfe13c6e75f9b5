"""The simulated network does what it is told to, and the same every time."""

from fleetloop_firmware_sim.network import SimBroker, SimLink, Weather
from fleetloop_shared.link import Connected, Disconnected, Event, Received, Will

TOPIC = "fleetloop/v1/hub/state"


def started(broker: SimBroker, name: str, will: Will | None = None) -> SimLink:
    link = SimLink(broker, name)
    link.start(will)
    link.events()
    return link


def payloads(events: list[Event]) -> list[bytes]:
    return [event.payload for event in events if isinstance(event, Received)]


def transcript(weather: Weather) -> list[list[bytes]]:
    broker = SimBroker(weather)
    reader, writer = started(broker, "reader"), started(broker, "writer")
    reader.subscribe(TOPIC, qos=0)
    heard = []
    for number in range(50):
        writer.publish(TOPIC, str(number).encode())
        heard.append(payloads(reader.events()))
    return [*heard, *(payloads(reader.events()) for _ in range(weather.delay_polls))]


def test_a_cut_link_says_its_will_and_stays_down_until_it_is_restored() -> None:
    broker = SimBroker()
    hub = started(broker, "hub")
    hub.subscribe("#")
    device = started(broker, "device", Will(TOPIC, b"gone"))
    device.cut()
    assert payloads(hub.events()) == [b"gone"]
    assert not device.publish(TOPIC, b"into the void")
    device.restore()
    assert device.events() == [Disconnected("the network has gone"), Connected(2)]


def test_a_link_started_without_a_network_comes_when_there_is_one() -> None:
    broker = SimBroker()
    device = SimLink(broker, "device")
    device.cut()
    device.start(None)
    assert device.events() == [Disconnected("no way to the broker")]
    device.restore()
    assert device.events() == [Connected(1)]


def test_a_stopped_link_does_not_come_back_with_the_network_or_the_broker() -> None:
    broker = SimBroker()
    device = started(broker, "device")
    device.stop()
    device.cut()
    device.restore()
    broker.stop()
    broker.start()
    assert not device.connected
    assert device.events() == []


def test_a_restarted_broker_remembers_nothing_and_says_no_wills() -> None:
    broker = SimBroker()
    hub = started(broker, "hub")
    device = started(broker, "device", Will(TOPIC, b"gone"))
    device.publish(TOPIC, b"kept", retained=True)
    assert broker.retained() == {TOPIC: b"kept"}
    broker.stop()
    assert not hub.connected
    broker.start()
    hub.subscribe(TOPIC)
    assert broker.retained() == {}
    assert [type(event) for event in hub.events()] == [Disconnected, Connected]


def test_a_later_client_with_the_same_id_throws_the_older_out() -> None:
    broker = SimBroker()
    older = started(broker, "device")
    newer = started(broker, "device")
    assert newer.connected
    assert older.events() == [Disconnected("another client has taken the id")]
    older.stop()
    assert newer.publish(TOPIC, b"still here")


def test_overlapping_subscriptions_bring_a_message_once() -> None:
    broker = SimBroker()
    hub = started(broker, "hub")
    hub.subscribe("#")
    hub.subscribe(TOPIC)
    hub.publish(TOPIC, b"once")
    assert payloads(hub.events()) == [b"once"]


def test_weather_takes_some_and_delays_some_and_repeats_itself() -> None:
    weather = Weather(seed=7, drop_ratio=0.3, delay_ratio=0.3)
    heard = transcript(weather)
    arrived = [int(payload) for batch in heard for payload in batch]
    assert heard == transcript(weather)
    assert heard != transcript(Weather(seed=8, drop_ratio=0.3, delay_ratio=0.3))
    assert 20 < len(arrived) < 50
    assert len(set(arrived)) == len(arrived)
    assert arrived != sorted(arrived)


def test_weather_spares_what_is_read_at_qos_1() -> None:
    broker = SimBroker(Weather(drop_ratio=1.0))
    reader, writer = started(broker, "reader"), started(broker, "writer")
    reader.subscribe(TOPIC, qos=1)
    writer.publish(TOPIC, b"sure", qos=1)
    writer.publish(TOPIC, b"lost", qos=0)
    assert payloads(reader.events()) == [b"sure"]


def test_what_was_late_is_lost_with_the_connection() -> None:
    broker = SimBroker(Weather(delay_ratio=1.0, delay_polls=1))
    reader, writer = started(broker, "reader"), started(broker, "writer")
    reader.subscribe(TOPIC, qos=0)
    writer.publish(TOPIC, b"late")
    reader.cut()
    assert payloads(reader.events() + reader.events()) == []


def test_waiting_does_not_take_time() -> None:
    started(SimBroker(), "device").wait(1e9)
