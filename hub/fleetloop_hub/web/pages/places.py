"""The pages of parts of cohorts, and of what is in quarantine."""

import time

import msgspec
from flask import Blueprint, Response

from fleetloop_hub.delivery.places import Place as Where
from fleetloop_hub.delivery.places import Places
from fleetloop_hub.fleet_records import Device, LabelCohort, Quarantine
from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Catalog, Telemetry
from fleetloop_hub.web import exports, forms
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.actions import HubActions
from fleetloop_hub.web.api_rollouts import PartAsk, WordAsk
from fleetloop_hub.web.page import Crumb, Place, page
from fleetloop_shared.ids import check_name

_ROLLOUTS = Crumb("Rollouts", "/rollouts")
_BARRED = ("model", "version", "hardware", "artifact", "reason", "rollout", "at", "lifted")


def places_pages(catalog: Catalog, telemetry: Telemetry, actions: HubActions) -> Blueprint:
    """The routes of cohorts and quarantine for people."""
    pages = Blueprint("places", __name__)

    @pages.get("/cohorts")
    @needs(Role.VIEWER)
    def cohorts() -> Response:
        """Cohorts with their devices, and the names of parts of them."""
        places = Places(catalog, telemetry)
        counts: dict[str, int] = {}
        for device in catalog.all(Device):
            counts[device.cohort] = counts.get(device.cohort, 0) + 1
        parts = [c for c in catalog.all(LabelCohort) if not c.gone]
        return page(
            "rollouts/cohorts.html",
            Place("rollouts", [_ROLLOUTS, Crumb("Cohorts")]),
            ("devices", "rollouts"),
            cohorts=sorted(counts.items()),
            parts=[(c, len(places.people(Where(c.home, c.where)))) for c in parts],
        )

    @pages.post("/cohorts")
    @needs(Role.OPERATOR)
    def define() -> Response:
        """Give a part of a cohort a name."""
        asked = forms.read(PartAsk)
        name, home = check_name(asked.name, "cohort"), check_name(asked.home, "cohort")
        with actions.held():
            actions.rollouts.define(name, asked.where, home)
        return forms.done(f"{name} is the part of {home} where {asked.where}.", "/cohorts")

    @pages.post("/cohorts/<name>/remove")
    @needs(Role.OPERATOR)
    def remove(name: str) -> Response:
        """Take such a name back."""
        forms.confirmed(name)
        forms.read(WordAsk)
        with actions.held():
            actions.rollouts.undefine(name)
        return forms.done(
            f"{name} is no name any more; its devices keep what they have.", "/cohorts"
        )

    @pages.get("/quarantine")
    @needs(Role.VIEWER)
    def quarantine() -> Response:
        """What no device of a type is offered, and what was."""
        found = sorted(catalog.all(Quarantine), key=lambda q: (q.lifted_at is not None, -q.at))
        if exports.asked_format():
            rows = [msgspec.to_builtins(q) for q in found]
            return exports.answer("quarantine", rows, _BARRED)
        return page(
            "rollouts/quarantine.html",
            Place("rollouts", [_ROLLOUTS, Crumb("Quarantine")]),
            ("rollouts",),
            quarantine=found,
        )

    @pages.post("/quarantine/<sha256>/<hardware>/lift")
    @needs(Role.APPROVER)
    def lift(sha256: str, hardware: str) -> Response:
        """Let an artifact be offered to a hardware type again."""
        forms.confirmed(hardware)
        asked = forms.read(WordAsk)
        with actions.held():
            lifted = actions.rollouts.lift(
                f"{sha256}/{hardware}", f"{asked.by}: {asked.reason}", time.time()
            )
        return forms.done(
            f"{lifted.model}@{lifted.version} may be offered to {hardware} again.", "/quarantine"
        )

    return pages
