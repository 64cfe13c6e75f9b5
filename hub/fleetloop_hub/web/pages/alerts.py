"""The pages of alerts: what wants attention, one alert with its history, what is silenced."""

import time
from typing import Annotated

import msgspec
from flask import Blueprint, Response, current_app, request

from fleetloop_hub.alert_records import AlertKind, AlertState, Silence
from fleetloop_hub.alerting.book import AlertBook
from fleetloop_hub.alerting.shown import AlertView
from fleetloop_hub.alerting.terms import TERMS
from fleetloop_hub.people_records import Role
from fleetloop_hub.web import exports, forms, menu
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.api import Ask
from fleetloop_hub.web.api_alerts import AlertsAsk, Subject
from fleetloop_hub.web.api_approvals import Name, Text
from fleetloop_hub.web.api_rollouts import WordAsk
from fleetloop_hub.web.page import Crumb, Place, page, paged
from fleetloop_hub.web.words import exactly

_CRUMB = Crumb("Alerts", "/alerts")
_HOUR_S = 3_600.0
_COLUMNS = (
    "key",
    "kind",
    "subject",
    "level",
    "state",
    "silenced",
    "text",
    "count",
    "opened_at",
    "closed_at",
    "acknowledged_by",
    "reason",
    "opened_times",
)
_STATES = ("standing", "open", "acknowledged", "closed", "")


class SilenceForm(Ask, frozen=True, kw_only=True):
    """Alerts of which nobody is to be told for some hours; fields as in `SilenceAsk`."""

    kind: AlertKind | None = None
    subject: Subject = ""
    hours: Annotated[float, msgspec.Meta(gt=0, le=8_784)]
    by: Name
    reason: Text

    def wanted(self, now: float) -> Silence:
        """The silence that is asked for."""
        return Silence(
            key="",
            kind=self.kind,
            subject=self.subject,
            until=now + self.hours * _HOUR_S,
            by=self.by,
            reason=self.reason,
            made_at=now,
        )


def alerts_pages(book: AlertBook) -> Blueprint:
    """The routes of alerts for people."""
    pages = Blueprint("alerts_pages", __name__)

    @pages.get("/alerts")
    @needs(Role.VIEWER)
    def alerts() -> Response:
        """What stands, or whatever the address asks for."""
        now, ask = time.time(), _asked()
        every = book.shown(now)
        found = [alert for alert in every if ask.wants(alert)]
        if exports.asked_format():
            rows = [{name: getattr(a, name) for name in _COLUMNS} for a in found]
            return exports.answer("alerts", rows, _COLUMNS)
        return page(
            "alerts/alerts.html",
            Place("alerts", [_CRUMB]),
            ("alerts",),
            paging=paged(found),
            ask=ask,
            states=_STATES,
            kinds=list(AlertKind),
            standing=sum(alert.stands for alert in every),
            silences=book.silences(now),
        )

    @pages.get("/alerts/<key>")
    @needs(Role.VIEWER)
    def alert(key: str) -> Response:
        """One alert: whom it is about, who sees to it, when it stood before."""
        found = book.find(key, time.time())
        return page(
            "alerts/alert.html",
            Place("alerts", [_CRUMB, Crumb(key)]),
            ("alerts",),
            alert=found,
            terms=TERMS[found.kind],
            more=found.page if menu.serves(current_app, found.page) else "",
            open=found.state is AlertState.OPEN,
            devices=_devices(found),
        )

    @pages.post("/alerts/<key>/acknowledge")
    @needs(Role.OPERATOR)
    def acknowledge(key: str) -> Response:
        """Say that somebody sees to it."""
        ask = forms.read(WordAsk)
        book.acknowledge(key, ask.by, ask.reason, time.time())
        return forms.done(f"You see to {key}.", f"/alerts/{key}")

    @pages.post("/silences")
    @needs(Role.OPERATOR)
    def silence() -> Response:
        """Tell no channel of some alerts for a while."""
        ask, now = forms.read(SilenceForm), time.time()
        made = book.silence(ask.wanted(now), now)
        return forms.done(f"No channel is told of these until {exactly(made.until)}.", "/alerts")

    @pages.post("/silences/<key>/end")
    @needs(Role.OPERATOR)
    def end(key: str) -> Response:
        """End a silence before its time."""
        book.end_silence(key, forms.read(WordAsk).by, time.time())
        return forms.done("The silence is over; what still stands is told.", "/alerts")

    return pages


def _asked() -> AlertsAsk:
    """What the address asks for; what means nothing there asks for what stands."""
    told = {name: request.args[name] for name in ("kind", "subject") if request.args.get(name)}
    try:
        return msgspec.convert({"state": request.args.get("state", "standing"), **told}, AlertsAsk)
    except msgspec.ValidationError:
        return AlertsAsk(state="standing")


def _devices(alert: AlertView) -> bool:
    """Whether the names of an alert are those of devices, so that they lead to their pages."""
    of_devices = {AlertKind.DRIFT, AlertKind.SILENT_DEVICE, AlertKind.ACCURACY}
    return alert.kind in of_devices or (
        alert.kind is AlertKind.ODD_DEVICE and alert.page.startswith("/devices/")
    )
