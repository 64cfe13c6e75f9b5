"""Alerts on MQTT: retained while they stand, cleared when over, put right if overwritten."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetloop_hub.alert_records import AlertLevel, AlertState, Channel, ChannelKind
from fleetloop_hub.broker.rights import rights
from fleetloop_hub.broker_port import BrokerAccount
from fleetloop_hub.notifying.alert_topics import BRIDGE, MOST_AT_ONCE, AlertTopics
from fleetloop_shared.alert_message import AlertMessage
from fleetloop_shared.codec import decode
from fleetloop_shared.topics import Topic
from support.alerted import an_alert
from support.hubrig import HubRig, hub_rig


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[HubRig]:
    with hub_rig(tmp_path) as rig:
        rig.kept.catalog.put(a_bridge())
        yield rig


def a_bridge(*, gone: bool = False, level: AlertLevel = AlertLevel.WARN) -> Channel:
    return Channel(key=BRIDGE, kind=ChannelKind.MQTT, made_at=0.0, by="hub", gone=gone, level=level)


def topic(subject: str = "rain") -> str:
    alert = an_alert(subject)
    return Topic.ALERT.at(kind=alert.kind, key=alert.key)


def said(rig: HubRig) -> dict[str, bytes]:
    return {t: p for t, p in rig.broker.retained().items() if "/alerts/" in t and p}


def test_an_alert_lies_on_its_topic_while_it_stands(rig: HubRig) -> None:
    rig.look()
    rig.kept.catalog.put(an_alert())
    rig.look()
    message = decode(said(rig)[topic()], AlertMessage)
    assert (message.kind, message.subject, message.state) == ("run-failed", "rain", "open")
    rig.kept.catalog.put(an_alert(state=AlertState.CLOSED))
    rig.look()
    assert said(rig) == {}


def test_what_a_broker_has_kept_of_an_alert_that_is_over_is_cleared(rig: HubRig) -> None:
    rig.look()
    rig.kept.catalog.put(an_alert(), an_alert("snow"))
    rig.look()
    rig.link.stop()
    rig.kept.catalog.put(an_alert(state=AlertState.CLOSED))
    rig.restarted()
    for _ in range(3):
        rig.look()
    assert [*said(rig)] == [topic("snow")]
    assert rig.kept.telemetry.refusals() == {}


def test_a_word_of_somebody_else_is_counted_and_put_right(rig: HubRig) -> None:
    rig.kept.catalog.put(an_alert())
    rig.look()
    rig.look()
    ours = said(rig)[topic()]
    rig._devices.publish(topic(), b"all is well", retained=True)
    rig._devices.publish(topic("forged"), b"{}", retained=True)
    for _ in range(3):
        rig.look()
    assert said(rig) == {topic(): ours}
    assert rig.kept.telemetry.refusals() == {("unknown", "overwritten"): 2}


def test_a_bridge_that_was_removed_or_hears_only_what_is_grave_clears_the_rest(
    rig: HubRig,
) -> None:
    rig.kept.catalog.put(an_alert())
    for bridge in (a_bridge(gone=True), a_bridge(level=AlertLevel.BAD)):
        rig.kept.catalog.put(a_bridge())
        rig.look()
        rig.look()
        assert [*said(rig)] == [topic()]
        rig.kept.catalog.put(bridge)
        rig.look()
        assert said(rig) == {}


def test_what_cannot_be_said_now_is_said_later_and_not_all_at_once(rig: HubRig) -> None:
    catalog = rig.kept.catalog
    catalog.put(*(an_alert(f"m{number}") for number in range(MOST_AT_ONCE + 5)))
    topics, heard = AlertTopics(catalog), list[str]()
    topics.pump(lambda _topic, _payload: False)

    def say(topic: str, _payload: bytes) -> bool:
        heard.append(topic)
        return True

    topics.pump(say)
    assert len(heard) == MOST_AT_ONCE
    topics.pump(say)
    topics.pump(say)
    assert len(heard) == len({*heard}) == MOST_AT_ONCE + 5


def test_on_a_new_connection_what_stands_is_said_again_and_what_is_over_is_cleared(
    rig: HubRig,
) -> None:
    catalog, heard = rig.kept.catalog, list[tuple[str, bool]]()
    topics = AlertTopics(catalog)

    def say(topic: str, payload: bytes) -> bool:
        heard.append((topic, bool(payload)))
        return True

    catalog.put(an_alert(), an_alert("snow"))
    topics.pump(say)
    heard.clear()
    catalog.put(an_alert("snow", state=AlertState.CLOSED))
    topics.again()
    topics.pump(say)
    topics.pump(say)
    assert sorted(heard) == sorted([(topic(), True), (topic("snow"), False)])


def test_no_device_and_no_label_source_may_write_alerts() -> None:
    for account in (
        BrokerAccount("station-1", "p", "default"),
        BrokerAccount("labels", "p", None, labels_only=True),
    ):
        granted = rights(account)
        assert not any("alerts" in f or f in {"#", "fleetloop/#"} for f in granted.publish)
