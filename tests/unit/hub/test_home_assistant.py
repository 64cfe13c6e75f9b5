"""Home Assistant: told of every device in the documented form, and of none when switched off."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import jinja2.sandbox
import pytest

from fleetloop_hub.broker.rights import rights
from fleetloop_hub.broker_port import BrokerAccount
from fleetloop_hub.config import HubConfig
from fleetloop_hub.errors import ConfigError
from fleetloop_hub.fleet_records import Device, Discovery
from fleetloop_hub.home_assistant.discovery import ENTITIES, SWITCHES, config_of, topic_of
from fleetloop_hub.home_assistant.telling import MOST_AT_ONCE, HomeAssistant, switch
from fleetloop_shared.topics import Topic, parse
from support.asyncapi_page import GOLDEN
from support.hubparts import Parts, parts
from support.hubrig import HubRig, hub_rig

PREFIX = "homeassistant"

DEVICE_KEYS = {"identifiers", "name", "manufacturer", "model", "configuration_url"}
COMPONENT_KEYS = {
    "platform",
    "unique_id",
    "name",
    "state_topic",
    "value_template",
    "availability",
    "device_class",
    "state_class",
    "unit_of_measurement",
    "suggested_display_precision",
    "entity_category",
    "icon",
}
"""Of what Home Assistant documents for device discovery, sensors and binary sensors."""

SHOWN = {
    "connected": "ON",
    "alarm": "ON",
    "version": "rain 1",
    "update": "fetching",
    "drift": "2.5",
    "rows": "64",
    "errors": "1",
    "p50": "0.25",
    "p99": "1.5",
    "memory": "60000000",
    "disk": "2000000000",
    "temperature": "61.5",
    "outbox": "3",
}
"""What the golden messages say."""


def a_device(name: str = "station-1", hardware: str = "x86-64") -> Device:
    return Device(key=name, cohort="roofs", hardware=hardware, password="secret", enrolled_at=0.0)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Parts]:
    with parts(tmp_path) as kept:
        yield kept


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[HubRig]:
    with hub_rig(tmp_path) as rig:
        yield rig


def told(rig: HubRig, prefix: str = PREFIX) -> set[str]:
    return {t for t, p in rig.broker.retained().items() if t.startswith(f"{prefix}/") and p}


@pytest.mark.parametrize("entity", [*SWITCHES, *ENTITIES], ids=lambda entity: str(entity[0]))
def test_a_template_reads_what_devices_really_say(
    entity: tuple[str, str, Topic, str, dict[str, object]],
) -> None:
    message = entity[2].row.message
    assert message is not None
    said = json.loads((GOLDEN / f"{message.__name__}.json").read_bytes())
    template = jinja2.sandbox.ImmutableSandboxedEnvironment(
        undefined=jinja2.StrictUndefined
    ).from_string(entity[3])
    assert template.render(value_json=said) == SHOWN[entity[0]]


def test_what_a_device_does_not_know_is_unknown_there() -> None:
    said = json.loads((GOLDEN / "ReportedState.json").read_bytes()) | {"model": None}
    (template,) = [entity[3] for entity in ENTITIES if entity[0] == "version"]
    assert jinja2.Template(template).render(value_json=said) == "None"


def test_only_documented_keys_are_used_and_every_id_is_there_once() -> None:
    config = config_of(a_device(), "https://hub.example/", "1.0")
    assert config.keys() == {"device", "origin", "qos", "components"}
    assert config["device"].keys() == DEVICE_KEYS
    assert config["device"]["configuration_url"] == "https://hub.example/devices/station-1"
    components = config["components"].values()
    assert len({c["unique_id"] for c in components}) == len(ENTITIES) + len(SWITCHES)
    for component in components:
        assert component.keys() <= COMPONENT_KEYS
        assert component["platform"] in {"sensor", "binary_sensor"}
        address = parse(component["state_topic"])
        assert address is not None
        assert address.names == {"device": "station-1"}


def test_what_a_device_calls_itself_gets_into_no_template_and_no_topic() -> None:
    evil = a_device(hardware='{{ states("x") }}/+/#"\n' * 9)
    config = config_of(evil, "", "1.0")
    assert len(config["device"].pop("model")) == 64
    assert "states(" not in json.dumps(config)
    assert re.fullmatch(r"homeassistant/device/[a-zA-Z0-9_-]+/config", topic_of(PREFIX, evil.key))


def test_a_hub_that_is_not_asked_to_tells_nothing(rig: HubRig) -> None:
    switch(rig.kept.catalog, "", "")
    rig.device("station-1")
    rig.look()
    assert told(rig) == set()
    assert rig.kept.catalog.find(Discovery, Discovery.KEY) is None


def test_every_device_is_told_once_and_again_on_a_new_connection(rig: HubRig) -> None:
    switch(rig.kept.catalog, PREFIX, "")
    rig.look()
    rig.device("station-1")
    rig.device("station-2")
    rig.look()
    assert told(rig) == {topic_of(PREFIX, "station-1"), topic_of(PREFIX, "station-2")}
    rig.link.stop()
    rig.broker._retained.clear()
    rig.restarted()
    rig.look()
    rig.look()
    assert told(rig) == {topic_of(PREFIX, "station-1"), topic_of(PREFIX, "station-2")}


def test_switched_off_or_moved_it_clears_what_it_has_told(rig: HubRig) -> None:
    switch(rig.kept.catalog, PREFIX, "")
    rig.device("station-1")
    rig.look()
    for prefix in ("elsewhere", ""):
        rig.link.stop()
        switch(rig.kept.catalog, prefix, "")
        rig.restarted()
        for _ in range(4):
            rig.look()
        assert told(rig) == set()
        assert told(rig, "elsewhere") == ({topic_of(prefix, "station-1")} if prefix else set())
    found = rig.kept.catalog.find(Discovery, Discovery.KEY)
    assert found is not None
    assert found.former == []


def test_a_former_prefix_is_remembered_until_all_has_arrived(kept: Parts) -> None:
    switch(kept.catalog, PREFIX, "")
    switch(kept.catalog, "", "")
    kept.catalog.put(*(a_device(f"station-{i}") for i in range(MOST_AT_ONCE + 1)))
    home, said = HomeAssistant(kept.catalog), list[str]()

    def say(topic: str, payload: bytes) -> bool:
        assert payload == b""
        said.append(topic)
        return True

    home.pump(lambda _topic, _payload: False, 0)
    for backlog_bytes in (0, 0, 9, 9):
        home.pump(say, backlog_bytes)
        found = kept.catalog.find(Discovery, Discovery.KEY)
        assert found is not None
        assert found.former == [PREFIX]
    assert len(said) == len(set(said)) == MOST_AT_ONCE + 1
    home.pump(lambda _topic, _payload: False, 0)
    found = kept.catalog.find(Discovery, Discovery.KEY)
    assert found is not None
    assert found.former == []


def test_only_the_hub_may_write_configs_and_home_assistant_writes_nothing_of_ours() -> None:
    hub = rights(BrokerAccount("hub", "secret", None, prefixes=(PREFIX,)))
    assert hub.publish == ["fleetloop/#", "homeassistant/device/+/config"]
    home = rights(BrokerAccount("home-assistant", "x", None, prefixes=(PREFIX,), watches=True))
    assert home.publish == ["homeassistant/status"]
    assert Topic.DRIFT.every() in home.subscribe
    assert not [f for f in home.subscribe if "samples" in f or "labels" in f or f == "fleetloop/#"]
    device = rights(BrokerAccount("station-1", "secret", "roofs"))
    assert not [f for f in device.publish + device.subscribe if PREFIX in f]


@pytest.mark.parametrize("prefix", ["fleetloop", "a/b", "+", "#", "a b", "x" * 65, "a\nuser hub"])
def test_a_prefix_that_could_widen_rights_is_refused(tmp_path: Path, prefix: str) -> None:
    with pytest.raises(ConfigError):
        HubConfig(tmp_path, home_assistant=prefix)
