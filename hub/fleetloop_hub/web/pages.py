"""The console: one page, and the part of it that is fetched again each second."""

from http import HTTPStatus

import msgspec
from flask import Blueprint, Response, render_template, request

from fleetloop_hub.monitoring.overview import Overview
from fleetloop_hub.monitoring.overview_reader import OverviewReader
from fleetloop_hub.web.actions import HubActions, HubStatus
from fleetloop_shared.codec import encode
from fleetloop_shared.ids import sha256_hex

_DIGEST_DIGITS = 16


def pages(overviews: OverviewReader, actions: HubActions) -> Blueprint:
    """The routes that people open."""
    console = Blueprint("console", __name__)

    @console.get("/")
    def home() -> str:
        return _render("console.html", overviews.read(), actions.status())

    @console.get("/live")
    def live() -> Response:
        """The changing part; an empty answer says that nothing has changed since `seen`."""
        overview, status = overviews.read(), actions.status()
        if request.args.get("seen") == _digest(overview, status):
            return Response(status=HTTPStatus.NO_CONTENT)
        return Response(_render("live.html", overview, status))

    @console.get("/healthz")
    def healthz() -> Response:
        return Response(
            encode({"uptime_s": actions.status()["uptime_s"]}), mimetype="application/json"
        )

    return console


def _render(template: str, overview: Overview, status: HubStatus) -> str:
    digest = _digest(overview, status)
    return render_template(template, overview=overview, status=status, digest=digest)


def _digest(overview: Overview, status: HubStatus) -> str:
    """Names what the page shows, apart from the passing of time."""
    shown = (msgspec.structs.replace(overview, at=0.0), status["egress_bytes"], status["training"])
    return sha256_hex(encode(shown))[:_DIGEST_DIGITS]
