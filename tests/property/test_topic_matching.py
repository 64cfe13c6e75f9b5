"""The simulated broker matches topics as MQTT does, judged by paho's own matcher."""

from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import topic_matches_sub

from fleetloop_firmware_sim.network import matches

LEVELS = st.sampled_from(["a", "b", "", "$SYS"])
TOPICS = st.lists(LEVELS, min_size=1, max_size=5).map("/".join).filter(bool)
FILTERS = st.builds(
    lambda levels, rest: "/".join(levels) + rest,
    st.lists(st.sampled_from(["a", "b", "", "+", "$SYS"]), min_size=1, max_size=5),
    st.sampled_from(["", "/#"]),
).filter(bool) | st.just("#")


@given(FILTERS, TOPICS)
def test_the_same_topics_match(filter_: str, topic: str) -> None:
    assert matches(filter_, topic) == topic_matches_sub(filter_, topic)
