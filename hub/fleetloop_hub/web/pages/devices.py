"""The list of devices: filtered by the address, ordered, exported, and a part of it acted upon."""

from flask import Blueprint, Response, request

from fleetloop_hub.monitoring import device_list
from fleetloop_hub.monitoring.device_choice import choices
from fleetloop_hub.monitoring.device_list import ALARMS, ORDERS, STATES, Wish
from fleetloop_hub.monitoring.overview import DeviceView
from fleetloop_hub.monitoring.overview_reader import OverviewReader
from fleetloop_hub.people_records import Role
from fleetloop_hub.web import exports
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.page import Crumb, Place, ordered_by, page, paged
from fleetloop_shared.errors import QueryError

CRUMB = Crumb("Devices", "/devices")
_LONGEST = 1_000
_COLUMNS = (
    "device",
    "cohort",
    "hardware",
    "labels",
    "online",
    "words",
    "model",
    "version",
    "target",
    "artifact",
    "rows",
    "drift_ratio",
    "drift_feature",
    "alarm",
    "since_row",
    "odd",
    "labelled",
    "accuracy",
    "outbox",
    "latency_p50_ms",
    "latency_p99_ms",
    "seen_at",
)

_OWN = tuple(name for name in _COLUMNS if name in DeviceView.__struct_fields__)


def devices_pages(overviews: OverviewReader) -> Blueprint:
    """The routes of devices in the plural."""
    pages = Blueprint("devices_pages", __name__)

    @pages.get("/devices")
    @needs(Role.VIEWER)
    def devices() -> Response:
        """The devices that the address asks for."""
        overview, wish = overviews.read(), _wish()
        every = overview.devices
        found, trouble = _matching(every, wish)
        name, largest_first = ordered_by(tuple(ORDERS), "device")
        found = device_list.ordered(found, name, largest_first=largest_first)
        if exports.asked_format():
            return exports.answer("devices", [_row(d) for d in found], _COLUMNS)
        return page(
            "devices/devices.html",
            Place("devices", [CRUMB]),
            ("devices",),
            paging=paged(found),
            wish=wish,
            trouble=trouble,
            total=len(every),
            counts=device_list.counts(every),
            offered=_offered(every),
            sort=f"-{name}" if largest_first else name,
            answers=overview.answers,
            machines=request.args.get("show") == "machines",
        )

    @pages.get("/chosen")
    @needs(Role.VIEWER)
    def chosen() -> Response:
        """Some devices, and what can be done with them together."""
        every, wish = overviews.read().devices, _wish()
        picked = set(request.args.getlist("device"))
        found, trouble = _matching(every, wish)
        found = [d for d in found if not picked or d.device in picked]
        return page(
            "devices/chosen.html",
            Place("devices", [CRUMB, Crumb("Chosen")]),
            choices=choices(found, wish, picked=bool(picked)),
            outside=sum(not d.cohort for d in found),
            trouble=trouble,
        )

    return pages


def _wish() -> Wish:
    asked = {name: request.args.get(name, "")[:_LONGEST] for name in Wish.__dataclass_fields__}
    return Wish(**asked)


def _matching(devices: list[DeviceView], wish: Wish) -> tuple[list[DeviceView], str]:
    """The devices that are wanted, and what is wrong with the query, in words."""
    try:
        return device_list.matching(devices, wish), ""
    except QueryError as error:
        return [], str(error)


def _offered(devices: list[DeviceView]) -> dict[str, list[str]]:
    """What a filter can be set to."""
    return {
        "state": list(STATES),
        "cohort": sorted({d.cohort for d in devices if d.cohort}),
        "hardware": sorted({d.hardware for d in devices if d.hardware}),
        "version": sorted({device_list.loaded(d) for d in devices} - {""}),
        "alarm": list(ALARMS),
    }


def _row(device: DeviceView) -> dict[str, object]:
    told: dict[str, object] = {name: getattr(device, name) for name in _OWN}
    health = device.health
    return told | {
        "labels": " ".join(f"{name}={value}" for name, value in sorted(device.called.items())),
        "labelled": device.labels,
        "latency_p50_ms": health.latency_p50_ms if health else None,
        "latency_p99_ms": health.latency_p99_ms if health else None,
    }
