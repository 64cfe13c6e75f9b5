"""The route to a version's model card, as Markdown or as one HTML file to keep."""

from flask import Blueprint, Response

from fleetloop_hub.decision_records import Decision
from fleetloop_hub.packaging.card import html, markdown
from fleetloop_hub.packaging.card.build import Subject, build
from fleetloop_hub.packaging.card.parts import Card
from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Blobs, Catalog
from fleetloop_hub.records import Dataset, Model, Run, Version
from fleetloop_hub.spec import reading as specs
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.api_artifacts import find_version
from fleetloop_hub.web.speaking import Speaks


def cards(catalog: Catalog, blobs: Blobs) -> Blueprint:
    """The routes; `which` is a number, an alias such as champion, or newest."""
    api = Blueprint("cards", __name__, url_prefix="/api/v1/versions/<model>/<which>")

    @api.get("/card.md")
    @needs(Role.VIEWER)
    @Speaks(kind="text/markdown")
    def as_markdown(model: str, which: str) -> Response:
        """The version's model card, as Markdown."""
        text = markdown.render(_card(find_version(catalog, model, which), catalog, blobs))
        return Response(text, content_type="text/markdown; charset=utf-8")

    @api.get("/card.html")
    @needs(Role.VIEWER)
    @Speaks(kind="text/html")
    def as_html(model: str, which: str) -> Response:
        """The version's model card, as one HTML file to keep."""
        version = find_version(catalog, model, which)
        response = Response(
            html.render(_card(version, catalog, blobs)), content_type="text/html; charset=utf-8"
        )
        # The console's policy refuses the styles within the file: it is to be kept, not shown here.
        name = f"{version.model}-{version.number}.html"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return response

    return api


def _card(version: Version, catalog: Catalog, blobs: Blobs) -> Card:
    run = catalog.find(Run, version.run)
    model = catalog.find(Model, version.model)
    # By the spec that the run was trained by; the model's may be newer.
    spec = run.spec if run is not None and blobs.has(run.spec) else model.spec if model else ""
    subject = Subject(
        version=version,
        spec=specs.parse(blobs.get(spec).decode()),
        run=run,
        dataset=catalog.find(Dataset, version.dataset),
        decision=catalog.find(Decision, version.decision),
    )
    return build(subject)
