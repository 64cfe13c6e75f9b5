"""Rows over a real broker, answers over the same; a broker that goes and comes."""

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from fleetloop_agent.device.sensors import link_to
from fleetloop_agent.errors import ConfigError
from fleetloop_agent.sensor_config import SensorConfig
from fleetloop_agent.serving.sensor_thread import SensorThread
from fleetloop_agent.serving.sensor_topics import SensorTopics
from fleetloop_shared.paho_link import PahoLink
from support import serving_rig
from support.brokers import (
    HUB,
    PATIENCE_S,
    Links,
    Listener,
    mosquitto_is_missing,
    start_broker,
)
from support.raw_mosquitto import RawMosquitto

pytestmark = pytest.mark.integration

ROW = b'{"wind":1.0,"rain":-0.5}'


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def served(config: SensorConfig, stack: ExitStack) -> SensorTopics:
    topics = SensorTopics(config, link_to(config, "station-1"), serving_rig.predictor())
    thread = SensorThread(topics)
    thread.start()
    stack.callback(thread.stop)
    until(lambda: topics.status.connected)
    return topics


def until(condition: object) -> None:
    deadline = time.monotonic() + PATIENCE_S
    assert callable(condition)
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def client(address: str, stack: ExitStack, username: str = "", password: str = "") -> Listener:
    links = Links()
    stack.callback(links.close)
    return links.add(PahoLink(address, f"sensor-{secrets.token_hex(4)}", username, password))


def exchange(sensor: Listener, rows: str, answers: str) -> float:
    """Publish until there is an answer: whoever subscribes is not told when it counts."""
    sensor.link.subscribe(answers)
    deadline = time.monotonic() + PATIENCE_S
    while not sensor.payloads(answers):
        assert time.monotonic() < deadline, "no answer"
        sensor.link.publish(rows, ROW)
        sensor.link.wait(0.2)
        sensor.pump()
    score: float = json.loads(sensor.payloads(answers)[0])["score"]
    return score


def test_rows_and_answers_over_nats_with_an_account(tmp_path: Path, stack: ExitStack) -> None:
    broker = start_broker("nats", tmp_path / "broker", [HUB])
    stack.callback(broker.stop)
    secret = tmp_path / "password"
    secret.write_text(f"{HUB.password}\n", "utf-8")
    config = SensorConfig(
        broker=broker.address,
        input="fleetloop/test/sensors/+",
        output="fleetloop/test/answers/{0}",
        username=HUB.username,
        password_file=secret,
        qos=1,
    )
    topics = served(config, stack)
    sensor = client(broker.address, stack, HUB.username, HUB.password)
    score = exchange(sensor, "fleetloop/test/sensors/a", "fleetloop/test/answers/a")
    assert score == serving_rig.predictor().predict([{"wind": 1.0, "rain": -0.5}])[0].score
    assert topics.status.refused == 0


@pytest.mark.skipif(mosquitto_is_missing(), reason="mosquitto is not installed")
def test_a_mosquitto_that_is_killed_and_comes_back(tmp_path: Path, stack: ExitStack) -> None:
    broker = RawMosquitto(tmp_path / "broker")
    stack.callback(broker.close)
    broker.start()
    config = SensorConfig(
        broker=broker.address,
        input="sensors/+/reading",
        output="predictions/{0}",
        presence="fleetloop/presence",
    )
    topics = served(config, stack)
    sensor = client(broker.address, stack)
    exchange(sensor, "sensors/pump-3/reading", "predictions/pump-3")
    sensor.link.publish("sensors/pump-3/reading", b"{")
    until(lambda: topics.status.refused == 1)
    broker.kill()
    until(lambda: not topics.status.connected)
    broker.start()
    until(lambda: topics.status.connected)
    again = client(broker.address, stack)
    exchange(again, "sensors/pump-4/reading", "predictions/pump-4")
    again.link.subscribe("fleetloop/presence")
    assert again.message("fleetloop/presence").payload == b'{"online":true}'


def test_a_password_or_certificate_that_is_not_there_is_said_with_its_key(tmp_path: Path) -> None:
    config = SensorConfig(broker="mqtt://b", input="a", output="b", password_file=tmp_path / "none")
    with pytest.raises(ConfigError, match=r"mqtt\.password_file"):
        link_to(config, "station-1")
    (tmp_path / "none").write_text("\n", "utf-8")
    with pytest.raises(ConfigError, match="holds no password"):
        link_to(config, "station-1")
    config = SensorConfig(broker="mqtts://b", input="a", output="b", ca_file=tmp_path / "ca.pem")
    with pytest.raises(ConfigError, match=r"mqtt\.ca_file"):
        link_to(config, "station-1")
