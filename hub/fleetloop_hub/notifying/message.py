"""An alert as it is told on the wire."""

from fleetloop_hub.alert_records import Alert
from fleetloop_shared.alert_message import AlertMessage

LONGEST_TEXT = 2_000


def message_of(alert: Alert) -> AlertMessage:
    """What whoever watches is told of an alert."""
    return AlertMessage(
        key=alert.key,
        kind=alert.kind,
        subject=alert.subject,
        level=alert.level,
        state=alert.state,
        text=alert.text[:LONGEST_TEXT],
        page=alert.page,
        count=alert.count,
        opened_at=alert.opened_at,
        acknowledged_by=alert.acknowledged_by,
    )
