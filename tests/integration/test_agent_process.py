"""The real agent process at a real broker: enrols, fetches, is killed, resumes, serves, ends."""

import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import cache
from pathlib import Path

import msgspec
import numpy as np
import pytest

import fleetloop_agent
from fleetloop_agent.agent import Agent
from fleetloop_agent.errors import NoModelError
from fleetloop_hub.broker_port import Broker, BrokerAccount
from fleetloop_shared.codec import decode
from fleetloop_shared.reports import EventReport
from fleetloop_shared.topics import Topic
from support.agent_process import DEVICE, AgentProcess, EnrolServer
from support.brokers import HUB, Links, Listener, start_broker
from support.hubside import COHORT, Hubside, Shipment, score

pytestmark = pytest.mark.integration

ACCOUNT = BrokerAccount(DEVICE, secrets.token_urlsafe(24), cohort=COHORT)
HUBSIDE = Hubside()
ROW = {"temperature": 1.0, "pressure": -0.5}


@cache
def shipped() -> Shipment:
    """What the agent fetches; packing so much takes long, so only who runs these tests pays it."""
    return HUBSIDE.ship(1, padding_bytes=600_000)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    broker = start_broker("nats", tmp_path_factory.mktemp("broker"), [HUB, ACCOUNT])
    yield broker
    broker.stop()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def hub(broker: Broker, stack: ExitStack) -> Listener:
    links = Links()
    stack.callback(links.close)
    listener = links.to(broker, HUB)
    listener.link.subscribe(Topic.EVENTS.every())
    return listener


def make_agent(broker: Broker, stack: ExitStack, folder: Path, extra: str = "") -> AgentProcess:
    identity = msgspec.structs.replace(
        HUBSIDE.identity(DEVICE, broker=broker.address), password=ACCOUNT.password
    )
    server = stack.enter_context(closing(EnrolServer(identity)))
    return stack.enter_context(closing(AgentProcess(folder, server.url, server.token, extra)))


def sensors(broker: Broker, folder: Path) -> str:
    """Rows come over the same broker here, from whoever may write everything."""
    (folder / "secret").write_text(HUB.password, "utf-8")
    return (
        f'[mqtt]\nbroker = "{broker.address}"\nusername = "{HUB.username}"\n'
        'password_file = "secret"\ninput = "fleetloop/test/rows/+"\n'
        'output = "fleetloop/test/answers/{0}"\n'
    )


def publish(hub: Listener, sequence: int, **changes: object) -> None:
    shipment = shipped()
    desired = HUBSIDE.desire(sequence, shipment.release, **changes)
    blobs = {
        Topic.IMAGE.at(): HUBSIDE.listing([shipment, HUBSIDE.ship(2)], sequence),
        Topic.DIRECTOR.at(cohort=COHORT): HUBSIDE.direct(desired),
        **shipment.blobs,
    }
    for topic, payload in blobs.items():
        assert hub.link.publish(topic, payload, retained=True)


def texts(hub: Listener) -> list[str]:
    payloads = hub.payloads(Topic.EVENTS.at(device=DEVICE))
    return [decode(payload, EventReport).text for payload in payloads]


def test_from_enrolment_to_a_committed_model_that_answers(
    hub: Listener, broker: Broker, stack: ExitStack, tmp_path: Path
) -> None:
    agent = make_agent(broker, stack, tmp_path, sensors(broker, tmp_path))
    publish(hub, 1, soak_rows=3)
    agent.start()
    agent.until(lambda said: said["state"] == "trial", "the trial")
    answer = agent.predict([ROW] * 3)[0]
    assert answer["score"] == pytest.approx(score([1.0, -0.5], 1.0), abs=1e-5)
    assert answer["artifact"] == shipped().manifest.sha256
    said = agent.until(lambda said: said["state"] == "serving", "the commit")
    assert said["version"] == 1
    hub.until(lambda: "committed rain 1" in texts(hub), "the event")

    hub.link.subscribe("fleetloop/test/answers/a")
    hub.link.publish("fleetloop/test/rows/a", b'{"temperature":1.0,"pressure":-0.5}')
    hub.until(lambda: bool(hub.payloads("fleetloop/test/answers/a")), "the answer to a sensor")
    sensed = json.loads(hub.payloads("fleetloop/test/answers/a")[0])
    assert sensed["score"] == answer["score"]

    second = agent.ask("run")
    assert second.returncode == 1
    assert "another agent uses" in second.stderr

    told = agent.ask("status", "--json")
    assert told.returncode == 0
    assert json.loads(told.stdout)["reported"]["artifact"] == shipped().manifest.sha256
    for_people = agent.ask("status").stdout
    assert "state                   serving" in for_people

    rows = tmp_path / "rows.csv"
    rows.write_text("pressure,station,temperature\n-0.5,north,1.0\n0,south,0\n", "utf-8")
    scored = agent.ask("score", str(rows))
    assert scored.returncode == 0, scored.stderr
    lines = [json.loads(line) for line in scored.stdout.splitlines()]
    assert len(lines) == 2
    assert lines[0] == {"label": answer["label"], "score": answer["score"]}

    assert agent.stop() == 0
    assert "ended in good order" in agent.log
    assert agent.ask("status").returncode == 1
    gone = agent.ask("score", "--slot", "previous", str(rows))
    assert gone.returncode == 1
    assert "no previous model" in gone.stderr


def test_a_sigkill_in_the_middle_of_a_fetch_and_a_start_that_goes_on(
    hub: Listener, broker: Broker, stack: ExitStack, tmp_path: Path
) -> None:
    slow = "[fetch]\nwindow = 2\nmax_bytes_per_s = 150000\n"
    agent = make_agent(broker, stack, tmp_path, slow)
    publish(hub, 10, soak_rows=0)
    agent.start()
    agent.until(lambda said: int(str(said["chunks_have"])) >= 4, "some chunks")
    agent.kill()
    agent.start()
    said = agent.until(lambda said: said["state"] == "serving" and bool(said["version"]), "commit")
    assert said["resumed_fetches"] == 1
    agent.kill()
    agent.start()
    agent.until(lambda said: said["version"] == 1, "the model, from the disk")


def test_the_agent_inside_an_application(
    hub: Listener, broker: Broker, stack: ExitStack, tmp_path: Path
) -> None:
    agent = make_agent(broker, stack, tmp_path)
    publish(hub, 20, soak_rows=3)
    with fleetloop_agent.embedded(agent.config) as device:
        assert device.wait_for_model(60.0).sha256 == shipped().manifest.sha256
        answers = device.predict([ROW] * 3)
        assert answers[0].score == pytest.approx(score([1.0, -0.5], 1.0), abs=1e-5)
        assert device.answer(np.array([[1.0, -0.5]], np.float32)).scores == [answers[0].score]
        assert device.feedback([(answers[0].prediction_id, 1)]) == 1
        until(lambda: device.status.active == "rain 1", "the commit")
        assert device.fault is None
        second = agent.ask("run")
        assert second.returncode == 1
        assert "another agent uses" in second.stderr
    with fleetloop_agent.embedded(agent.config) as device:
        assert device.manifest is not None
        (again,) = device.predict([ROW])
        assert again.score == answers[0].score
        assert again.prediction_id.startswith(f"{DEVICE}.2.")


def test_an_agent_that_ends_within_an_application_says_so_and_rows_are_answered(
    broker: Broker, stack: ExitStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = make_agent(broker, stack, tmp_path)
    monkeypatch.setattr(Agent, "step", lambda _: 1 / 0)
    with fleetloop_agent.embedded(agent.config) as device:
        until(lambda: device.fault is not None, "the fault")
        assert device.fault == "ZeroDivisionError: division by zero"
        with pytest.raises(NoModelError, match="within 0 s"):
            device.wait_for_model(0.0)


def until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 60.0
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.01)
