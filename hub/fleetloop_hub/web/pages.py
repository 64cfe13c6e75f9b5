"""The console: one page, and the part of it that is fetched again each second."""

import time
from http import HTTPStatus

import msgspec
from flask import Blueprint, Response, render_template, request

from fleetloop_hub.monitoring.overview import Overview
from fleetloop_hub.monitoring.overview_reader import OverviewReader
from fleetloop_hub.people_records import Role
from fleetloop_hub.trust.trust import Trust
from fleetloop_hub.web.access import PUBLIC, needs
from fleetloop_hub.web.actions import HubActions, HubStatus
from fleetloop_shared.codec import encode
from fleetloop_shared.ids import sha256_hex

_DIGEST_DIGITS = 16


def pages(overviews: OverviewReader, actions: HubActions, trust: Trust) -> Blueprint:
    """The routes that people open."""
    console = Blueprint("console", __name__)

    def notices() -> list[str]:
        """What people have to sign."""
        return trust.view(time.time()).notices

    @console.get("/")
    @needs(Role.VIEWER)
    def home() -> str:
        return _render("console.html", overviews.read(), actions.status(), notices())

    @console.get("/live")
    @needs(Role.VIEWER)
    def live() -> Response:
        """The changing part; an empty answer says that nothing has changed since `seen`."""
        overview, status, told = overviews.read(), actions.status(), notices()
        if request.args.get("seen") == _digest(overview, status, told):
            return Response(status=HTTPStatus.NO_CONTENT)
        return Response(_render("live.html", overview, status, told))

    @console.get("/trust")
    @needs(Role.VIEWER)
    def keys() -> str:
        """Who may say what, and until when."""
        now = time.time()
        return render_template("trust.html", trust=trust.view(now), now=now)

    @console.get("/healthz")
    @needs(PUBLIC)
    def healthz() -> Response:
        return Response(
            encode({"uptime_s": actions.status()["uptime_s"]}), mimetype="application/json"
        )

    return console


def _render(template: str, overview: Overview, status: HubStatus, notices: list[str]) -> str:
    digest = _digest(overview, status, notices)
    return render_template(
        template, overview=overview, status=status, notices=notices, digest=digest
    )


def _digest(overview: Overview, status: HubStatus, notices: list[str]) -> str:
    """Names what the page shows, apart from the passing of time."""
    still = msgspec.structs.replace(overview, at=0.0)
    shown = (still, status["egress_bytes"], status["training"], notices)
    return sha256_hex(encode(shown))[:_DIGEST_DIGITS]
