"""A device without Python: rows from MQTT, the signed answers, profiles that the hub can add."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from fleetloop_firmware_sim.constrained.building import build
from fleetloop_firmware_sim.constrained.device import ConstrainedDevice, Ended, Sensors
from fleetloop_hub.broker_port import Broker
from fleetloop_hub.packaging.artifact import Artifact, Rows
from fleetloop_hub.packaging.c_program.program import program
from fleetloop_shared.answers import Rule
from fleetloop_shared.codec import decode, decode_compressed
from fleetloop_shared.drift.block import Blocks
from fleetloop_shared.latency import BINS, quantile_us
from fleetloop_shared.link import Received
from fleetloop_shared.manifest import Manifest
from fleetloop_shared.messages import DeviceState, EnrolAnswer, ReportedState
from fleetloop_shared.reports import HealthReport, ProfileReport
from fleetloop_shared.topics import Topic
from support import c_programs
from support.brokers import HUB, PATIENCE_S, STATION_1, Listener, link_to, start_broker
from support.c_programs import SANITIZED, packed
from support.fitted_models import example

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(c_programs.COMPILER is None, reason=c_programs.WHY),
]

FILTER, ANSWERS, REFUSALS = (f"fleetloop/try/+/{word}" for word in ("rows", "answers", "refusals"))
DEVICE = STATION_1.username


@pytest.fixture(scope="module")
def firmware(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("firmware")
    manifest, data = packed("several", "gradient-boosting")
    for name, content in program(manifest, data).files.items():
        (folder / name).write_bytes(content)
    return build(folder, folder, "-Werror", *SANITIZED)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    broker = start_broker("nats", tmp_path_factory.mktemp("broker"))
    yield broker
    broker.stop()


@pytest.fixture
def listener(broker: Broker) -> Iterator[Listener]:
    link = link_to(broker, HUB)
    link.start(None)
    listener = Listener(link)
    listener.connected()
    link.subscribe("fleetloop/#", 0)
    yield listener
    link.stop()


def device(firmware: Path, broker: Broker, *, enrolled: bool = False) -> ConstrainedDevice:
    sensors = Sensors(
        broker.address,
        FILTER,
        ANSWERS.replace("+", "{0}"),
        REFUSALS.replace("+", "{0}"),
        HUB.username,
        HUB.password,
    )
    identity = EnrolAnswer(
        device=DEVICE,
        cohort="plains",
        broker=broker.address,
        username=DEVICE,
        password=STATION_1.password,
        image_root="",
        director_root="",
    )
    return ConstrainedDevice(firmware, DEVICE, sensors, identity if enrolled else None)


def as_json(manifest: Manifest, row: Rows) -> dict[str, object]:
    """A row as a sensor says it."""
    features, told = manifest.signature.features, {}
    for feature, value in zip(features, row.tolist(), strict=True):
        listed = feature.categories
        told[feature.name] = (
            None if value != value else listed[int(value)] if listed and value >= 0 else value  # noqa: PLR0124  # NaN
        )
    return told


def wait_for(device: ConstrainedDevice, *words: str) -> None:
    heard = [device.hear() for _ in words]
    assert sorted(heard) == sorted(f'connected "{word}"\n' for word in words)


def answers_on(listener: Listener, topic: str, count: int = 1) -> list[Received]:
    def there() -> list[Received]:
        return [e for e in listener.of(Received) if e.topic == topic]

    listener.until(lambda: len(there()) >= count, f"{count} messages on {topic}")
    return there()


def quantile_ms(counts: list[int], share: float) -> float:
    found = quantile_us(counts, share)
    assert found is not None
    return found / 1_000


def presence(listener: Listener, *, online: bool) -> DeviceState:
    """The last word about whether the device is there, as soon as it is this one.

    The broker keeps the one of the device before it.
    """
    topic = Topic.STATE.at(device=DEVICE)

    def last() -> DeviceState | None:
        said = listener.payloads(topic)
        return decode(said[-1], DeviceState) if said else None

    listener.until(lambda: (now := last()) is not None and now.online == online, topic)
    found = last()
    assert found is not None
    return found


def ask(listener: Listener, sensor: str, payload: bytes) -> None:
    assert listener.link.publish(FILTER.replace("+", sensor), payload, qos=0)


def test_rows_of_sensors_get_the_answers_of_the_signed_artifact(
    firmware: Path, broker: Broker, listener: Listener
) -> None:
    manifest, data = packed("several", "gradient-boosting")
    rows = example("several", "gradient-boosting", "categories").fresh[:40]
    scores, labels = Rule(manifest.signature).answer(
        Artifact(data, manifest.signature).outputs(rows)
    )
    with device(firmware, broker) as running:
        wait_for(running, "sensors")
        said = [as_json(manifest, row) for row in rows]
        for payload in (said[0], [said[1]], {"rows": said[2:]}, list(said[0].values())):
            ask(listener, "roof", msgspec.json.encode(payload))
        came = answers_on(listener, ANSWERS.replace("+", "roof"), 4)
        ended = running.end()
    told = [json.loads(message.payload) for message in came]
    assert ["answers" in one for one in told] == [False, True, True, False]
    found = [answer for one in told for answer in one.get("answers", [one])]
    wanted = [*range(40), 0]
    assert [a["label"] for a in found] == [labels[k] for k in wanted]
    np.testing.assert_allclose([a["score"] for a in found], scores[wanted], atol=1e-6)
    assert [a["prediction_id"] for a in found] == [f"{DEVICE}.1.{n}" for n in range(1, 42)]
    assert {(a["model"], a["version"], a["artifact"]) for a in found} == {
        (manifest.model, manifest.version, manifest.sha256)
    }
    assert ended == Ended(answered=41, refused=0, profiles=0, connections=1, oversized=0, lost=0)


def test_the_hub_sees_what_it_serves_and_can_add_its_profile(
    firmware: Path, broker: Broker, listener: Listener
) -> None:
    manifest, data = packed("several", "gradient-boosting")
    rows = example("several", "gradient-boosting", "categories").fresh[:100]
    with device(firmware, broker, enrolled=True) as running:
        wait_for(running, "sensors", "hub")
        born = presence(listener, online=True)
        assert (born.artifact, born.hardware, born.conn) == (manifest.sha256, "sim", 1)
        shown = listener.message(Topic.REPORTED.at(device=DEVICE))
        reported = decode(shown.payload, ReportedState)
        assert (reported.model, reported.version) == (manifest.model, manifest.version)
        for start in (0, 50):
            said = [as_json(manifest, row) for row in rows[start : start + 50]]
            ask(listener, "roof", msgspec.json.encode(said))
        answers_on(listener, Topic.PROFILE.at(device=DEVICE))
        assert running.end().profiles == 1
    presence(listener, online=False)
    [message] = answers_on(listener, Topic.PROFILE.at(device=DEVICE))
    report = decode_compressed(message.payload, ProfileReport)
    [sent] = answers_on(listener, Topic.HEALTH.at(device=DEVICE))
    health = decode(sent.payload, HealthReport)
    assert (health.rows, health.refused, health.errors, health.seq) == (100, 0, 0, 2)
    assert sum(health.latency_counts) == 2
    assert len(health.latency_counts) == BINS
    assert health.latency_p50_ms == pytest.approx(quantile_ms(health.latency_counts, 0.5), rel=1e-5)
    assert (report.device, report.seq, report.first_row, report.profile.rows) == (DEVICE, 1, 1, 64)
    counter = Blocks(manifest.reference, manifest.signature)
    scores = Artifact(data, manifest.signature).scores(rows)
    wanted = counter.profile(counter.count(rows[:64], scores[:64]))
    assert report.profile.counts == wanted.counts
    assert report.profile.near_products == wanted.near_products
    assert report.profile.merge(wanted).rows == 128


def test_a_device_that_is_killed_leaves_its_will(
    firmware: Path, broker: Broker, listener: Listener
) -> None:
    with device(firmware, broker, enrolled=True) as running:
        wait_for(running, "sensors", "hub")
        presence(listener, online=True)
        assert running._running is not None
        running._running.kill()
        running._running.wait()
        assert presence(listener, online=False).conn == 0


BAD = {
    b"": "",
    b"no json": "neither an object",
    b"[[[": "holds more than one",
    b"{": "no JSON",
    b'{"a":1,"b":2,"c":3,"d":"x"}': "'e' is not there",
    b'{"a":1,"b":2,"c":3,"d":"x","e":"x","f":1}': "does not know",
    b'{"a":"1","b":2,"c":3,"d":"x","e":"x"}': "'a' is a text",
    b'{"a":true,"b":2,"c":3,"d":"x","e":"x"}': "'a' is true or false",
    b'{"a":[1],"b":2,"c":3,"d":"x","e":"x"}': "'a' holds more than one",
    b'{"a":1e999,"b":2,"c":3,"d":"x","e":"x"}': "'a' is too large",
    b'{"a":1e39,"b":2,"c":3,"d":"x","e":"x"}': "'a' is too large",
    b'{"a":NaN,"b":2,"c":3,"d":"x","e":"x"}': "no JSON",
    b'{"a":01,"b":2,"c":3,"d":"x","e":"x"}': "no JSON",
    b'{"a":1,"b":2,"c":3,"d":"x","e":"\\ud800"}': "no JSON",
    b'{"a":1,"b":2,"c":3,"d":"x","e":"x"} x': "no JSON",
    b"[1,2,3]": "fewer values",
    b"[1,2,3,4,5,6]": "more values",
    b"[]": "holds no row",
    b"[" * 5_000: "holds more than one",
    b"[" + b",".join([b"[1,2,3,null,null]"] * 65) + b"]": "more rows at once",
    b'{"a":' + b"1" * 200 + b',"b":2,"c":3,"d":"x","e":"x"}': "too many digits",
}


def test_what_is_no_row_is_refused_with_its_reason_and_the_next_row_answered(
    firmware: Path, broker: Broker, listener: Listener
) -> None:
    good = b'{"a":1,"b":2,"c":3,"d":"\\u0078","e":"' + b"long" * 100 + b'"}'
    with device(firmware, broker) as running:
        wait_for(running, "sensors")
        for payload in (*BAD, b" " * 20_000):
            ask(listener, "wall", payload)
        ask(listener, "wall", good)
        answers_on(listener, ANSWERS.replace("+", "wall"))
        ended = running.end()
    told = answers_on(listener, REFUSALS.replace("+", "wall"))
    reasons = [json.loads(message.payload)["error"] for message in told]
    expected = [words for payload, words in BAD.items() if payload]
    assert (len(reasons), ended.refused, ended.answered) == (len(expected), len(expected), 1)
    assert ended.oversized == 1
    for reason, words in zip(reasons, expected, strict=True):
        assert words in reason


def test_a_device_comes_back_after_its_broker(firmware: Path, tmp_path: Path) -> None:
    broker = start_broker("nats", tmp_path)
    with device(firmware, broker) as running:
        wait_for(running, "sensors")
        broker.stop()
        broker.start([HUB, STATION_1])
        wait_for(running, "sensors")
        assert running.end().connections == 2
    broker.stop()


def unfriendly_broker(listening: socket.socket, packets: list[bytes]) -> None:
    """Greets each client as a broker does, says one of the packets, and leaves."""
    for packet in packets:
        client, _ = listening.accept()
        with client:
            client.settimeout(PATIENCE_S)
            client.recv(4_096)
            client.sendall(packet)
            if packet[:4] == WELCOME:
                client.recv(4_096)


WELCOME = bytes([0x20, 2, 0, 0])
UNFRIENDLY = [
    b"HTTP/1.1 400 Bad Request\r\n\r\n",
    bytes([0x20, 2, 0, 5]),  # it may not connect
    WELCOME + bytes([0x90, 3, 0, 1, 128]),  # the filter is refused
    WELCOME + bytes([0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]),  # a length without an end
    WELCOME + bytes([0x30, 5, 0, 200, 65, 66, 67]),  # a topic longer than its packet
    WELCOME + bytes([0x30, 1, 0]),  # a message too short for a topic
    WELCOME + bytes([0x32, 4, 0, 0, 0, 1]),  # a quality that was not asked for
    WELCOME + bytes([0x30, 0xFF, 0xFF, 0x7F]) + b"x" * 40_000,  # 2 MB, of which little comes
    WELCOME + bytes([0x30, 0x84, 0x04, 2, 0]) + b"t" * 512 + b"[1]",  # a topic without room
    WELCOME + bytes([0x30, 6, 0, 1, 65]) + b"[[[",  # not whole rows
    WELCOME + bytes([0xF0, 0]),  # a packet of no kind
    WELCOME + b"\x00" * 8_192,
]


def test_a_broker_that_breaks_the_protocol_is_left_and_tried_again(firmware: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(60.0)
        address = f"mqtt://127.0.0.1:{listening.getsockname()[1]}"
        for packet in UNFRIENDLY:
            with ConstrainedDevice(firmware, DEVICE, Sensors(address, "a", "b")) as running:
                unfriendly_broker(listening, [packet])
                ended = running.end()
            assert ended.answered == 0
