"""Rows that sensors publish are answered once; what is no row is refused, counted and told."""

import json

import pytest

from fleetloop_agent.errors import ModelError
from fleetloop_agent.ports import Model, Rows, Runtime
from fleetloop_agent.sensor_config import SensorConfig
from fleetloop_agent.serving import sensor_topics
from fleetloop_agent.serving.named_rows import NamedRows
from fleetloop_agent.serving.predictor import Predictor
from fleetloop_agent.serving.sensor_topics import SensorTopics
from fleetloop_agent.status import SensorStatus
from fleetloop_shared.link import Oversized, Received, SubscriptionRefused
from fleetloop_shared.manifest import Signature
from support import serving_rig
from support.agent_board import MemoryLink

CONFIG = SensorConfig(
    broker="mqtt://127.0.0.1",
    input="sensors/+/reading",
    output="predictions/{0}",
    refusals="refusals/{0}",
    presence="fleetloop/presence",
    queue=3,
)
ROW = {"wind": 1.0, "rain": -0.5}


class Rig:
    def __init__(self, predictor: Predictor | None = None, config: SensorConfig = CONFIG) -> None:
        self.link = MemoryLink()
        self.predictor = predictor or serving_rig.predictor()
        self.topics = SensorTopics(config, self.link, self.predictor)
        self.topics.start()
        self.link.connect()
        self.topics.step()

    def hear(self, payload: object, *, sensor: str = "pump-3", retained: bool = False) -> None:
        data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self.link.inject(Received(f"sensors/{sensor}/reading", data, retained))

    def answers(self, sensor: str = "pump-3") -> list[dict[str, object]]:
        return [json.loads(said) for said in self.link.sent(f"predictions/{sensor}")]

    @property
    def status(self) -> SensorStatus:
        return self.topics.status


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.mark.parametrize(
    "payload",
    [
        ROW,
        [1.0, -0.5],
        {"rows": [ROW, ROW]},
        {"rows": [ROW]},
        [ROW, ROW],
        [[1.0, -0.5], [1.0, -0.5]],
        [[1.0, -0.5], ROW],
    ],
)
def test_every_form_of_a_row_is_answered_as_the_local_endpoint_answers_it(
    rig: Rig, payload: object
) -> None:
    rig.hear(payload)
    rig.topics.step()
    (told,) = rig.answers()
    count = len(str(payload).split("-0.5")) - 1
    asked = {"rows": [ROW] * count} if "answers" in told else ROW
    expected = NamedRows(serving_rig.predictor(), 9).answer(json.dumps(asked).encode())
    assert told == json.loads(expected.body)
    assert ("answers" in told) == (payload not in (ROW, [1.0, -0.5]))
    assert (rig.status.received, rig.status.answered) == (1, 1)


def test_a_missing_value_is_null(rig: Rig) -> None:
    rig.hear([None, 1])
    rig.topics.step()
    assert rig.status.answered + rig.status.failed == 1


@pytest.mark.parametrize(
    "payload",
    [
        b"{",
        b"\xff",
        b"[" * 100_000,
        b"12",
        b'"wind"',
        b"null",
        b"[]",
        b"{}",
        b'{"rows":[]}',
        b'{"wind":1}',
        b'{"wind":1,"rain":2,"snow":3}',
        b'{"wind":"strong","rain":2}',
        b"[1]",
        b"[1,2,3]",
        b"[[1,2],3]",
        b"[1,[2]]",
        b'{"wind":1e999,"rain":1}',
        b'{"wind":' + b"9" * 400 + b',"rain":1}',
        b'{"wind":NaN,"rain":1}',
        b'{"wind":true,"rain":1}',
        b'{"wind":{},"rain":1}',
    ],
)
def test_a_payload_that_is_no_row_is_refused_counted_and_told(rig: Rig, payload: bytes) -> None:
    rig.hear(payload)
    rig.hear(ROW)
    rig.topics.step()
    assert (rig.status.refused, rig.status.answered) == (1, 1)
    (told,) = rig.link.sent("refusals/pump-3")
    assert json.loads(told)["topic"] == "sensors/pump-3/reading"
    assert json.loads(told)["error"]
    assert rig.status.trouble is not None
    assert rig.status.trouble.startswith("sensors/pump-3/reading: ")


def test_without_a_refusals_topic_it_is_only_counted() -> None:
    config = SensorConfig(broker="mqtt://b", input="in/+", output="out/{0}")
    rig = Rig(config=config)
    rig.link.inject(Received("in/a", b"{", retained=False))
    rig.topics.step()
    assert (rig.status.refused, rig.link.published) == (1, [])


def test_no_model_yet_is_told_and_rows_are_answered_once_there_is_one() -> None:
    rig = Rig(serving_rig.predictor(loaded=False))
    rig.hear(ROW)
    rig.topics.step()
    assert rig.status.failed == 1
    assert b"first rollout" in rig.link.sent("refusals/pump-3")[0]
    rig.predictor.load(*serving_rig.model())
    rig.hear(ROW)
    rig.topics.step()
    assert len(rig.answers()) == 1


class ThrowingRuntime(Runtime):
    """Loads models that throw what they are told to."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def load(self, artifact: bytes, signature: Signature) -> Model:
        error = self.error

        class Throwing(Model):
            def outputs(self, rows: Rows) -> Rows:
                raise error

        return Throwing()


@pytest.mark.parametrize(
    "error", [ModelError("it fell over"), RuntimeError("a fault"), MemoryError()]
)
def test_a_model_that_throws_costs_its_message_only(error: Exception) -> None:
    rig = Rig(serving_rig.predictor(ThrowingRuntime(error)))
    rig.hear(ROW)
    rig.hear(ROW)
    rig.topics.step()
    assert rig.status.failed == 2
    assert len(rig.link.sent("refusals/pump-3")) == 2


def test_beyond_the_queue_the_oldest_is_dropped_and_counted(rig: Rig) -> None:
    for number in range(10):
        rig.hear(ROW, sensor=str(number))
    rig.topics.step()
    answered = [topic for topic, _ in rig.link.published if topic.startswith("predictions/")]
    assert answered == [f"predictions/{number}" for number in (7, 8, 9)]
    assert (rig.status.dropped, rig.status.answered, rig.status.waiting) == (7, 3, 0)


def test_messages_that_are_large_are_dropped_before_they_fill_the_memory(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sensor_topics, "QUEUE_BYTES", 1_000)
    rig.hear(b" " * 900 + b"1")
    rig.hear(ROW)
    rig.hear(b" " * 900 + b"1")
    rig.topics.step()
    assert (rig.status.dropped, rig.status.answered, rig.status.refused) == (1, 1, 1)


def test_a_step_ends_although_more_and_more_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sensor_topics, "ONE_STEP", 2)
    rig = Rig()
    for _ in range(3):
        rig.hear(ROW)
    rig.topics.step()
    assert (rig.status.answered, rig.status.waiting) == (2, 1)
    rig.topics.wait(60.0)
    rig.topics.step()
    assert rig.status.answered == 3


def test_what_the_broker_has_kept_is_old_and_not_answered_unless_told_so(rig: Rig) -> None:
    rig.hear(ROW, retained=True)
    rig.hear(b"")
    rig.topics.step()
    assert (rig.status.ignored, rig.status.answered) == (2, 0)
    config = SensorConfig(
        broker="mqtt://b", input="sensors/+/reading", output="out", answer_retained=True
    )
    told = Rig(config=config)
    told.hear(ROW, retained=True)
    told.topics.step()
    assert told.status.answered == 1


def test_a_message_on_a_topic_that_was_not_asked_for_is_ignored(rig: Rig) -> None:
    rig.link.inject(Received("predictions/pump-3", b"{}", retained=False))
    rig.topics.step()
    assert (rig.status.ignored, rig.status.refused) == (1, 0)


def test_an_answer_that_the_broker_does_not_take_is_counted(rig: Rig) -> None:
    rig.link.accepts = False
    rig.hear(ROW)
    rig.topics.step()
    assert (rig.status.answered, rig.status.unsent) == (0, 1)


def test_a_topic_that_cannot_be_written_to_is_not() -> None:
    rig = Rig(config=SensorConfig(broker="mqtt://b", input="sensors/+", output="{0}"))
    rig.link.inject(Received("sensors/", json.dumps(ROW).encode(), retained=False))
    rig.topics.step()
    assert (rig.status.unsent, rig.link.published) == (1, [])


def test_it_subscribes_anew_and_says_that_it_is_there_on_every_connection(rig: Rig) -> None:
    presence = "fleetloop/presence"
    assert rig.link.will is not None
    assert (rig.link.will.topic, rig.link.will.payload) == (presence, b'{"online":false}')
    rig.link.disconnect()
    rig.topics.step()
    assert not rig.status.connected
    assert rig.status.trouble is not None
    rig.link.connect()
    rig.topics.step()
    assert rig.link.subscribed == ["sensors/+/reading"] * 2
    assert rig.link.sent(presence) == [b'{"online":true}'] * 2
    rig.topics.stop()
    assert rig.link.sent(presence)[-1] == b'{"online":false}'


def test_what_the_broker_refuses_or_cuts_off_is_visible(rig: Rig) -> None:
    rig.link.inject(SubscriptionRefused("sensors/+/reading"))
    rig.topics.step()
    assert rig.status.trouble is not None
    assert "does not let this device read sensors/+/reading" in rig.status.trouble
    rig.link.inject(Oversized(2_000_000, 1_048_576))
    rig.topics.step()
    assert "2,000,000 bytes" in rig.status.trouble
    assert rig.status.too_long == 1


def test_a_message_that_was_passed_over_is_counted_and_named_once_a_topic(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    for topic in ("sensors/m1/reading", "sensors/m2/reading", "sensors/m2/reading"):
        rig.link.inject(Oversized(3_000_020, 1_048_576, topic))
    rig.hear(ROW)
    rig.topics.step()
    assert (rig.status.too_long, rig.status.answered) == (3, 1)
    assert rig.status.trouble is not None
    assert "3,000,020 bytes on 'sensors/m2/reading' was passed over" in rig.status.trouble
    warned = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert [text.split("'")[2] for text in warned] == ["sensors/m1/reading", "sensors/m2/reading"]
