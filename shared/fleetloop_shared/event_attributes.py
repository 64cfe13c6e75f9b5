"""What makes a message of the hub a CloudEvents 1.0 event: attributes that MQTT 5 carries.

Source: CloudEvents 1.0.2, section 3, and its MQTT protocol binding, binary mode (section 3.1):
attributes are user properties, the content type is MQTT's, the payload stays as it is.
"""

import hashlib
import time
from collections.abc import Callable
from datetime import UTC, datetime

from fleetloop_shared.alert_message import AlertMessage
from fleetloop_shared.codec import decode
from fleetloop_shared.errors import FleetloopError
from fleetloop_shared.topics import Topic, parse

CONTENT_TYPE = "application/json"
SOURCE = "urn:fleetloop:hub"

TYPES = {
    Topic.ALERT: (
        "fleetloop.alert.opened",
        "fleetloop.alert.acknowledged",
        "fleetloop.alert.closed",
    ),
    Topic.HUB: ("fleetloop.hub.state",),
}
"""Topics whose messages are events, and the types that they may have."""

_ALERT_TYPES = dict(zip(("open", "acknowledged", "closed"), TYPES[Topic.ALERT], strict=True))

Attributes = list[tuple[str, str]]
Describe = Callable[[str, bytes], Attributes | None]
"""The attributes of a payload on a topic, None where it is no event."""


def event_attributes(
    topic: str, payload: bytes, clock: Callable[[], float] = time.time
) -> Attributes | None:
    """The attributes of what the hub says; None for what is no event, as a cleared topic.

    The id follows from topic and payload: what is said again, as on each connection, has the same.

    >>> event_attributes("fleetloop/v1/hub/state", b"{}", lambda: 0.0)[3:]
    [('type', 'fleetloop.hub.state'), ('time', '1970-01-01T00:00:00.000Z')]
    """
    address = parse(topic)
    if address is None or address.topic not in TYPES or not payload:
        return None
    type_ = TYPES[address.topic][0]
    if address.topic is Topic.ALERT:
        try:
            type_ = _ALERT_TYPES[decode(payload, AlertMessage).state]
        except (FleetloopError, KeyError):
            return None
    when = datetime.fromtimestamp(clock(), UTC).isoformat(timespec="milliseconds")
    said = [
        ("specversion", "1.0"),
        ("id", hashlib.sha256(topic.encode() + b"\0" + payload).hexdigest()[:32]),
        ("source", SOURCE),
        ("type", type_),
        ("time", when.replace("+00:00", "Z")),
    ]
    return [*said, ("subject", address.names["key"])] if "key" in address.names else said
