"""The HTTP API of rollouts, named parts of cohorts, and quarantine."""

import time
from http import HTTPStatus

from flask import Blueprint, Response

from fleetloop_hub.delivery.rollout_states import Event
from fleetloop_hub.errors import GateError
from fleetloop_hub.fleet_records import LabelCohort, Quarantine, Rollout
from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Catalog
from fleetloop_hub.web import access, guard
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.actions import HubActions
from fleetloop_hub.web.api import Ask
from fleetloop_hub.web.api_approvals import Name, Text
from fleetloop_hub.web.rollout_actions import Wanted
from fleetloop_shared.codec import encode
from fleetloop_shared.ids import check_name

_SMALL_BYTES = 16_384
_EVENTS = {
    "approve": Event.APPROVE,
    "pause": Event.PAUSE,
    "resume": Event.RESUME,
    "abort": Event.ABORT,
    "withdraw": Event.WITHDRAW,
}


class WordAsk(Ask, frozen=True, kw_only=True):
    """Who does something to a rollout or a quarantine, and why.

    Attributes:
        by: The person's name.
        reason: Why, in words.
    """

    by: Name
    reason: Text


class PartAsk(Ask, frozen=True, kw_only=True):
    """A part of a cohort that gets a name.

    Attributes:
        name: The name.
        where: Label query.
        home: The cohort.
    """

    name: str
    where: str
    home: str = "default"


def reading_rollouts(catalog: Catalog) -> Blueprint:
    """The routes that change nothing."""
    api = Blueprint("reading_rollouts", __name__, url_prefix="/api/v1")

    @api.get("/rollouts/<key>")
    @needs(Role.VIEWER)
    def show(key: str) -> Response:
        found = catalog.find(Rollout, key)
        if found is None:
            raise GateError(f"no rollout {key[:80]!r}: see `fleetloop rollouts list`")
        return _json(found)

    @api.get("/cohorts")
    @needs(Role.VIEWER)
    def cohorts() -> Response:
        return _json({"cohorts": [c for c in catalog.all(LabelCohort) if not c.gone]})

    @api.get("/quarantine")
    @needs(Role.VIEWER)
    def quarantine() -> Response:
        return _json({"quarantine": catalog.all(Quarantine)})

    return api


def changing_rollouts(actions: HubActions) -> Blueprint:
    """The routes for the holder of the admin token."""
    api = Blueprint("changing_rollouts", __name__, url_prefix="/api/v1")

    @api.post("/rollouts/plan")
    @needs(Role.VIEWER)
    def plan() -> Response:
        wanted = guard.body(Wanted, _SMALL_BYTES)
        with actions.held():
            return _json(actions.rollouts.plan(wanted, time.time()))

    @api.post("/rollouts/<key>/<event>")
    @needs(Role.OPERATOR)
    def happen(key: str, event: str) -> Response:
        asked = guard.body(WordAsk, _SMALL_BYTES)
        if event not in _EVENTS:
            raise GateError(f"{event[:40]!r} cannot be done to a rollout: {', '.join(_EVENTS)}")
        if _EVENTS[event] is Event.APPROVE:
            access.demand(Role.APPROVER)
        text = f"{event} by {asked.by}: {asked.reason}"
        with actions.held():
            return _json(actions.rollouts.happen(key, _EVENTS[event], text, time.time()))

    @api.post("/cohorts")
    @needs(Role.OPERATOR)
    def define() -> Response:
        asked = guard.body(PartAsk, _SMALL_BYTES)
        name, home = check_name(asked.name, "cohort"), check_name(asked.home, "cohort")
        with actions.held():
            return _json(actions.rollouts.define(name, asked.where, home), HTTPStatus.CREATED)

    @api.post("/cohorts/<name>/remove")
    @needs(Role.OPERATOR)
    def remove(name: str) -> Response:
        guard.body(WordAsk, _SMALL_BYTES)
        with actions.held():
            return _json(actions.rollouts.undefine(name))

    @api.post("/quarantine/<sha256>/<hardware>/lift")
    @needs(Role.APPROVER)
    def lift(sha256: str, hardware: str) -> Response:
        asked = guard.body(WordAsk, _SMALL_BYTES)
        why = f"{asked.by}: {asked.reason}"
        with actions.held():
            return _json(actions.rollouts.lift(f"{sha256}/{hardware}", why, time.time()))

    return api


def _json(value: object, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(encode(value), status=status, content_type="application/json")
