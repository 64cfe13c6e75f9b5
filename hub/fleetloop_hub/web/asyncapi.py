"""The document of what is said over MQTT (AsyncAPI 3.0), made of the topic table and its types."""

from collections.abc import Iterator, Mapping
from importlib import metadata
from typing import Any

from fleetloop_hub.web.asyncapi_words import DESCRIPTION, PARAMETERS, PARTIES, SERVERS
from fleetloop_hub.web.openapi_schemas import Schemas
from fleetloop_shared import topics
from fleetloop_shared.event_attributes import SOURCE, TYPES
from fleetloop_shared.label_messages import LabelMessage
from fleetloop_shared.topics import Topic

_BINDING = "0.2.0"
"""Version of the MQTT binding."""

_JSON, _ZLIB, _BYTES = "application/json", "application/zlib", "application/octet-stream"
_FOR_SUBSCRIBERS = frozenset(
    {
        Topic.STATE,
        Topic.REPORTED,
        Topic.DRIFT,
        Topic.PROFILE,
        Topic.HEALTH,
        Topic.SHADOW,
        Topic.EVENTS,
        Topic.ALERT,
        Topic.HUB,
    }
)
"""What may interest a program that watches; samples and labels may be personal, and are not."""

_READ_BACK = frozenset({Topic.STATE, Topic.REPORTED})
"""A device looks whether the broker keeps what it says of itself."""


def document(examples: Mapping[str, object] | None = None) -> dict[str, Any]:
    """The document of every topic.

    Args:
        examples: Payloads as they are before compression, by the name of their type.
    """
    types = {t.row.message for t in Topic if t.row.message is not None}
    given = sorted(types - {LabelMessage}, key=lambda type_: type_.__name__)
    schemas = Schemas([LabelMessage], given)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Fleetloop over MQTT",
            "version": metadata.version("fleetloop-hub"),
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0"},
            "tags": [{"name": name, "description": text} for name, text in PARTIES.items()],
        },
        "defaultContentType": _JSON,
        "servers": SERVERS,
        "channels": {topic.name.lower(): _channel(topic) for topic in Topic},
        "operations": dict(_operations()),
        "components": {
            "securitySchemes": {
                "account": {
                    "type": "userPassword",
                    "description": "An account at the broker. Its rights are filters of topics.",
                }
            },
            "messages": {_message_of(t): _message(t, examples or {}) for t in Topic},
            "schemas": dict(sorted(schemas.components.items())),
        },
    }


def _channel(topic: Topic) -> dict[str, Any]:
    row, name = topic.row, _message_of(topic)
    said: dict[str, Any] = {
        "address": f"{topics.ROOT}/{row.path}",
        "summary": row.says,
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "x-fleetloop-filter": topic.every(),
        "x-fleetloop-retained": row.retained,
        "x-fleetloop-acknowledged": row.outbox,
    }
    names = [name for name in PARAMETERS if f"{{{name}}}" in row.path]
    if names:
        said["parameters"] = {
            name: {"description": PARAMETERS[name][0], "examples": [PARAMETERS[name][1]]}
            for name in names
        }
    return said


def _operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for topic in Topic:
        for party, action in _acts(topic):
            name = topic.name.lower()
            bindings = {"qos": topic.row.qos, "bindingVersion": _BINDING}
            if action == "send":
                bindings["retain"] = topic.row.retained
            yield (
                f"{party}_{action}s_{name}",
                {
                    "action": action,
                    "channel": {"$ref": f"#/channels/{name}"},
                    "summary": f"{PARTIES[party].partition(':')[0]} {action}s: {topic.row.says}",
                    "tags": [{"name": party}],
                    "bindings": {"mqtt": bindings},
                    "messages": [{"$ref": f"#/channels/{name}/messages/{_message_of(topic)}"}],
                },
            )


def _acts(topic: Topic) -> list[tuple[str, str]]:
    """Who sends a topic and who receives it."""
    first, *others = topic.row.path.split("/")
    peer = {"sources": "source", "alerts": "subscriber"}.get(first, "device")
    if topic is Topic.PROBE:
        acts = [("hub", "send"), ("hub", "receive")]
    elif "up" in others:
        acts = [(peer, "send"), ("hub", "receive")]
    else:
        acts = [("hub", "send"), (peer, "receive")]
    if topic in _READ_BACK:
        acts.append(("device", "receive"))
    if topic in _FOR_SUBSCRIBERS and peer != "subscriber":
        acts.append(("subscriber", "receive"))
    return acts


def _message_of(topic: Topic) -> str:
    if topic.row.message is not None:
        return topic.row.message.__name__
    return "Probe" if topic is Topic.PROBE else "Chunk"


def _message(topic: Topic, examples: Mapping[str, object]) -> dict[str, Any]:
    name, row = _message_of(topic), topic.row
    binding = {"mqtt": {"bindingVersion": _BINDING}}
    if row.message is None:
        return {
            "name": name,
            "summary": "Raw bytes.",
            "contentType": _BYTES,
            "payload": {"type": "string", "format": "binary"},
            "bindings": binding,
        }
    summary, _, _ = (row.message.__doc__ or "").partition("\n")
    said: dict[str, Any] = {
        "name": name,
        "summary": summary,
        "contentType": _ZLIB if row.compressed else _JSON,
        "payload": {"$ref": f"#/components/schemas/{name}"},
        "bindings": binding,
    }
    if row.compressed:
        said["description"] = (
            "Travels as zlib data (RFC 1950) of UTF-8 JSON; the schema is that of the JSON."
        )
    if topic in TYPES:
        said["x-fleetloop-cloudevents"] = {
            "specversion": "1.0",
            "source": SOURCE,
            "types": list(TYPES[topic]),
        }
    if name in examples:
        said["examples"] = [{"name": "golden", "payload": examples[name]}]
    return said
