"""The HTTP API of alerts and silences."""

import time
from http import HTTPStatus
from typing import Annotated, Literal

import msgspec
from flask import Blueprint, Response

from fleetloop_hub.alert_records import AlertKind, Silence
from fleetloop_hub.alerting.book import LONGEST_SILENCE_S, AlertBook
from fleetloop_hub.alerting.shown import AlertView, in_order
from fleetloop_hub.people_records import Role
from fleetloop_hub.web import guard, paging
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.api import Ask
from fleetloop_hub.web.api_approvals import Name, Text
from fleetloop_hub.web.api_rollouts import WordAsk
from fleetloop_hub.web.paging import Page, PageAsk
from fleetloop_hub.web.speaking import Speaks, asked
from fleetloop_shared.codec import encode

_SMALL_BYTES = 16_384
Subject = Annotated[str, msgspec.Meta(max_length=200)]


class AlertsAsk(PageAsk, frozen=True, kw_only=True):
    """Which alerts are wanted.

    Attributes:
        state: Those in this state; "standing": open or acknowledged; empty: all.
        kind: Those of this kind; left out: all.
        subject: Those about this; empty: all.
    """

    state: Literal["", "standing", "open", "acknowledged", "closed"] = ""
    kind: AlertKind | None = None
    subject: Subject = ""

    def wants(self, alert: AlertView) -> bool:
        """Whether an alert is asked for."""
        in_state = alert.stands if self.state == "standing" else self.state in {"", alert.state}
        return in_state and self.kind in {None, alert.kind} and self.subject in {"", alert.subject}


class SilenceAsk(Ask, frozen=True, kw_only=True):
    """Alerts of which nobody is to be told for a while.

    Attributes:
        kind: Of which kind; None: of all.
        subject: About whom or what; "": about all.
        for_s: For how long, in seconds.
        by: Who asks for it.
        reason: Why.
    """

    kind: AlertKind | None = None
    subject: Subject = ""
    for_s: Annotated[float, msgspec.Meta(gt=0, le=LONGEST_SILENCE_S)]
    by: Name
    reason: Text

    def wanted(self, now: float) -> Silence:
        """The silence that is asked for."""
        return Silence(
            key="",
            kind=self.kind,
            subject=self.subject,
            until=now + self.for_s,
            by=self.by,
            reason=self.reason,
            made_at=now,
        )


class Alerts(Page, frozen=True, kw_only=True):
    """Alerts: open ones first, the gravest and newest of these first."""

    alerts: list[AlertView]


class Silences(Page, frozen=True, kw_only=True):
    """Silences that hold, those that end first first."""

    silences: list[Silence]


def reading_alerts(book: AlertBook) -> Blueprint:
    """The routes that change nothing."""
    api = Blueprint("reading_alerts", __name__, url_prefix="/api/v1")

    @api.get("/alerts")
    @needs(Role.VIEWER)
    @Speaks(query=AlertsAsk, gives=Alerts)
    def alerts() -> Response:
        """What wants attention, and what has."""
        ask = asked(AlertsAsk)
        wanted = [alert for alert in book.shown(time.time()) if ask.wants(alert)]
        found, behind = paging.cut(wanted, in_order, ask)
        return paging.paged(Alerts(alerts=found, next=behind))

    @api.get("/alerts/<key>")
    @needs(Role.VIEWER)
    @Speaks(gives=AlertView)
    def alert(key: str) -> Response:
        """One alert, and when it stood before."""
        return _json(book.find(key, time.time()))

    @api.get("/silences")
    @needs(Role.VIEWER)
    @Speaks(query=PageAsk, gives=Silences)
    def silences() -> Response:
        """Alerts of which nobody is told for a while."""
        every = book.silences(time.time())
        found, behind = paging.cut(every, lambda s: (s.until, s.key), asked(PageAsk))
        return paging.paged(Silences(silences=found, next=behind))

    return api


def changing_alerts(book: AlertBook) -> Blueprint:
    """The routes for people who see to alerts."""
    api = Blueprint("changing_alerts", __name__, url_prefix="/api/v1")

    @api.post("/alerts/<key>/acknowledge")
    @needs(Role.OPERATOR)
    @Speaks(takes=WordAsk, example={"by": "ann", "reason": "on my way"}, gives=AlertView)
    def acknowledge(key: str) -> Response:
        """Say that somebody sees to an alert."""
        ask, now = guard.body(WordAsk, _SMALL_BYTES), time.time()
        book.acknowledge(key, ask.by, ask.reason, now)
        return _json(book.find(key, now))

    @api.post("/silences")
    @needs(Role.OPERATOR)
    @Speaks(
        takes=SilenceAsk,
        example={"kind": "silent-device", "for_s": 3600, "by": "ann", "reason": "works"},
        gives=Silence,
        status=HTTPStatus.CREATED,
    )
    def silence() -> Response:
        """Tell nobody of some alerts for a while; they are shown as ever."""
        ask, now = guard.body(SilenceAsk, _SMALL_BYTES), time.time()
        return _json(book.silence(ask.wanted(now), now), HTTPStatus.CREATED)

    @api.post("/silences/<key>/end")
    @needs(Role.OPERATOR)
    @Speaks(takes=WordAsk, example={"by": "ann", "reason": "works are over"}, gives=Silence)
    def end(key: str) -> Response:
        """End a silence before its time; what was not told meanwhile and still stands is told."""
        ask = guard.body(WordAsk, _SMALL_BYTES)
        return _json(book.end_silence(key, ask.by, time.time()))

    return api


def _json(value: object, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(encode(value), status=status, content_type="application/json")
