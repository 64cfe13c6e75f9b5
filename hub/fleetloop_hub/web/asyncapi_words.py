"""What the document of MQTT says in words, beyond what stands in the topic table and its types."""

from typing import Any

DESCRIPTION = """\
What a Fleetloop hub, its devices and whoever watches them say to each other over MQTT 3.1.1.

Payloads are UTF-8 JSON unless the content type says otherwise; a field that a reader does not know
is to be passed over. `schema` in a message grows when a reader of the old form would misread it.
Times are Unix seconds by the sender's clock. What is retained is told at once to whoever
subscribes; an empty payload means that it is over. Reports (`x-fleetloop-acknowledged`) are sent
again until the hub has acknowledged them: know them by (device, boot, seq), and count each once.
Where the broker speaks MQTT 5, messages of the hub with `x-fleetloop-cloudevents` bear CloudEvents
attributes as user properties (MQTT binding, binary mode); the payload is the same."""

PARTIES = {
    "hub": "The hub: trains, signs, rolls out, takes reports in.",
    "device": "The device: runs models, and reports.",
    "source": "The label source: tells the truth about answers, later.",
    "subscriber": "The subscriber: any program that watches, and writes nothing.",
}
"""Who takes part."""

PARAMETERS = {
    "device": ("The device's id: 1 to 64 of a-z 0-9 _ -.", "station-1"),
    "cohort": ("The cohort's name: 1 to 64 of a-z 0-9 _ -.", "roofs"),
    "source": ("The label source's name: 1 to 64 of a-z 0-9 _ -.", "lab"),
    "sha256": ("SHA-256 of the content: 64 of 0-9 a-f.", "ab" * 32),
    "index": ("The chunk's place, from 0.", "0"),
    "kind": ("What the alert is about.", "drift"),
    "key": ("Names the alert.", "drift-rain-1"),
}
"""What stands in topics: the words, and an example."""

_ACCOUNT = [{"$ref": "#/components/securitySchemes/account"}]

SERVERS: dict[str, Any] = {
    "broker": {
        "host": "{host}:{port}",
        "protocol": "mqtt",
        "protocolVersion": "3.1.1",
        "description": "The broker that the hub uses; `fleetloop status` says where.",
        "variables": {"host": {"default": "127.0.0.1"}, "port": {"default": "1883"}},
        "security": _ACCOUNT,
    },
    "broker_tls": {
        "host": "{host}:{port}",
        "protocol": "secure-mqtt",
        "protocolVersion": "3.1.1",
        "description": "The same behind TLS, where the broker has it.",
        "variables": {"host": {"default": "broker.example"}, "port": {"default": "8883"}},
        "security": _ACCOUNT,
    },
}
