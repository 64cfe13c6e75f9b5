"""Conditions and alerts for tests."""

from fleetloop_hub.alert_records import Alert, AlertKind, AlertLevel, AlertState
from fleetloop_hub.alerting.condition import Condition, key_of
from support.hubrecords import START


def a_condition(
    subject: str = "rain",
    kind: AlertKind = AlertKind.RUN_FAILED,
    level: AlertLevel = AlertLevel.WARN,
    count: int = 1,
) -> Condition:
    return Condition(kind, subject, level, f"{kind} of {subject}", "/runs", count)


def an_alert(subject: str = "rain", *, state: AlertState = AlertState.OPEN) -> Alert:
    return Alert(
        key=key_of(AlertKind.RUN_FAILED, subject),
        kind=AlertKind.RUN_FAILED,
        subject=subject,
        level=AlertLevel.WARN,
        text="run run-1 has failed: no room",
        page="/runs/run-1",
        state=state,
        opened_at=START,
        changed_at=START,
        closed_at=START + 5 if state is AlertState.CLOSED else None,
    )
