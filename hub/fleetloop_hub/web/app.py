"""The web application: guard, API and console put together."""

import secrets
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from flask import Flask

from fleetloop_hub.config import OpenIdProvider
from fleetloop_hub.judging import figures
from fleetloop_hub.monitoring.fairness_reader import FairnessReader
from fleetloop_hub.monitoring.overview_reader import OverviewReader
from fleetloop_hub.people.accounts import Accounts
from fleetloop_hub.people.tokens import ApiTokens
from fleetloop_hub.people_records import Role
from fleetloop_hub.web import (
    access,
    audited,
    changes,
    compression,
    conditions,
    drawings,
    guard,
    metrics_routes,
    once,
    page,
    problem,
    routes,
    sessions,
    static_files,
    words,
)
from fleetloop_hub.web.changes import CHANGES, Changes
from fleetloop_hub.web.fragments import Fragments
from fleetloop_hub.web.routes import HubParts
from fleetloop_hub.web.token_door import token_door

_MAX_BODY_BYTES = 1_048_576


@dataclass(frozen=True)
class Reached:
    """How browsers reach the application.

    Attributes:
        key: What session cookies are signed with; by default one that is good until it ends.
        url: Its address from outside, such as that of a proxy that ends TLS; "" for none.
        provider: Where people may sign in beside here.
    """

    key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    url: str = ""
    provider: OpenIdProvider | None = None


def create_app(
    hub: HubParts,
    admin_token: str,
    bound_host: str,
    anonymous: Role | None = None,
    reached: Reached | None = None,
) -> Flask:
    """The application over a hub.

    Args:
        hub: What to show and to act on.
        admin_token: Who sends it may do everything.
        bound_host: The address on which it listens; other Host names than this and loopback's
            are refused.
        anonymous: What whoever does not say who they are may do; None is nothing.
        reached: How browsers reach it.
    """
    reached = Reached() if reached is None else reached
    outside = urlsplit(reached.url)
    app = Flask(__name__)
    app.url_map.converters["int"] = guard.ShortNumber
    app.config["MAX_CONTENT_LENGTH"] = _MAX_BODY_BYTES
    app.jinja_options = {"autoescape": True, "trim_blocks": True, "lstrip_blocks": True}
    accounts, tokens = Accounts(hub.catalog, time.time), ApiTokens(hub.catalog, time.time)
    fairness = FairnessReader(hub.telemetry, hub.blobs)
    overviews = OverviewReader(
        hub.catalog, hub.telemetry, moved=hub.actions.moved, unfair=fairness.broken
    )
    app.extensions[CHANGES] = Changes(hub.catalog, hub.telemetry)
    fragments = Fragments(app.extensions[CHANGES])
    fragments.keep_in(app)
    compression.register(app)
    static_files.register(app)
    metrics_routes.register(app, hub.meter)
    guard.register(app, bound_host, outside.hostname or "")
    problem.register(app)
    conditions.register(app)
    access.register(
        app,
        [
            token_door(admin_token, tokens, time.monotonic),
            sessions.session_door,
            access.anonymous_door(anonymous),
        ],
    )
    sessions.register(app, accounts, reached.key, secure=outside.scheme == "https")
    fragments.give_in(app)
    once.register(app, hub.answers)
    audited.register(app, hub.audit)
    _teach(app)
    for blueprint in (
        *routes.programs(hub, overviews, fairness),
        *routes.people(hub, overviews),
        *routes.access(accounts, tokens, hub.audit),
        *routes.elsewhere(accounts, hub.audit, reached.provider, reached.url),
    ):
        app.register_blueprint(blueprint)
    app.register_blueprint(changes.changes_routes(app.extensions[CHANGES]))
    page.register(app)
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
    app.add_template_global(drawings.sparkline)
    for figures_of in (figures.figure, figures.amount, figures.interval):
        app.add_template_global(figures_of)
