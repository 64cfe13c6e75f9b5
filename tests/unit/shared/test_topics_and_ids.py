"""Topics and names: what is built is read back, and nothing strange gets in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetloop_shared.errors import InvalidIdError
from fleetloop_shared.ids import bucket, check_name
from fleetloop_shared.topics import Address, Topic, parse

NAMES = {
    "device": "station-1",
    "cohort": "default",
    "sha256": "ab" * 32,
    "index": "3",
    "source": "till",
    "kind": "drift",
    "key": "drift-rain-1a2b3c",
}


@pytest.mark.parametrize("topic", list(Topic))
def test_a_topic_that_is_built_is_read_back(topic: Topic) -> None:
    names = {k: v for k, v in NAMES.items() if f"{{{k}}}" in topic.row.path}
    assert parse(topic.at(**names)) == Address(topic, names)


@pytest.mark.parametrize("topic", list(Topic))
def test_topics_stay_within_what_every_broker_takes(topic: Topic) -> None:
    assert topic.at(**NAMES).count("/") <= 7
    assert "." not in topic.at(**NAMES)


def test_only_what_must_last_is_retained() -> None:
    retained = {t for t in Topic if t.row.retained}
    assert retained == {
        Topic.STATE,
        Topic.REPORTED,
        Topic.IMAGE,
        Topic.DIRECTOR,
        Topic.BLOB,
        Topic.ALERT,
        Topic.HUB,
        Topic.PROBE,
    }
    assert not any(t.row.retained and t.row.outbox for t in Topic)


@pytest.mark.parametrize(
    "injected", ["a/b", "+", "#", "", "A", "a.b", "a b", "x" * 65, "../a", "a\n", "é"]
)
def test_a_name_that_would_change_a_topic_is_refused(injected: str) -> None:
    with pytest.raises(InvalidIdError, match="device"):
        check_name(injected, "device")
    assert parse(f"fleetloop/v1/devices/{injected}/up/drift") is None


@given(share=st.integers(500, 9_500), salt=st.text(max_size=20))
def test_a_phase_holds_about_its_share_of_a_large_fleet(share: int, salt: str) -> None:
    inside = sum(bucket(f"device-{n}", salt) < share for n in range(2_000))
    assert abs(inside / 2_000 - share / 10_000) < 0.08


def test_another_salt_draws_other_devices() -> None:
    fleet = [f"device-{n}" for n in range(200)]
    first = {d for d in fleet if bucket(d, "a") < 2_500}
    second = {d for d in fleet if bucket(d, "b") < 2_500}
    assert first != second
