"""The overview: how the fleet is, the loop with its live numbers, and the one next step."""

import time

from flask import Blueprint, Response, render_template

from fleetloop_hub.monitoring.overview_reader import OverviewReader
from fleetloop_hub.people_records import Role
from fleetloop_hub.trust.trust import Trust
from fleetloop_hub.web.access import PUBLIC, needs
from fleetloop_hub.web.actions import HubActions
from fleetloop_hub.web.page import Place, page
from fleetloop_shared.codec import encode

_TOPICS = ("devices", "rollouts", "runs", "models", "data", "decisions")


def overview_pages(overviews: OverviewReader, actions: HubActions, trust: Trust) -> Blueprint:
    """The routes that people open first."""
    pages = Blueprint("overview", __name__)

    @pages.get("/")
    @needs(Role.VIEWER)
    def home() -> Response:
        """How the fleet is."""
        return page(
            "overview/overview.html",
            Place("overview"),
            _TOPICS,
            overview=overviews.read(),
            status=actions.status(),
            notices=trust.view(time.time()).notices,
        )

    @pages.get("/trust")
    @needs(Role.VIEWER)
    def keys() -> str:
        """Who may say what, and until when."""
        now = time.time()
        return render_template("trust.html", trust=trust.view(now), now=now)

    @pages.get("/healthz")
    @needs(PUBLIC)
    def healthz() -> Response:
        """That the hub answers, for whoever watches processes."""
        return Response(
            encode({"uptime_s": actions.status()["uptime_s"]}), mimetype="application/json"
        )

    return pages
