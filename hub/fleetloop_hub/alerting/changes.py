"""What becomes of an alert: opened, kept, grown, acknowledged, closed; each a function of records.

A channel is owed the newest of these that it has not been told. An alert that opened and closed
before anybody was told of it is told to nobody.
"""

from msgspec.structs import replace

from fleetloop_hub.alert_records import Alert, AlertEvent, AlertState, Episode
from fleetloop_hub.alerting.condition import Condition, key_of

MOST_PAST = 20
REFRESH_S = 60.0
"""The words of an alert that stands are changed so often at most."""
_GROWS = 2


def opened(before: Alert | None, condition: Condition, now: float) -> Alert:
    """The alert about a condition that has come to stand.

    Args:
        before: The record of the last time, None if there was none.
        condition: What stands.
        now: Unix seconds.
    """
    return Alert(
        key=key_of(condition.kind, condition.subject),
        kind=condition.kind,
        subject=condition.subject,
        level=condition.level,
        text=condition.text,
        page=condition.page,
        state=AlertState.OPEN,
        opened_at=now,
        changed_at=now,
        count=condition.count,
        names=list(condition.names),
        owed=AlertEvent.OPENED,
        owed_at=now,
        opened_times=1 if before is None else before.opened_times + 1,
        past=[] if before is None else before.past,
    )


def kept(alert: Alert, condition: Condition, now: float) -> Alert:
    """An alert whose condition still stands; the same object if there is nothing new to say.

    It never becomes less grave while it stands. It opens again, though somebody has acknowledged
    it, once it is graver than it was or concerns at least twice as many.
    """
    graver = not alert.level.covers(condition.level)
    acknowledged = alert.state is AlertState.ACKNOWLEDGED
    grown = acknowledged and condition.count >= _GROWS * max(1, alert.acknowledged_count)
    said = replace(
        alert,
        level=condition.level if graver else alert.level,
        text=condition.text,
        page=condition.page,
        count=condition.count,
        names=list(condition.names),
    )
    if graver or grown:
        again = replace(
            said, changed_at=now, owed=AlertEvent.OPENED, owed_at=now, state=AlertState.OPEN
        )
        return replace(again, acknowledged_at=None, acknowledged_by="", reason="")
    if said == alert or 0 <= now - alert.changed_at < REFRESH_S:
        return alert
    return replace(said, changed_at=now)


def closed(alert: Alert, now: float) -> Alert:
    """An alert whose condition is over; one that is closed already stays as it is."""
    if not alert.stands:
        return alert
    episode = Episode(
        opened_at=alert.opened_at,
        closed_at=now,
        level=alert.level,
        text=alert.text,
        acknowledged_by=alert.acknowledged_by,
    )
    return replace(
        alert,
        state=AlertState.CLOSED,
        closed_at=now,
        changed_at=now,
        owed=AlertEvent.CLOSED if alert.heard else AlertEvent.NOTHING,
        owed_at=now,
        past=[*alert.past, episode][-MOST_PAST:],
    )


def acknowledged(alert: Alert, by: str, reason: str, now: float) -> Alert:
    """An alert that somebody sees to."""
    return replace(
        alert,
        state=AlertState.ACKNOWLEDGED,
        changed_at=now,
        acknowledged_at=now,
        acknowledged_by=by,
        acknowledged_count=alert.count,
        reason=reason,
        owed=AlertEvent.ACKNOWLEDGED,
        owed_at=now,
    )


def told(alert: Alert, event: AlertEvent, at: float) -> Alert:
    """The same once channels have been told of an event; what has happened since is still owed."""
    if (alert.owed, alert.owed_at) != (event, at):
        return replace(alert, heard=True)
    return replace(alert, owed=AlertEvent.NOTHING, heard=True)
