"""How groups of people are answered in the field: as JSON for programs, as a page for people."""

from flask import Blueprint, Response

from fleetloop_hub.monitoring.fairness_reader import FairnessReader
from fleetloop_hub.monitoring.field_fairness import FieldFairness
from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Catalog
from fleetloop_hub.records import Alias, Model
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.api_artifacts import find_version
from fleetloop_hub.web.page import Crumb, Place, page
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
    def shown(model: str, which: str) -> Response:
        """How groups are answered, for people."""
        view = reader.read(find_version(catalog, model, which))
        crumbs = [Crumb("Fairness", "/fairness"), Crumb(f"{view.model} v{view.version}")]
        return page("monitoring/fairness.html", Place("fairness", crumbs), ("devices",), view=view)

    @routes.get("/fairness")
    @needs(Role.VIEWER)
    def all_of_them() -> Response:
        """Every model's champion, and whether it keeps its limits in the field."""
        names = [model.key for model in catalog.all(Model)]
        champions = [catalog.find(Alias, f"{name}/champion") for name in names]
        found = [
            reader.read(find_version(catalog, name, str(alias.version)))
            for name, alias in zip(names, champions, strict=True)
            if alias is not None and alias.version
        ]
        at = Place("fairness", [Crumb("Fairness")])
        return page("monitoring/fairness_all.html", at, ("devices",), views=found)

    return routes
