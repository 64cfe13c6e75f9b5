"""How groups of people are answered in the field: as JSON for programs, as a page for people."""

import time

from flask import Blueprint, Response, render_template

from fleetloop_hub.monitoring import field_fairness
from fleetloop_hub.ports import Blobs, Catalog, Telemetry
from fleetloop_hub.web.api_artifacts import find_version
from fleetloop_shared.codec import encode


def fairness_routes(catalog: Catalog, telemetry: Telemetry, blobs: Blobs) -> Blueprint:
    """The routes; `which` is a number, an alias such as champion, or newest."""
    routes = Blueprint("fairness", __name__)

    @routes.get("/api/v1/versions/<model>/<which>/fairness")
    def told(model: str, which: str) -> Response:
        view = field_fairness.read(find_version(catalog, model, which), telemetry, blobs)
        return Response(encode(view), content_type="application/json")

    @routes.get("/fairness/<model>/<which>")
    def shown(model: str, which: str) -> str:
        view = field_fairness.read(find_version(catalog, model, which), telemetry, blobs)
        return render_template("fairness.html", view=view, now=time.time())

    return routes
