"""How accurate a version is now: as JSON for programs, as a page for people."""

import time

from flask import Blueprint, Response, render_template

from fleetloop_hub.monitoring.accuracy import AccuracyReader
from fleetloop_hub.monitoring.accuracy_views import AccuracyView, against
from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Blobs, Catalog, Telemetry
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.api_artifacts import find_version
from fleetloop_hub.web.speaking import Speaks
from fleetloop_shared.codec import encode


def accuracy_routes(catalog: Catalog, telemetry: Telemetry, blobs: Blobs) -> Blueprint:
    """The routes; `which` is a number, an alias such as champion, or newest."""
    routes = Blueprint("accuracy", __name__)
    reader = AccuracyReader(catalog, telemetry, blobs)

    @routes.get("/api/v1/versions/<model>/<which>/accuracy")
    @needs(Role.VIEWER)
    @Speaks(gives=AccuracyView)
    def told(model: str, which: str) -> Response:
        """How accurate a version is now on each device, cohort and the whole fleet."""
        view = reader.read(find_version(catalog, model, which))
        return Response(encode(view), content_type="application/json")

    @routes.get("/accuracy/<model>/<which>")
    @needs(Role.VIEWER)
    def shown(model: str, which: str) -> str:
        view = reader.read(find_version(catalog, model, which))
        return render_template("accuracy.html", view=view, against=against, now=time.time())

    return routes
