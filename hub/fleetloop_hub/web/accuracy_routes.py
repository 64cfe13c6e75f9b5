"""How accurate a version is now: as JSON for programs, as a page for people."""

from flask import Blueprint, Response

from fleetloop_hub.monitoring.accuracy import AccuracyReader
from fleetloop_hub.monitoring.accuracy_views import AccuracyView, against
from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Blobs, Catalog, Telemetry
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.api_artifacts import find_version
from fleetloop_hub.web.page import Crumb, Place, page
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
    def shown(model: str, which: str) -> Response:
        """How accurate it is, for people."""
        view = reader.read(find_version(catalog, model, which))
        crumbs = [Crumb("Monitoring", "/monitoring"), Crumb(f"{view.model} v{view.version}")]
        at = Place("monitoring", [*crumbs, Crumb("Accuracy")])
        return page("monitoring/accuracy.html", at, ("devices",), view=view, against=against)

    return routes
