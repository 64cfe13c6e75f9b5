"""Alerts, silences, channels and dead letters as tables."""

import time

from rich.text import Text

from fleetloop_hub.alert_records import AlertLevel, AlertState, Silence
from fleetloop_hub.alerting.shown import AlertView
from fleetloop_hub.notifying.channels import ChannelView, DeadLetter
from fleetloop_hub.tables.forms import Lines, Noted
from fleetloop_hub.web.words import ago, exactly

_STYLES = {AlertLevel.WARN: "yellow", AlertLevel.BAD: "red"}


def alerts_table(alerts: list[AlertView]) -> Lines:
    """A line an alert."""
    shown, now = Lines("alert", "level", "state", "since", note="what"), time.time()
    for alert in alerts:
        state = "silenced" if alert.silenced and alert.stands else str(alert.state)
        if alert.state is AlertState.ACKNOWLEDGED:
            state = f"{state} by {alert.acknowledged_by}"
        shown.add_row(
            alert.key,
            Text(alert.level, _STYLES[alert.level] if alert.stands else "dim"),
            state,
            ago(alert.closed_at or alert.opened_at, now),
            note=alert.text,
        )
    return shown


def silences_table(silences: list[Silence]) -> Noted:
    """A line a silence."""
    shown = Noted("silence", "kind", "about", "until", "by", note="why")
    for one in silences:
        kind, subject = one.kind or "every kind", one.subject or "everything"
        shown.add_row(one.key, kind, subject, exactly(one.until), one.by, note=one.reason)
    return shown


def channels_table(channels: list[ChannelView]) -> Noted:
    """A line a channel."""
    shown = Noted("channel", "kind", "level", "waiting", "sent", "dead", note="where, last failure")
    for one in channels:
        told = f"{one.where}{f': {one.error}' if one.error else ''}"
        level = f"{one.level}: {', '.join(one.kinds)}" if one.kinds else str(one.level)
        dead = Text(f"{one.dead:,}", "red" if one.dead else "")
        if one.kind == "mqtt":
            shown.add_row(one.name, one.kind, level, "", "", "", note=told)
            continue
        shown.add_row(
            one.name, one.kind, level, f"{one.waiting:,}", f"{one.sent:,}", dead, note=told
        )
    return shown


def letters_table(letters: list[DeadLetter]) -> Noted:
    """A line a dead letter."""
    shown = Noted("notice", "channel", "made", "tries", note="why it was not taken")
    for one in letters:
        shown.add_row(one.id, one.channel, exactly(one.made_at), str(one.tries), note=one.error)
    return shown
