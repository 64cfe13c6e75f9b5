"""The HTTP API: what there is, as JSON; and, for the holder of the admin token, what to do."""

from http import HTTPStatus
from pathlib import Path
from typing import Annotated

import msgspec
from flask import Blueprint, Response, request

from fleetloop_hub.decision_records import Decision
from fleetloop_hub.errors import EnrolError
from fleetloop_hub.fleet_records import Rollout
from fleetloop_hub.monitoring import alarms
from fleetloop_hub.monitoring.overview_reader import OverviewReader
from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Catalog, Telemetry
from fleetloop_hub.web import guard
from fleetloop_hub.web.access import PUBLIC, needs
from fleetloop_hub.web.actions import HubActions
from fleetloop_shared.codec import encode
from fleetloop_shared.ids import check_name
from fleetloop_shared.messages import EnrolRequest

_SMALL_BYTES = 16_384
_SPEC_BYTES = 1_048_576
_MAX_LISTED = 1_000


class Ask(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a request; a key it does not know is an error, not a silence."""


class TokenAsk(Ask, frozen=True, kw_only=True):
    """A one-time token for a new device.

    Attributes:
        cohort: Where it will belong.
        expires_s: Seconds until the token is void: up to a week.
    """

    cohort: str = "default"
    expires_s: Annotated[float, msgspec.Meta(gt=0, le=604_800)] = 3_600.0


class ModelAsk(Ask, frozen=True, kw_only=True):
    """A model spec to take in.

    Attributes:
        spec: Its text, TOML.
        folder: What its CSV path is relative to, on the hub's machine.
    """

    spec: str
    folder: str


class RunAsk(Ask, frozen=True, kw_only=True):
    """A training to start.

    Attributes:
        model: The model's name.
        reason: Why, in words, for the decision log.
        by: Who asks.
    """

    model: str
    reason: str = "asked for by a person"
    by: str = ""


class RolloutAsk(Ask, frozen=True, kw_only=True):
    """A version to roll out.

    Attributes:
        model: The model's name.
        version: Its number.
        cohort: Who gets it.
        where: Label query that says which of its devices; "" is all.
        replacing: Whether it may take the place of another model.
        by: Who asks, for the audit log; so is the reason.
        reason: Why, in words.
    """

    model: str
    version: int
    cohort: str = "default"
    where: str = ""
    replacing: bool = False
    by: str = ""
    reason: str = ""


def reading(
    catalog: Catalog, telemetry: Telemetry, overviews: OverviewReader, actions: HubActions
) -> Blueprint:
    """The routes that change nothing."""
    api = Blueprint("reading", __name__, url_prefix="/api/v1")

    @api.get("/overview")
    @needs(Role.VIEWER)
    def overview() -> Response:
        return _json(overviews.read())

    @api.get("/devices")
    @needs(Role.VIEWER)
    def devices() -> Response:
        return _json({"devices": overviews.read().devices})

    @api.get("/versions")
    @needs(Role.VIEWER)
    def versions() -> Response:
        return _json({"versions": overviews.read().versions})

    @api.get("/drift")
    @needs(Role.VIEWER)
    def drift() -> Response:
        return _json(alarms.count(telemetry))

    @api.get("/attempts")
    @needs(Role.VIEWER)
    def attempts() -> Response:
        return _json({"attempts": overviews.read().attempts})

    @api.get("/rollouts")
    @needs(Role.VIEWER)
    def rollouts() -> Response:
        found = sorted(catalog.all(Rollout), key=lambda r: r.started_at, reverse=True)
        return _json({"rollouts": found[:_MAX_LISTED]})

    @api.get("/decisions")
    @needs(Role.VIEWER)
    def decisions() -> Response:
        found = sorted(catalog.all(Decision), key=lambda d: d.at, reverse=True)
        return _json({"decisions": found[:_MAX_LISTED]})

    @api.get("/status")
    @needs(Role.VIEWER)
    def status() -> Response:
        return _json(actions.status())

    return api


def enrolling(actions: HubActions) -> Blueprint:
    """The route for new devices; the one-time token in the body is the proof."""
    api = Blueprint("enrolling", __name__, url_prefix="/api/v1")
    attempts = guard.enrolment_attempts()

    @api.post("/enrol")
    @needs(PUBLIC)
    def enrol() -> Response:
        source = request.remote_addr or "unknown"
        attempts.check(source)
        asked = guard.body(EnrolRequest, _SMALL_BYTES)
        try:
            return _json(actions.enrol(asked), HTTPStatus.CREATED)
        except EnrolError:
            attempts.failed(source)
            raise

    return api


def changing(actions: HubActions) -> Blueprint:
    """The routes for the holder of the admin token."""
    api = Blueprint("changing", __name__, url_prefix="/api/v1")

    @api.post("/tokens")
    @needs(Role.OPERATOR)
    def tokens() -> Response:
        asked = guard.body(TokenAsk, _SMALL_BYTES)
        cohort = check_name(asked.cohort, "cohort")
        return _json({"token": actions.new_token(cohort, asked.expires_s)}, HTTPStatus.CREATED)

    @api.post("/models")
    @needs(Role.OPERATOR)
    def models() -> Response:
        asked = guard.body(ModelAsk, _SPEC_BYTES)
        name = actions.add_model(asked.spec, Path(asked.folder))
        return _json({"model": name}, HTTPStatus.CREATED)

    @api.post("/runs")
    @needs(Role.OPERATOR)
    def runs() -> Response:
        asked = guard.body(RunAsk, _SMALL_BYTES)
        run = actions.train(asked.model, "person", asked.reason, asked.by)
        return _json({"run": run}, HTTPStatus.CREATED)

    @api.post("/rollouts")
    @needs(Role.OPERATOR)
    def rollouts() -> Response:
        asked = guard.body(RolloutAsk, _SMALL_BYTES)
        cohort = check_name(asked.cohort, "cohort")
        key = actions.roll_out(
            asked.model, asked.version, cohort, where=asked.where, replacing=asked.replacing
        )
        return _json({"rollout": key}, HTTPStatus.CREATED)

    return api


def _json(value: object, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(encode(value), status=status, content_type="application/json")
