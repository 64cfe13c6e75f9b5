"""Whatever a sensor publishes is answered or refused; nothing else happens."""

import json

from hypothesis import given
from hypothesis import strategies as st

from fleetloop_agent.sensor_config import SensorConfig
from fleetloop_agent.serving.sensor_topics import SensorTopics
from fleetloop_shared.link import Received
from support import serving_rig
from support.agent_board import MemoryLink

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.lists(st.integers(), max_size=2),
)
ROWS = st.one_of(
    st.fixed_dictionaries({"wind": VALUES, "rain": VALUES}),
    st.dictionaries(st.sampled_from(["wind", "rain", "rows", ""]), VALUES, max_size=3),
    st.lists(VALUES, max_size=3),
)
PAYLOADS = st.one_of(
    st.binary(max_size=60),
    st.one_of(ROWS, st.lists(ROWS, max_size=3), VALUES).map(lambda told: json.dumps(told).encode()),
)
CONFIG = SensorConfig(broker="mqtt://b", input="in/+", output="out/{0}", refusals="no/{0}")
PREDICTOR = serving_rig.predictor()


@given(st.lists(PAYLOADS, max_size=3))
def test_every_payload_is_answered_refused_or_ignored_and_counted(payloads: list[bytes]) -> None:
    link = MemoryLink()
    topics = SensorTopics(CONFIG, link, PREDICTOR)
    link.start(None)
    link.connect()
    for payload in payloads:
        link.inject(Received("in/a", payload, retained=False))
    topics.step()
    status = topics.status
    assert status.received == len(payloads)
    unanswered = status.refused + status.failed + status.ignored
    assert status.received == status.answered + unanswered
    assert len(link.sent("out/a")) == status.answered
    assert len(link.sent("no/a")) == status.refused + status.failed
    for said in (*link.sent("out/a"), *link.sent("no/a")):
        assert isinstance(json.loads(said), dict)
