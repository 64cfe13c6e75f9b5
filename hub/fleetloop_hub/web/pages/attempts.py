"""What was tried on devices and hub and was refused, by the attack's name."""

import msgspec
from flask import Blueprint, Response, request

from fleetloop_hub.fleet_records import Device
from fleetloop_hub.monitoring.overview import AttemptView
from fleetloop_hub.monitoring.overview_reader import OverviewReader
from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Catalog
from fleetloop_hub.web import exports
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.page import Crumb, Place, page, paged

_COLUMNS = AttemptView.__struct_fields__
_ASKED = ("level", "by", "name", "device")


def attempts_pages(overviews: OverviewReader, catalog: Catalog) -> Blueprint:
    """The route of attempts."""
    pages = Blueprint("attempts_pages", __name__)

    @pages.get("/attempts")
    @needs(Role.VIEWER)
    def attempts() -> Response:
        """Every attempt that is kept, the last one first."""
        every = overviews.read().attempts
        asked = {name: request.args.get(name, "") for name in _ASKED}
        found = [a for a in every if _fits(a, asked)]
        if exports.asked_format():
            rows = [msgspec.to_builtins(a) for a in found]
            return exports.answer("attempts", rows, _COLUMNS)
        return page(
            "system/attempts.html",
            Place("attempts", [Crumb("Refused")]),
            ("devices",),
            paging=paged(found),
            asked=asked,
            offered={
                "level": sorted({str(a.level) for a in every}),
                "by": ["hub", "device"],
                "name": sorted({a.name for a in every}),
            },
            known={d.key for d in catalog.all(Device)},
        )

    return pages


def _fits(attempt: AttemptView, asked: dict[str, str]) -> bool:
    told = {
        "level": str(attempt.level),
        "by": "hub" if attempt.by == "hub" else "device",
        "name": attempt.name,
        "device": attempt.device,
    }
    return all(not wanted or told[name] == wanted for name, wanted in asked.items())
