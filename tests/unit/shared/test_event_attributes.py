"""Which messages of the hub are CloudEvents, and as what."""

import pytest

from fleetloop_hub.notifying import cloud_event
from fleetloop_shared.alert_message import AlertMessage
from fleetloop_shared.codec import encode
from fleetloop_shared.event_attributes import SOURCE, event_attributes
from fleetloop_shared.mqtt_properties import without_properties
from fleetloop_shared.topics import Topic

AT = Topic.ALERT.at(kind="drift", key="drift-rain-1")


def alert(state: str) -> bytes:
    return encode(
        AlertMessage(
            key="drift-rain-1",
            kind="drift",
            subject="rain",
            level="warn",
            state=state,
            text="rain drifts",
            page="/monitoring",
            count=1,
            opened_at=1.0,
        )
    )


@pytest.mark.parametrize(
    ("state", "happened"),
    [("open", "opened"), ("acknowledged", "acknowledged"), ("closed", "closed")],
)
def test_an_alert_bears_the_type_and_source_that_webhooks_have(state: str, happened: str) -> None:
    said = dict(event_attributes(AT, alert(state), lambda: 0.5) or [])
    assert said["type"] == cloud_event.TYPE + happened
    assert said["source"] == SOURCE == cloud_event.SOURCE
    assert said["subject"] == "drift-rain-1"
    assert said["time"] == "1970-01-01T00:00:00.500Z"


def test_what_is_said_again_has_the_same_id_and_what_has_changed_another() -> None:
    ids = [dict(event_attributes(AT, alert(s)) or [])["id"] for s in ("open", "open", "closed")]
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        (AT, b""),
        (AT, b"no JSON"),
        (AT, alert("unheard-of")),
        (Topic.BLOB.at(sha256="a" * 64, index=0), b"chunk"),
        (Topic.DIRECTOR.at(cohort="roofs"), b"signed"),
        ("homeassistant/device/x/config", b"{}"),
    ],
)
def test_what_is_no_event_bears_nothing(topic: str, payload: bytes) -> None:
    assert event_attributes(topic, payload) is None


def test_long_properties_are_dropped_and_the_payload_is_whole() -> None:
    head = b"\x00\x01a\x00\x07"
    packet = head + b"\xac\x02" + bytes(300) + b"payload"
    assert without_properties(0x32, packet) == head + b"\0payload"


def test_properties_whose_length_has_no_end_are_refused() -> None:
    with pytest.raises(ValueError, match="no end"):
        without_properties(0x30, b"\x00\x01a" + b"\xff" * 8)
