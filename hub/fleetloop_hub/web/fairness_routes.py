"""How groups of people are answered in the field: as JSON for programs, as a page for people."""

import time

from flask import Blueprint, Response, render_template

from fleetloop_hub.monitoring.fairness_reader import FairnessReader
from fleetloop_hub.monitoring.field_fairness import FieldFairness
from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Catalog
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.api_artifacts import find_version
from fleetloop_hub.web.speaking import Speaks
from fleetloop_shared.codec import encode


def fairness_routes(catalog: Catalog, reader: FairnessReader) -> Blueprint:
    """The routes; `which` is a number, an alias such as champion, or newest."""
    routes = Blueprint("fairness", __name__)

    @routes.get("/api/v1/versions/<model>/<which>/fairness")
    @needs(Role.VIEWER)
    @Speaks(gives=FieldFairness)
    def told(model: str, which: str) -> Response:
        """How groups of people are answered by a version in the field."""
        view = reader.read(find_version(catalog, model, which))
        return Response(encode(view), content_type="application/json")

    @routes.get("/fairness/<model>/<which>")
    @needs(Role.VIEWER)
    def shown(model: str, which: str) -> str:
        view = reader.read(find_version(catalog, model, which))
        return render_template("fairness.html", view=view, now=time.time())

    return routes
