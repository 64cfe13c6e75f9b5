"""The pages of rollouts: all of them, one as it goes, and what a person can do to it."""

import time
from http import HTTPStatus

from flask import Blueprint, Response, request

from fleetloop_hub.delivery.rollout_states import TRANSITIONS, Event
from fleetloop_hub.delivery.roster import counted, roster
from fleetloop_hub.fleet_records import UNDER_WAY, Quarantine, Rollout
from fleetloop_hub.monitoring import levels
from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Blobs, Catalog, Telemetry
from fleetloop_hub.tracking.specs import Specs
from fleetloop_hub.web import access, exports, forms
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.actions import HubActions
from fleetloop_hub.web.api_rollouts import EVENTS, WordAsk
from fleetloop_hub.web.page import Crumb, Place, page, paged
from fleetloop_hub.web.problem import ProblemError

_CRUMB = Crumb("Rollouts", "/rollouts")
_COLUMNS = ("key", "model", "version", "control", "place", "state", "started_at", "ended_at")
_ENDING = frozenset({"abort", "withdraw"})
_EFFECTS = {
    "approve": "It may begin.",
    "pause": "No device that has not begun begins; whoever has the version keeps it.",
    "resume": "It goes on where it stood.",
    "abort": "It ends here; whoever has the version keeps it.",
    "withdraw": "It ends, and every device that has the version goes back to what it had.",
}


def rollouts_pages(
    catalog: Catalog, telemetry: Telemetry, blobs: Blobs, actions: HubActions
) -> Blueprint:
    """The routes of rollouts for people."""
    pages = Blueprint("rollouts_pages", __name__)
    specs = Specs(catalog, blobs)

    @pages.get("/rollouts")
    @needs(Role.VIEWER)
    def rollouts() -> Response:
        """Every rollout, those under way first."""
        asked = request.args.get("state", "")
        found = [r for r in catalog.all(Rollout) if not asked or _matches(r, asked)]
        found.sort(key=lambda r: (not r.under_way, -r.started_at))
        if exports.asked_format():
            rows = [{name: getattr(r, name) for name in _COLUMNS} for r in found]
            return exports.answer("rollouts", rows, _COLUMNS)
        return page(
            "rollouts/rollouts.html",
            Place("rollouts", [_CRUMB]),
            ("rollouts",),
            paging=paged(found),
            asked=asked,
            levels=levels.ROLLOUT,
        )

    @pages.get("/rollouts/<key>")
    @needs(Role.VIEWER)
    def rollout(key: str) -> Response:
        """One rollout: how far it is, how its devices do, and what can be done to it."""
        found = _find(catalog, key)
        lost_after_s = specs.of(found.model).rollout.lost_after_s
        devices = roster(found, lost_after_s, catalog, telemetry, time.time())
        return page(
            "rollouts/rollout.html",
            Place("rollouts", [_CRUMB, Crumb(key)]),
            ("rollouts", "devices"),
            rollout=found,
            levels=levels.ROLLOUT,
            devices=paged(devices),
            counts=counted(devices),
            acts=_acts(found),
            effects=_EFFECTS,
            quarantine=[q for q in catalog.all(Quarantine) if q.rollout == key],
        )

    @pages.post("/rollouts/<key>/<event>")
    @needs(Role.OPERATOR)
    def happen(key: str, event: str) -> Response:
        """Do something to a rollout."""
        found = _find(catalog, key)
        if event not in EVENTS:
            raise ProblemError(HTTPStatus.NOT_FOUND, f"{event[:40]!r} cannot be done to a rollout.")
        if EVENTS[event] is Event.APPROVE:
            access.demand(Role.APPROVER)
        if event in _ENDING:
            forms.confirmed(f"{found.model}@{found.version}")
        asked = forms.read(WordAsk)
        text = f"{event} by {asked.by}: {asked.reason}"
        with actions.held():
            actions.rollouts.happen(key, EVENTS[event], text, time.time())
        return forms.done(f"{event} of {key}: done.", f"/rollouts/{key}")

    return pages


def _find(catalog: Catalog, key: str) -> Rollout:
    found = catalog.find(Rollout, key)
    if found is None:
        raise ProblemError(
            HTTPStatus.NOT_FOUND, f"No rollout {key[:80]!r}: /rollouts lists those there are."
        )
    return found


def _matches(rollout: Rollout, asked: str) -> bool:
    return rollout.state in UNDER_WAY if asked == "under way" else rollout.state == asked


def _acts(rollout: Rollout) -> list[str]:
    """What a person can do to it where it stands, in the order of `EVENTS`."""
    possible = TRANSITIONS.get(rollout.state, {})
    return [name for name, event in EVENTS.items() if event in possible]
