"""A notice: what happened to an alert, as a CloudEvents 1.0 event in structured JSON.

Source: CloudEvents 1.0.2, sections 3.1 (required attributes) and JSON event format 3.
"""

from datetime import UTC, datetime

import msgspec

from fleetloop_hub.alert_records import Alert
from fleetloop_hub.notifying.message import message_of
from fleetloop_shared.alert_message import AlertMessage
from fleetloop_shared.codec import encode

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
SOURCE = "urn:fleetloop:hub"
TYPE = "fleetloop.alert."
"""Before the name of what happened: "fleetloop.alert.opened"."""
TEST = "test"


class CloudEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event.

    Attributes:
        specversion: Of CloudEvents.
        id: The same each time that this event is sent; what a receiver tells doubles by.
        source: Who says it.
        type: What happened.
        subject: The alert's key.
        time: When it happened, RFC 3339.
        datacontenttype: Of `data`.
        data: The alert then.
    """

    specversion: str = "1.0"
    id: str
    source: str = SOURCE
    type: str
    subject: str
    time: str
    datacontenttype: str = "application/json"
    data: AlertMessage


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What channels are told.

    Attributes:
        id: The event's id.
        event: What happened: "opened", "acknowledged", "closed", "test".
        body: The event as it is sent.
    """

    id: str
    event: str
    body: bytes


def notice_of(alert: Alert) -> Notice:
    """What is owed of an alert; the same bytes each time."""
    name = f"{alert.key}.{alert.owed_at * 1_000:.0f}.{alert.owed}"
    return _notice(name, alert.owed, message_of(alert), alert.owed_at)


def trial_notice(message: AlertMessage, name: str, now: float) -> Notice:
    """An event that a person sends to see whether it arrives."""
    return _notice(name, TEST, message, now)


def _notice(name: str, event: str, message: AlertMessage, at: float) -> Notice:
    when = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    told = CloudEvent(
        id=name,
        type=f"{TYPE}{event}",
        subject=message.key,
        time=when.replace("+00:00", "Z"),
        data=message,
    )
    return Notice(id=name, event=event, body=encode(told))
