"""The web application: guard, API and console put together."""

from typing import Protocol

from flask import Flask

from fleetloop_hub.data.additions import Additions
from fleetloop_hub.monitoring.fairness_reader import FairnessReader
from fleetloop_hub.monitoring.overview_reader import OverviewReader
from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Audit, Blobs, Catalog, Telemetry
from fleetloop_hub.tracking.approvals import Approvals
from fleetloop_hub.tracking.shelf import Shelf
from fleetloop_hub.trust.trust import Trust
from fleetloop_hub.web import (
    access,
    accuracy_routes,
    api,
    api_approvals,
    api_artifacts,
    api_cards,
    api_data,
    api_import,
    api_keys,
    api_labels,
    api_models,
    api_rollouts,
    api_runs,
    api_shadows,
    audited,
    drawings,
    fairness_routes,
    guard,
    pages,
    problem,
    why_routes,
    words,
)
from fleetloop_hub.web.actions import HubActions

_MAX_BODY_BYTES = 1_048_576


class HubParts(Protocol):
    """What of a running hub the web needs."""

    @property
    def actions(self) -> HubActions:
        """What can be asked of it."""

    @property
    def catalog(self) -> Catalog:
        """Its documents."""

    @property
    def additions(self) -> Additions:
        """Dataset versions being built."""

    @property
    def approvals(self) -> Approvals:
        """What people say to versions."""

    @property
    def audit(self) -> Audit:
        """Who did what."""

    @property
    def trust(self) -> Trust:
        """What it signs, and its keys."""

    @property
    def telemetry(self) -> Telemetry:
        """What its devices say."""

    @property
    def blobs(self) -> Blobs:
        """Its content."""


def create_app(
    hub: HubParts, admin_token: str, bound_host: str, anonymous: Role | None = None
) -> Flask:
    """The application over a hub.

    Args:
        hub: What to show and to act on.
        admin_token: Who sends it may do everything.
        bound_host: The address on which it listens; other Host names than this and loopback's
            are refused.
        anonymous: What whoever does not say who they are may do; None is nothing.
    """
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = _MAX_BODY_BYTES
    app.jinja_options = {"autoescape": True, "trim_blocks": True, "lstrip_blocks": True}
    fairness = FairnessReader(hub.telemetry, hub.blobs)
    overviews = OverviewReader(
        hub.catalog, hub.telemetry, moved=hub.actions.moved, unfair=fairness.broken
    )
    guard.register(app, bound_host)
    problem.register(app)
    access.register(
        app,
        [
            access.admin_door(admin_token),
            access.no_other_token,
            access.anonymous_door(anonymous),
        ],
    )
    audited.register(app, hub.audit)
    _teach(app)
    app.register_blueprint(api.reading(hub.catalog, hub.telemetry, overviews, hub.actions))
    app.register_blueprint(api_artifacts.artifacts(hub.catalog, hub.blobs))
    app.register_blueprint(api.enrolling(hub.actions))
    app.register_blueprint(api.changing(hub.actions))
    app.register_blueprint(api_runs.reading_runs(hub.catalog, hub.blobs))
    app.register_blueprint(api_runs.changing_runs(hub.actions))
    app.register_blueprint(api_data.reading_data(hub.catalog))
    app.register_blueprint(api_data.changing_data(hub.catalog, hub.blobs, hub.additions))
    app.register_blueprint(api_labels.reading_labels(hub.catalog, hub.telemetry))
    app.register_blueprint(api_labels.changing_labels(hub.catalog, hub.telemetry, hub.actions))
    app.register_blueprint(api_cards.cards(hub.catalog, hub.blobs))
    app.register_blueprint(accuracy_routes.accuracy_routes(hub.catalog, hub.telemetry, hub.blobs))
    app.register_blueprint(fairness_routes.fairness_routes(hub.catalog, fairness))
    app.register_blueprint(api_approvals.changing_approvals(hub.actions, hub.approvals, hub.audit))
    app.register_blueprint(api_keys.reading_keys(hub.trust))
    app.register_blueprint(api_keys.changing_keys(hub.actions, hub.trust))
    app.register_blueprint(api_shadows.reading_shadows(hub.catalog, hub.telemetry))
    app.register_blueprint(api_shadows.changing_shadows(hub.actions))
    app.register_blueprint(api_import.importing(hub.actions, hub.blobs))
    shelf = Shelf(hub.catalog, hub.telemetry, hub.blobs, hub.actions.held())
    app.register_blueprint(api_models.reading_models(hub.catalog, shelf))
    app.register_blueprint(api_models.changing_models(shelf))
    app.register_blueprint(why_routes.why_routes(hub.catalog, hub.blobs))
    app.register_blueprint(api_rollouts.reading_rollouts(hub.catalog))
    app.register_blueprint(api_rollouts.changing_rollouts(hub.actions))
    app.register_blueprint(pages.pages(overviews, hub.actions, hub.trust))
    access.check_declared(app)
    return app


def _teach(app: Flask) -> None:
    """Make words and drawings known to the templates."""
    for name in (
        "ago",
        "exactly",
        "machine_time",
        "size",
        "share",
        "number",
        "three",
        "milliseconds",
        "seconds",
    ):
        app.add_template_filter(getattr(words, name), name)
    for name in ("sparkline", "phase_bar"):
        app.add_template_global(getattr(drawings, name))
