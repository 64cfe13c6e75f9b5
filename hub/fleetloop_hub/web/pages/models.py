"""The pages of models and versions: where they come from, whether they may ship, where they run."""

from flask import Blueprint, Response, request
from markupsafe import Markup
from msgspec.structs import replace

from fleetloop_hub.decision_records import Decision
from fleetloop_hub.errors import AbsentError
from fleetloop_hub.fleet_records import Rollout
from fleetloop_hub.monitoring.overview_reader import OverviewReader
from fleetloop_hub.monitoring.overview_version import VersionView
from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Blobs, Catalog
from fleetloop_hub.records import Alias, Model, Run, Version, VersionState
from fleetloop_hub.tracking.lineage import Descent, descent
from fleetloop_hub.tracking.lineage_svg import lineage_svg
from fleetloop_hub.tracking.shelf import Shelf
from fleetloop_hub.tracking.specs import Specs
from fleetloop_hub.web import exports
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.api_artifacts import find_version
from fleetloop_hub.web.page import Crumb, Place, page, paged

_MODELS = Crumb("Models", "/models")
_COLUMNS = (
    "model",
    "number",
    "state",
    "aliases",
    "metric",
    "value",
    "serving",
    "artifact_bytes",
    "created_at",
)
LEVELS = {
    VersionState.BLOCKED: "bad",
    VersionState.WAITING: "warn",
    VersionState.READY: "busy",
    VersionState.RELEASED: "good",
    VersionState.REVERTED: "warn",
    VersionState.REJECTED: "bad",
}
_MOST_DEVICES = 24
"""As many stand in the picture of a lineage; the page has a list of all."""


def models_pages(
    catalog: Catalog, blobs: Blobs, overviews: OverviewReader, shelf: Shelf
) -> Blueprint:
    """The routes of models for people."""
    pages = Blueprint("models_pages", __name__)
    specs = Specs(catalog, blobs)

    @pages.get("/models")
    @needs(Role.VIEWER)
    def models() -> Response:
        """Every model with what stands for it now, and versions that wait for a word."""
        views = overviews.read().versions
        return page(
            "models/models.html",
            Place("models", [_MODELS]),
            ("models", "rollouts"),
            models=[_of_model(m.key, views) for m in catalog.all(Model)],
            waiting=[v for v in views if v.state == VersionState.WAITING],
            levels=LEVELS,
        )

    @pages.get("/models/<model>")
    @needs(Role.VIEWER)
    def model(model: str) -> Response:
        """One model: its versions, names and spec."""
        if catalog.find(Model, model) is None:
            raise AbsentError(f"no model {model[:80]!r}: /models lists those there are")
        state = request.args.get("state", "")
        found = [v for v in overviews.read().versions if v.model == model]
        found = [v for v in found if state in {"", v.state}]
        if exports.asked_format():
            rows = [{name: getattr(v, name) for name in _COLUMNS} for v in found]
            return exports.answer("versions", rows, _COLUMNS)
        return page(
            "models/model.html",
            Place("models", [_MODELS, Crumb(model)]),
            ("models",),
            model=model,
            paging=paged(found),
            state=state,
            states=list(VersionState),
            names=_names(catalog, model),
            spec=specs.text(model),
            levels=LEVELS,
        )

    @pages.get("/models/<model>/<which>")
    @needs(Role.VIEWER)
    def version(model: str, which: str) -> Response:
        """One version: gates, groups, quantizing, lineage, where it runs, what was said."""
        found = find_version(catalog, model, which)
        come = descent(catalog, shelf.reported(), found)
        drawn = _few_devices(come)
        return page(
            "models/version.html",
            Place("models", [_MODELS, Crumb(model, f"/models/{model}"), Crumb(f"v{found.number}")]),
            ("models", "rollouts"),
            version=found,
            view=_view(overviews, found),
            descent=come,
            picture=Markup(lineage_svg([drawn])),  # noqa: S704  # it escapes what it draws
            decision=catalog.find(Decision, found.decision),
            run=catalog.find(Run, found.run),
            rollouts=[r for r in catalog.all(Rollout) if _is_about(r, found)][::-1],
            level=LEVELS.get(found.state, "off"),
        )

    return pages


def _of_model(name: str, views: list[VersionView]) -> dict[str, object]:
    """A model with the versions that have a name, by that name."""
    own = [view for view in views if view.model == name]
    return {
        "name": name,
        "versions": len(own),
        "named": {alias: view for view in own for alias in view.aliases},
        "serving": sum(view.serving for view in own),
        "newest": own[0] if own else None,
    }


def _names(catalog: Catalog, model: str) -> dict[str, int]:
    found = (alias for alias in catalog.all(Alias) if alias.key.partition("/")[0] == model)
    return {alias.key.partition("/")[2]: alias.version for alias in found if alias.version}


def _view(overviews: OverviewReader, version: Version) -> VersionView | None:
    found = overviews.read().versions
    same = (v for v in found if (v.model, v.number) == (version.model, version.number))
    return next(same, None)


def _is_about(rollout: Rollout, version: Version) -> bool:
    return (rollout.model, rollout.version) == (version.model, version.number)


def _few_devices(come: Descent) -> Descent:
    return replace(come, devices=come.devices[:_MOST_DEVICES], ready=come.ready[:_MOST_DEVICES])
