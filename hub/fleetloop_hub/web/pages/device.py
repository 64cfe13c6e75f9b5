"""One device: what it runs and is asked to run, what has happened, how its rows and machine do."""

import shlex
import time
from http import HTTPStatus

from flask import Blueprint, Response, request

from fleetloop_hub.delivery.asked import Asked, asked_of
from fleetloop_hub.fleet_records import Device
from fleetloop_hub.monitoring import device_story
from fleetloop_hub.monitoring.overview import DeviceView
from fleetloop_hub.monitoring.overview_reader import OverviewReader
from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Catalog, Telemetry
from fleetloop_hub.records import Version
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.health_plots import health_plots
from fleetloop_hub.web.page import Crumb, Place, page
from fleetloop_hub.web.pages.devices import CRUMB
from fleetloop_hub.web.problem import ProblemError

_SPANS_S = {"1 h": 3_600.0, "6 h": 21_600.0, "1 day": 86_400.0, "1 week": 604_800.0}
_USUAL = "6 h"
_STEPS = {
    "planned": "planned",
    "fetching": "fetching",
    "staged": "self-test",
    "trial": "trial on live rows",
    "serving": "serving",
}
"""The way of an update on a device, by the agent's words for its states."""


def device_pages(catalog: Catalog, telemetry: Telemetry, overviews: OverviewReader) -> Blueprint:
    """The route of one device."""
    pages = Blueprint("device_pages", __name__)

    @pages.get("/devices/<name>")
    @needs(Role.VIEWER)
    def device(name: str) -> Response:
        """A device at length."""
        now, found = time.time(), catalog.find(Device, name)
        span = request.args.get("span", _USUAL)
        span = span if span in _SPANS_S else _USUAL
        story = device_story.tell(
            overviews.read(), found, telemetry, name, since=now - _SPANS_S[span]
        )
        if story is None:
            raise ProblemError(
                HTTPStatus.NOT_FOUND, f"No device {name[:80]!r}: /devices lists those there are."
            )
        return page(
            "devices/device.html",
            Place("devices", [CRUMB, Crumb(name)]),
            ("devices", "rollouts"),
            plots=True,
            story=story,
            d=story.view,
            asked=_asked(found, telemetry, catalog, now),
            slots=_slots(catalog, story.reported.slots if story.reported else []),
            steps=_STEPS,
            charts=health_plots(story.health),
            spans=list(_SPANS_S),
            span=span,
            commands=_commands(story.view),
        )

    return pages


def _asked(
    device: Device | None, telemetry: Telemetry, catalog: Catalog, now: float
) -> list[Asked]:
    if device is None:
        return []
    return asked_of(device, telemetry.digests.pulse(device.key), catalog, now)


def _slots(catalog: Catalog, hashes: list[str]) -> list[tuple[str, str]]:
    """What it may serve or go back to, best first: hash and name, "" where nobody knows it."""
    wanted = set(hashes)
    names = {
        v.artifact: f"{v.model}/{v.number}" for v in catalog.all(Version) if v.artifact in wanted
    }
    return [(sha256, names.get(sha256, "")) for sha256 in hashes]


def _commands(device: DeviceView) -> dict[str, str]:
    """What can be typed about it, by what it is good for."""
    alone = shlex.quote(f'device = "{device.device}"')
    told = {"On the device: what it runs and why": "fleetloop-agent status --config agent.toml"}
    if device.cohort:
        told["What a rollout to it alone would do"] = (
            f"fleetloop rollouts plan MODEL@VERSION --cohort {device.cohort} --where {alone}"
        )
    if device.version is not None:
        told["Why its version exists"] = f"fleetloop why {device.model}@{device.version}"
        told["How accurate that version is, device by device"] = (
            f"fleetloop accuracy {device.model}@{device.version}"
        )
    return told
