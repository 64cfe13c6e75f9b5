"""The real link against brokers that misbehave: it says so, stays bounded, and comes back."""

import os
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from fleetloop_hub.broker_port import Broker
from fleetloop_shared import paho_link
from fleetloop_shared.errors import AddressError
from fleetloop_shared.link import (
    Connected,
    Disconnected,
    Oversized,
    Received,
    SubscriptionRefused,
)
from fleetloop_shared.paho_link import (
    MAX_PACKET_BYTES,
    MAX_PAYLOAD_BYTES,
    PahoLink,
    wait_before,
)
from support.brokers import HUB, PATIENCE_S, QUIET_S, STATION_1, Links, Listener
from support.certificates import make_server
from support.scripted_broker import (
    CONNACK,
    ScriptedBroker,
    accept_and_fall_silent,
    publish_packet,
)

pytestmark = pytest.mark.integration

TOPIC = "fleetloop/v1/hub/state"


def link_at(address: str, ca_file: Path | None = None) -> PahoLink:
    ca = None if ca_file is None else str(ca_file)
    return PahoLink(address, "station-1", "station-1", "password", ca)


def until_disconnected(listener: Listener) -> str:
    listener.until(lambda: bool(listener.of(Disconnected)), "a disconnection")
    return listener.of(Disconnected)[0].reason


def test_an_address_that_is_none_is_refused_when_the_link_is_made() -> None:
    with pytest.raises(AddressError, match="mqtt://host:port"):
        link_at("broker.example:1883")


def test_nobody_listening_is_reported_with_the_reason(links: Links) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    listener = links.add(link_at(f"mqtt://127.0.0.1:{port}"), wait=False)
    assert "refused" in until_disconnected(listener)
    assert not listener.link.connected


def test_a_broker_that_takes_everything_and_acknowledges_nothing_does_not_fill_memory(
    links: Links,
) -> None:
    with ScriptedBroker(accept_and_fall_silent) as broker:
        small = links.add(link_at(broker.address)).link
        taken = sum(small.publish(TOPIC, b"x") for _ in range(1_500))
        assert taken == 1_000
        small.stop()
        large = links.add(link_at(broker.address)).link
        taken = sum(large.publish(TOPIC, bytes(MAX_PAYLOAD_BYTES)) for _ in range(20))
        assert taken == 8


def test_room_comes_back_with_every_message_sent(links: Links) -> None:
    with ScriptedBroker(accept_and_fall_silent) as broker:
        listener = links.add(link_at(broker.address))
        for _ in range(5_000):  # QoS 0 needs no answer, only the socket
            listener.until(lambda: listener.link.publish(TOPIC, b"x", qos=0))


def test_a_message_from_an_idle_link_leaves_at_once(links: Links) -> None:
    left: list[float] = []

    def note_the_time(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(CONNACK)
        while connection.recv(4096):
            left.append(time.monotonic())

    with ScriptedBroker(note_the_time) as broker:
        link = links.add(link_at(broker.address)).link
        time.sleep(QUIET_S)
        began = time.monotonic()
        assert link.publish(TOPIC, b"now")
        time.sleep(QUIET_S)
        link.stop()
    assert left[0] - began < QUIET_S


def test_a_subscription_is_made_again_once_unless_it_was_ended(
    links: Links, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fleetloop_shared.paho_connection._ASK_AGAIN_S", 0.05)
    heard = bytearray()

    def listen(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(CONNACK)
        while packet := connection.recv(4096):
            heard.extend(packet)

    with ScriptedBroker(listen) as broker:
        link = links.add(link_at(broker.address)).link
        for filter_, qos in (("lasting", 1), ("ended", 1), ("chunk", 0)):
            link.subscribe(filter_, qos)
        link.unsubscribe("ended")
        for _ in range(4):
            time.sleep(QUIET_S / 2)
            assert link.publish(TOPIC, b"x", qos=0)  # the thread looks up at least once a second
        link.stop()
    counts = {name: heard.count(name.encode()) for name in ("lasting", "ended", "chunk")}
    assert counts == {"lasting": 2, "ended": 2, "chunk": 1}


def test_a_subscription_that_a_busy_broker_refuses_is_asked_for_again(
    links: Links, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fleetloop_shared.paho_connection._ASK_AGAIN_S", 60.0)
    monkeypatch.setattr("fleetloop_shared.paho_connection._REFUSED_AGAIN_S", 0.05)
    asked: list[bytes] = []

    def refuse_once(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(CONNACK)
        while data := connection.recv(4096):
            if data[0] == 0x82:  # SUBSCRIBE
                asked.append(data)
                code = 0x80 if len(asked) == 1 else 0x01
                connection.sendall(b"\x90\x03" + data[2:4] + bytes([code]))

    with ScriptedBroker(refuse_once) as broker:
        listener = links.add(link_at(broker.address))
        listener.link.subscribe("a/b")
        listener.until(lambda: len(asked) == 2, "the second question")
        assert [e.filter for e in listener.of(SubscriptionRefused)] == ["a/b"]


def test_what_becomes_retained_while_one_subscribes_is_heard_of(
    broker: Broker, links: Links
) -> None:
    hub, device = links.to(broker, HUB), links.to(broker, STATION_1)
    topics = [f"fleetloop/v1/devices/station-1/up/{number}" for number in range(100)]
    for topic in topics:
        assert device.link.publish(topic, b"kept", retained=True)
        hub.link.subscribe(topic)
    hub.until(lambda: {event.topic for event in hub.of(Received)} == set(topics))


def test_nothing_of_an_old_connection_is_sent_again_on_a_new_one(links: Links) -> None:
    heard: list[bytes] = []

    def end_after_the_first_message(connection: socket.socket) -> None:
        heard.append(connection.recv(4096))
        connection.sendall(CONNACK)
        heard.append(connection.recv(4096))

    with ScriptedBroker(end_after_the_first_message) as broker:
        listener = links.add(link_at(broker.address))
        assert listener.link.publish(TOPIC, b"once", qos=1)
        listener.connected(2)
        listener.link.stop()
    assert sum(b"once" in packet for packet in heard) == 1


def test_nothing_is_said_or_asked_before_the_reader_knows_that_it_is_connected(
    links: Links,
) -> None:
    heard: list[bytes] = []
    with ScriptedBroker(lambda connection: talk(connection, heard)) as broker:
        link = link_at(broker.address)
        link.start(None)
        listener = links.add_started(link)
        link.wait(PATIENCE_S)  # Connected is there, and nobody has read it
        assert not link.connected
        assert not link.publish(TOPIC, b"early")
        link.subscribe("early/topic")
        listener.connected()
        assert link.connected
        assert link.publish(TOPIC, b"in time", qos=0)
        listener.until(lambda: b"in time" in b"".join(heard), "the message")
    assert b"early" not in b"".join(heard)


def talk(connection: socket.socket, heard: list[bytes]) -> None:
    """Accept whoever connects, and remember everything that comes."""
    heard.append(connection.recv(4096))
    connection.sendall(CONNACK)
    while data := connection.recv(4096):
        heard.append(data)


def test_a_connect_that_ends_at_once_is_not_tried_in_a_hurry(links: Links) -> None:
    def accept_and_hang_up(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(CONNACK)

    with ScriptedBroker(accept_and_hang_up) as broker:
        links.add(link_at(broker.address))
        time.sleep(1.0)
        assert broker.connections <= 25  # without a wait it is hundreds


def test_the_wait_grows_and_is_anywhere_below_its_bound() -> None:
    for attempt, bound in ((1, 0.5), (4, 4.0), (10, 30.0), (10_000, 30.0)):
        waits = [wait_before(attempt) for _ in range(400)]
        assert 0.0 <= min(waits) < 0.1 * bound
        assert 0.9 * bound < max(waits) <= bound


@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x20\x02\x00\x05", b"\x20\x02", os.urandom(64), b""],
    ids=["http", "refused", "torn", "noise", "nothing"],
)
def test_an_answer_that_is_not_mqtt_costs_one_connection(links: Links, answer: bytes) -> None:
    def answer_wrongly(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(answer)

    with ScriptedBroker(answer_wrongly) as broker:
        listener = links.add(link_at(broker.address), wait=False)
        listener.until(lambda: len(listener.of(Disconnected)) >= 2, "two attempts")
        assert listener.of(Connected) == []
        listener.link.stop()


def test_a_topic_that_is_no_text_is_left_out_and_the_connection_stays(links: Links) -> None:
    def publish_noise(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(CONNACK)
        connection.sendall(publish_packet(b"\xff\xfe", b"x") + publish_packet(b"a", b"good"))
        connection.recv(4096)

    with ScriptedBroker(publish_noise) as broker:
        listener = links.add(link_at(broker.address))
        listener.message("a", b"good")
        assert [event for event in listener.seen if not isinstance(event, Connected)] == [
            Received("a", b"good", retained=False)
        ]
        listener.link.stop()


def test_a_reader_that_has_stopped_slows_the_broker_instead_of_filling_memory(
    links: Links, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paho_link, "_UNREAD_EVENTS", 100)
    total = 2_000

    def flood(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(CONNACK)
        for number in range(total):
            connection.sendall(publish_packet(b"a", str(number).encode()))
        connection.recv(4096)

    with ScriptedBroker(flood) as broker:
        link = link_at(broker.address)
        listener = links.add(link, wait=False)
        deadline = time.monotonic() + PATIENCE_S
        while len(link._events) < 100:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(QUIET_S)
        assert len(link._events) == 100
        listener.until(lambda: len(listener.of(Received)) == total)
        assert listener.payloads("a") == [str(number).encode() for number in range(total)]
        listener.link.stop()


def test_unread_payload_is_bounded_in_bytes_as_well(
    links: Links, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paho_link, "_UNREAD_BYTES", 1_000)

    def flood(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(CONNACK)
        for _ in range(500):
            connection.sendall(publish_packet(b"a", bytes(100)))
        connection.recv(4096)

    with ScriptedBroker(flood) as broker:
        link = link_at(broker.address)
        listener = links.add(link, wait=False)
        deadline = time.monotonic() + PATIENCE_S
        while link._unread_bytes < 1_000:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(QUIET_S)
        assert link._unread_bytes == 1_000
        listener.until(lambda: len(listener.of(Received)) == 500)
        listener.link.stop()


@pytest.mark.parametrize("announced_bytes", [MAX_PACKET_BYTES + 1, 256 * 1024 * 1024 - 1])
def test_a_packet_too_long_ends_the_connection_unread_and_is_told(
    links: Links, announced_bytes: int
) -> None:
    length, rest = bytearray(), announced_bytes
    while rest:
        rest, digit = divmod(rest, 128)
        length.append(digit | (0x80 if rest else 0))
    sent: list[int] = []

    def talk_for_ever(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(CONNACK + publish_packet(b"a", b"good") + b"\x30" + length)
        sent.append(0)
        with suppress(OSError):
            for _ in range(2_000):
                connection.sendall(bytes(65_536))
                sent[-1] += 65_536

    with ScriptedBroker(talk_for_ever) as broker:
        listener = links.add(link_at(broker.address))
        listener.until(lambda: bool(listener.of(Disconnected)), "the end of the connection")
        assert listener.of(Oversized)[0] == Oversized(announced_bytes, MAX_PACKET_BYTES)
        assert listener.payloads("a")[:1] == [b"good"]
        listener.connected(2)
        listener.link.stop()
    assert sent[0] < 20 * 1024 * 1024, "what the sockets' buffers hold, and no more"


@pytest.mark.parametrize("qos", [0, 1])
def test_a_message_too_long_is_passed_over_where_that_is_asked_for(links: Links, qos: int) -> None:
    number = b"\1\2" if qos else b""
    body = b"\0\1z" + number + bytes(MAX_PACKET_BYTES)
    length = bytes([0x80 | len(body) % 128, 0x80 | len(body) // 128 % 128, len(body) >> 14])
    heard = bytearray()

    def talk(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(CONNACK)
        for _ in range(2):
            connection.sendall(bytes([0x30 | qos << 1]) + length + body)
            connection.sendall(publish_packet(b"a", b"good"))
        while told := connection.recv(4096):
            heard.extend(told)

    with ScriptedBroker(talk) as broker:
        link = PahoLink(broker.address, "station-1", "station-1", "password", passes_over=True)
        listener = links.add(link)
        listener.until(lambda: len(listener.payloads("a")) == 2)
        assert listener.of(Oversized) == [Oversized(len(body), MAX_PACKET_BYTES, "z")] * 2
        assert not listener.of(Disconnected)
        if qos:
            listener.until(lambda: heard.count(b"\x40\2\1\2") == 2, "its acknowledgements")
        listener.link.stop()


def test_the_longest_packet_is_read(links: Links) -> None:
    body = b"\0\1a" + bytes(MAX_PACKET_BYTES - 3)
    packet = b"\x30\x80\x80\x40" + body

    def talk(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(CONNACK + packet)
        connection.recv(4096)

    with ScriptedBroker(talk) as broker:
        listener = links.add(link_at(broker.address))
        assert len(listener.message("a").payload) == MAX_PACKET_BYTES - 3
        listener.link.stop()


def test_the_backlog_is_what_the_broker_has_not_acknowledged(broker: Broker, links: Links) -> None:
    with ScriptedBroker(accept_and_fall_silent) as silent:
        link = links.add(link_at(silent.address)).link
        assert link.backlog_bytes == 0
        link.publish(TOPIC, bytes(500))
        link.publish(TOPIC, bytes(700))
        assert link.backlog_bytes == 1_200
        link.stop()
        assert link.backlog_bytes == 0
    hub = links.to(broker, HUB)
    assert hub.link.publish(TOPIC, bytes(50_000))
    hub.until(lambda: hub.link.backlog_bytes == 0, "the acknowledgement")


def test_small_packets_leave_without_nagles_delay(links: Links) -> None:
    with ScriptedBroker(accept_and_fall_silent) as broker:
        link = link_at(broker.address)
        links.add(link)
        assert link._connection is not None
        sock = link._connection._client.socket()
        assert isinstance(sock, socket.socket)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        link.stop()


def test_a_full_queue_does_not_hold_up_stopping(
    links: Links, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paho_link, "_UNREAD_EVENTS", 1)

    def talk(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(CONNACK + publish_packet(b"a", b"1") * 50)
        connection.recv(4096)

    with ScriptedBroker(talk) as broker:
        link = link_at(broker.address)
        link.start(None)
        link.wait(5.0)
        began = time.monotonic()
        link.stop()
        assert time.monotonic() - began < 2.0


def test_a_dead_network_thread_is_noticed_and_replaced(
    links: Links, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScriptedBroker(accept_and_fall_silent) as broker:
        link = link_at(broker.address)
        with monkeypatch.context() as dying:
            dying.setattr(link, "_run", lambda: None)
            link.start(None)
            assert link._thread is not None
            link._thread.join()
        listener = links.add_started(link)
        listener.connected()
        assert listener.of(Disconnected)[0].reason == "the network thread had died"
        link.stop()


def test_an_exception_in_the_network_thread_costs_one_connection(
    links: Links, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*_: object) -> None:
        raise ZeroDivisionError("made for this test")

    with ScriptedBroker(accept_and_fall_silent) as broker:
        with monkeypatch.context() as failing:
            failing.setattr("fleetloop_shared.paho_connection.Connection._step", explode)
            listener = links.add(link_at(broker.address), wait=False)
            assert until_disconnected(listener) == "made for this test"
        listener.connected()
        listener.link.stop()


def test_stopping_leaves_no_thread_and_no_socket() -> None:
    def sockets() -> set[str]:
        found = set()
        for entry in Path("/proc/self/fd").iterdir():
            if entry.is_symlink() and str(entry.readlink()).startswith(("socket:", "anon_inode:")):
                found.add(entry.name)
        return found

    with ScriptedBroker(accept_and_fall_silent) as broker:
        threads, before = set(threading.enumerate()), sockets()
        for _ in range(5):
            link = link_at(broker.address)
            link.start(None)
            Listener(link).connected()
            link.stop()
        assert set(threading.enumerate()) == threads
    assert sockets() <= before


def test_tls_with_the_authority_in_hand(links: Links, tmp_path: Path) -> None:
    context, ca_file = make_server(tmp_path)
    with ScriptedBroker(accept_and_fall_silent, context) as broker:
        listener = links.add(link_at(broker.address, ca_file))
        assert listener.link.publish(TOPIC, b"secret")
        listener.link.stop()


def test_many_messages_in_one_tls_record_are_all_read(links: Links, tmp_path: Path) -> None:
    context, ca_file = make_server(tmp_path)

    def talk(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(CONNACK)
        connection.sendall(publish_packet(b"a", b"1") * 500)
        connection.recv(4096)

    with ScriptedBroker(talk, context) as broker:
        listener = links.add(link_at(broker.address, ca_file))
        listener.until(lambda: len(listener.of(Received)) == 500)
        listener.link.stop()


@pytest.mark.parametrize(
    ("address", "trusted"), [("127.0.0.1", False), ("127.0.0.2", True)], ids=["unknown", "other"]
)
def test_tls_refuses_who_is_not_the_broker(
    links: Links, tmp_path: Path, address: str, *, trusted: bool
) -> None:
    context, ca_file = make_server(tmp_path, address)
    with ScriptedBroker(accept_and_fall_silent, context) as broker:
        listener = links.add(link_at(broker.address, ca_file if trusted else None), wait=False)
        assert "certificate verify failed" in until_disconnected(listener)
        assert listener.of(Connected) == []
        listener.link.stop()
