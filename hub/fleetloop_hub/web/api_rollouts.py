"""The HTTP API of rollouts, named parts of cohorts, and quarantine."""

import time
from http import HTTPStatus

from flask import Blueprint, Response

from fleetloop_hub.delivery.plan import Plan
from fleetloop_hub.delivery.rollout_states import Event
from fleetloop_hub.errors import AbsentError
from fleetloop_hub.fleet_records import LabelCohort, Quarantine, Rollout
from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Catalog
from fleetloop_hub.web import access, answers, conditions, guard, paging
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.actions import HubActions
from fleetloop_hub.web.api import Ask
from fleetloop_hub.web.api_approvals import Name, Text
from fleetloop_hub.web.paging import PageAsk
from fleetloop_hub.web.rollout_actions import Wanted
from fleetloop_hub.web.speaking import Speaks, asked
from fleetloop_shared.codec import encode
from fleetloop_shared.ids import check_name

_SMALL_BYTES = 16_384
EVENTS = {
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
    @Speaks(gives=Rollout)
    def show(key: str) -> Response:
        """One rollout: phases, counts of its devices, judgement, history."""
        found = catalog.find(Rollout, key)
        if found is None:
            raise AbsentError(f"no rollout {key[:80]!r}: see `fleetloop rollouts list`")
        return _json(found)

    @api.get("/cohorts")
    @needs(Role.VIEWER)
    @Speaks(query=PageAsk, gives=answers.Cohorts)
    def cohorts() -> Response:
        """Parts of cohorts that have a name."""
        named = [c for c in catalog.all(LabelCohort) if not c.gone]
        found, behind = paging.cut(named, lambda c: (c.key,), asked(PageAsk))
        return paging.paged(answers.Cohorts(cohorts=found, next=behind))

    @api.get("/quarantine")
    @needs(Role.VIEWER)
    @Speaks(query=PageAsk, gives=answers.Quarantines)
    def quarantine() -> Response:
        """Artifacts that a hardware type is, or was, not offered, newest first."""
        every = catalog.all(Quarantine)
        found, behind = paging.cut(every, lambda q: (-q.at, q.key), asked(PageAsk))
        return paging.paged(answers.Quarantines(quarantine=found, next=behind))

    return api


def changing_rollouts(catalog: Catalog, actions: HubActions) -> Blueprint:
    """The routes for the holder of the admin token."""
    api = Blueprint("changing_rollouts", __name__, url_prefix="/api/v1")

    @api.post("/rollouts/plan")
    @needs(Role.VIEWER)
    @Speaks(takes=Wanted, example={"model": "rain", "version": 2, "cohort": "stations"}, gives=Plan)
    def plan() -> Response:
        """What a rollout would do, device by device; nothing is begun."""
        wanted = guard.body(Wanted, _SMALL_BYTES)
        with actions.held():
            return _json(actions.rollouts.plan(wanted, time.time()))

    @api.post("/rollouts/<key>/<event>")
    @needs(Role.OPERATOR)
    @Speaks(
        takes=WordAsk, example={"by": "ann", "reason": "it may go on"}, gives=Rollout, matched=True
    )
    def happen(key: str, event: str) -> Response:
        """Approve, pause, resume, abort or withdraw a rollout.

        An abort leaves devices what they have, a withdrawal takes the version back; to approve
        needs the role approver.
        """
        told = guard.body(WordAsk, _SMALL_BYTES)
        if event not in EVENTS:
            raise AbsentError(f"{event[:40]!r} cannot be done to a rollout: {', '.join(EVENTS)}")
        if EVENTS[event] is Event.APPROVE:
            access.demand(Role.APPROVER)
        text = f"{event} by {told.by}: {told.reason}"
        with actions.held():
            conditions.unchanged(catalog.find(Rollout, key))
            return _json(actions.rollouts.happen(key, EVENTS[event], text, time.time()))

    @api.post("/cohorts")
    @needs(Role.OPERATOR)
    @Speaks(
        takes=PartAsk,
        example={"name": "roofs", "where": 'site = "roof"', "home": "stations"},
        gives=LabelCohort,
        status=HTTPStatus.CREATED,
    )
    def define() -> Response:
        """Give a name to the devices of a cohort that a label query is about."""
        told = guard.body(PartAsk, _SMALL_BYTES)
        name, home = check_name(told.name, "cohort"), check_name(told.home, "cohort")
        with actions.held():
            return _json(actions.rollouts.define(name, told.where, home), HTTPStatus.CREATED)

    @api.post("/cohorts/<name>/remove")
    @needs(Role.OPERATOR)
    @Speaks(takes=WordAsk, example={"by": "ann", "reason": "the roofs are gone"}, gives=LabelCohort)
    def remove(name: str) -> Response:
        """Forget such a name; devices keep what they have."""
        guard.body(WordAsk, _SMALL_BYTES)
        with actions.held():
            return _json(actions.rollouts.undefine(name))

    @api.post("/quarantine/<sha256>/<hardware>/lift")
    @needs(Role.APPROVER)
    @Speaks(
        takes=WordAsk, example={"by": "ann", "reason": "the sensor was at fault"}, gives=Quarantine
    )
    def lift(sha256: str, hardware: str) -> Response:
        """Let an artifact be offered to a hardware type again; the hash may be shortened."""
        told = guard.body(WordAsk, _SMALL_BYTES)
        why = f"{told.by}: {told.reason}"
        with actions.held():
            return _json(actions.rollouts.lift(f"{sha256}/{hardware}", why, time.time()))

    return api


def _json(value: object, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(encode(value), status=status, content_type="application/json")
