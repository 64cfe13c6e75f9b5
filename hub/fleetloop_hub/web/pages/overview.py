"""The overview: how the fleet is, the loop with its live numbers, and the one next step."""

import time
from dataclasses import dataclass, field

from flask import Blueprint, Response

from fleetloop_hub.alert_records import Alert, AlertLevel, AlertState
from fleetloop_hub.fleet_records import Rollout
from fleetloop_hub.monitoring import levels
from fleetloop_hub.monitoring.overview import DeviceView, Level, Overview
from fleetloop_hub.monitoring.overview_reader import OverviewReader
from fleetloop_hub.monitoring.overview_version import VersionView
from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Catalog
from fleetloop_hub.trust.trust import Trust
from fleetloop_hub.web.access import PUBLIC, needs
from fleetloop_hub.web.actions import HubActions
from fleetloop_hub.web.page import Crumb, Place, page
from fleetloop_shared.codec import encode

_TOPICS = ("devices", "rollouts", "runs", "models", "data", "decisions", "alerts")
_ROLLOUTS = 4
_VERSIONS = 6


@dataclass(frozen=True)
class Step:
    """Something to do before the loop goes round.

    Attributes:
        name: What.
        text: Why, and how.
        commands: What to type.
        done: Whether it is done.
        page: Path of the page where it can be done as well, "" for none.
        word: What the link there says.
    """

    name: str
    text: str
    commands: list[str] = field(default_factory=list)
    done: bool = False
    page: str = ""
    word: str = ""


def overview_pages(
    overviews: OverviewReader, catalog: Catalog, actions: HubActions, trust: Trust
) -> Blueprint:
    """The routes that people open first."""
    pages = Blueprint("overview", __name__)

    @pages.get("/")
    @needs(Role.VIEWER)
    def home() -> Response:
        """How the fleet is."""
        overview = overviews.read()
        under_way = [r for r in catalog.all(Rollout) if r.under_way]
        return page(
            "overview/overview.html",
            Place("overview"),
            _TOPICS,
            overview=overview,
            steps=_steps(overview),
            alerts=(alerts := _open(catalog)),
            grave=next((a for a in alerts if a.level is AlertLevel.BAD), None),
            wanting=_wanting(overview.devices),
            under_way=under_way,
            rollouts=_rollouts(under_way, overview, catalog),
            levels=levels.ROLLOUT,
            versions=_shown(overview.versions),
            status=actions.status(),
            notices=trust.view(time.time()).notices,
        )

    @pages.get("/trust")
    @needs(Role.VIEWER)
    def keys() -> Response:
        """Who may say what, and until when."""
        place = Place("trust", [Crumb("Keys")])
        return page("system/trust.html", place, trust=trust.view(time.time()))

    @pages.get("/healthz")
    @needs(PUBLIC)
    def healthz() -> Response:
        """That the hub answers, for whoever watches processes."""
        return Response(
            encode({"uptime_s": actions.status()["uptime_s"]}), mimetype="application/json"
        )

    return pages


def _steps(overview: Overview) -> list[Step]:
    return [
        Step(
            "Train a model",
            "One TOML file says what it learns from, and what it must be able to do.",
            ["fleetloop init NAME --from data.csv", "fleetloop train SPEC.toml"],
            bool(overview.versions),
        ),
        Step(
            "Let a device in",
            "A one-time token, and a config file on the device.",
            ["fleetloop token"],
            bool(overview.devices),
            "/enrol",
            "Make the token here, with the whole command",
        ),
        Step(
            "Roll the version out",
            "First to a few devices; the rest follow if those do well.",
            ["fleetloop rollouts start MODEL@VERSION"],
            overview.rollout is not None,
            "/rollouts/new",
            "See here first what would happen",
        ),
    ]


def _open(catalog: Catalog) -> list[Alert]:
    """Alerts that stand, the gravest and newest first."""
    found = [a for a in catalog.all(Alert) if a.state is not AlertState.CLOSED]
    return sorted(found, key=lambda a: (a.level is not AlertLevel.BAD, -a.opened_at))


def _wanting(devices: list[DeviceView]) -> list[DeviceView]:
    """Devices to look at, those that are in trouble before those that are only away."""
    found = [
        d for d in devices if d.alarm or d.odd or d.level in {Level.WARN, Level.BAD} or not d.online
    ]
    return sorted(found, key=lambda d: (not d.online, not d.odd, -(d.drift_ratio or 0.0)))


def _rollouts(under_way: list[Rollout], overview: Overview, catalog: Catalog) -> list[Rollout]:
    """Those that go on, the newest first; where there is none, the last one."""
    newest = sorted(under_way, key=lambda r: -r.started_at)[:_ROLLOUTS]
    if newest or overview.rollout is None:
        return newest
    last = catalog.find(Rollout, overview.rollout.key)
    return [] if last is None else [last]


def _shown(versions: list[VersionView]) -> list[VersionView]:
    """Champions, and the newest version of all, which may wait for somebody."""
    return [v for k, v in enumerate(versions) if k == 0 or "champion" in v.aliases][:_VERSIONS]
