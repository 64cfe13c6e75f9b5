"""What Home Assistant is told of one device: its entities, and how to read them off our topics.

The form is the device discovery of Home Assistant's MQTT integration, as it is documented since
2024.11. Every value is read from a topic that exists anyhow; nothing is said twice. Templates are
the same for all devices and bear nothing that a device has said.
"""

from typing import Any

from fleetloop_hub.fleet_records import Device
from fleetloop_shared.topics import Topic

LONGEST_MODEL = 64
"""Characters of a hardware type that are passed on."""

_VERSION = "{{ value_json.model ~ ' ' ~ value_json.version if value_json.model else 'None' }}"
_ONLINE = "{{ 'online' if value_json.online else 'offline' }}"
_MEASURED = {"state_class": "measurement"}
_BYTES = {"device_class": "data_size", "unit_of_measurement": "B", "suggested_display_precision": 0}
_MS = {"unit_of_measurement": "ms", "device_class": "duration"}
_ASIDE = {"entity_category": "diagnostic"}

Entity = tuple[str, str, Topic, str, dict[str, Any]]

ENTITIES: list[Entity] = [
    ("version", "Model version", Topic.REPORTED, _VERSION, {"icon": "mdi:tag"}),
    ("update", "Update", Topic.REPORTED, "{{ value_json.state }}", {"icon": "mdi:update"}),
    ("drift", "Drift ratio", Topic.DRIFT, "{{ value_json.ratio }}", _MEASURED),
    ("rows", "Rows since the last report", Topic.HEALTH, "{{ value_json.rows }}", _MEASURED),
    ("errors", "Failed rows", Topic.HEALTH, "{{ value_json.errors }}", _MEASURED),
    ("p50", "Latency, median", Topic.HEALTH, "{{ value_json.latency_p50_ms }}", _MS | _MEASURED),
    (
        "p99",
        "Latency, 99th percentile",
        Topic.HEALTH,
        "{{ value_json.latency_p99_ms }}",
        _MS | _MEASURED,
    ),
    (
        "memory",
        "Memory of the agent",
        Topic.HEALTH,
        "{{ value_json.rss_bytes }}",
        _BYTES | _MEASURED | _ASIDE,
    ),
    (
        "disk",
        "Free disk",
        Topic.HEALTH,
        "{{ value_json.system.disk_free_bytes }}",
        _BYTES | _MEASURED | _ASIDE,
    ),
    (
        "temperature",
        "Temperature",
        Topic.HEALTH,
        "{{ value_json.system.temperature_c }}",
        {"device_class": "temperature", "unit_of_measurement": "°C"} | _MEASURED | _ASIDE,
    ),
    (
        "outbox",
        "Unacknowledged reports",
        Topic.HEALTH,
        "{{ value_json.outbox }}",
        _MEASURED | _ASIDE,
    ),
]
"""The sensors: name in ids, name for people, where it is read, how, what else is said of it."""

SWITCHES: list[Entity] = [
    (
        "connected",
        "Connected",
        Topic.STATE,
        "{{ 'ON' if value_json.online else 'OFF' }}",
        {"device_class": "connectivity"} | _ASIDE,
    ),
    (
        "alarm",
        "Drift alarm",
        Topic.DRIFT,
        "{{ 'ON' if value_json.alarm else 'OFF' }}",
        {"device_class": "problem"},
    ),
]
"""The same of binary sensors."""


def topic_of(prefix: str, device: str) -> str:
    """Where a device is told of.

    >>> topic_of("homeassistant", "station-1")
    'homeassistant/device/fleetloop_station-1/config'
    """
    return f"{prefix}/device/fleetloop_{device}/config"


def config_of(device: Device, url: str, version: str) -> dict[str, Any]:
    """What is told of a device.

    Args:
        device: As it was enrolled.
        url: Where the console is for people, "" if nobody has said.
        version: The hub's.
    """
    known: dict[str, Any] = {
        "identifiers": [f"fleetloop_{device.key}"],
        "name": device.key,
        "manufacturer": "Fleetloop",
        "model": device.hardware[:LONGEST_MODEL],
    }
    if url:
        known["configuration_url"] = f"{url.rstrip('/')}/devices/{device.key}"
    return {
        "device": known,
        "origin": {"name": "Fleetloop", "sw_version": version},
        "qos": 1,
        "components": {
            f"fleetloop_{device.key}_{entity[0]}": _component(device.key, platform, entity)
            for platform, entities in (("binary_sensor", SWITCHES), ("sensor", ENTITIES))
            for entity in entities
        },
    }


def _component(device: str, platform: str, entity: Entity) -> dict[str, Any]:
    name, title, topic, template, more = entity
    said: dict[str, Any] = {
        "platform": platform,
        "unique_id": f"fleetloop_{device}_{name}",
        "name": title,
        "state_topic": topic.at(device=device),
        "value_template": template,
        **more,
    }
    if topic is not Topic.STATE:
        said["availability"] = [{"topic": Topic.STATE.at(device=device), "value_template": _ONLINE}]
    return said
