"""The HTTP API: what there is, as JSON; and, for the holder of the admin token, what to do."""

from http import HTTPStatus
from pathlib import Path
from typing import Annotated

import msgspec
from flask import Blueprint, Response

from fleetloop_hub.decision_records import Decision
from fleetloop_hub.errors import AbsentError, EnrolError
from fleetloop_hub.fleet_records import Rollout
from fleetloop_hub.monitoring import alarms
from fleetloop_hub.monitoring.alarms import Alarms
from fleetloop_hub.monitoring.overview import DeviceView, Overview
from fleetloop_hub.monitoring.overview_reader import OverviewReader
from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Catalog, Telemetry
from fleetloop_hub.web import answers, guard, paging
from fleetloop_hub.web.access import PUBLIC, needs
from fleetloop_hub.web.actions import HubActions, HubStatus
from fleetloop_hub.web.paging import PageAsk
from fleetloop_hub.web.speaking import Speaks, asked
from fleetloop_shared.codec import encode
from fleetloop_shared.ids import check_name
from fleetloop_shared.messages import EnrolAnswer, EnrolRequest

_SMALL_BYTES = 16_384
_SPEC_BYTES = 1_048_576


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
    @Speaks(gives=Overview)
    def overview() -> Response:
        """The whole loop at one look: health, next step, stages, devices, versions, events."""
        return _json(overviews.read())

    @api.get("/devices")
    @needs(Role.VIEWER)
    @Speaks(query=PageAsk, gives=answers.Devices)
    def devices() -> Response:
        """Devices by id, each with the last that it said."""
        found, behind = paging.cut(overviews.read().devices, lambda d: (d.device,), asked(PageAsk))
        return paging.paged(answers.Devices(devices=found, next=behind))

    @api.get("/versions")
    @needs(Role.VIEWER)
    @Speaks(query=PageAsk, gives=answers.Versions)
    def versions() -> Response:
        """Model versions of every model, newest first."""
        found, behind = paging.cut(
            overviews.read().versions, lambda v: (-v.created_at, v.model, -v.number), asked(PageAsk)
        )
        return paging.paged(answers.Versions(versions=found, next=behind))

    @api.get("/drift")
    @needs(Role.VIEWER)
    @Speaks(gives=Alarms)
    def drift() -> Response:
        """Every window that devices have judged, counted, and the newest reports."""
        return _json(alarms.count(telemetry))

    @api.get("/attempts")
    @needs(Role.VIEWER)
    @Speaks(query=PageAsk, gives=answers.Attempts)
    def attempts() -> Response:
        """What was tried on devices and hub and came to nothing."""
        found, behind = paging.cut(
            overviews.read().attempts, lambda a: (-a.at, a.name, a.by, a.device), asked(PageAsk)
        )
        return paging.paged(answers.Attempts(attempts=found, next=behind))

    @api.get("/rollouts")
    @needs(Role.VIEWER)
    @Speaks(query=PageAsk, gives=answers.Rollouts)
    def rollouts() -> Response:
        """Rollouts, newest first."""
        found, behind = paging.cut(
            catalog.all(Rollout), lambda r: (-r.started_at, r.key), asked(PageAsk)
        )
        return paging.paged(answers.Rollouts(rollouts=found, next=behind))

    @api.get("/decisions")
    @needs(Role.VIEWER)
    @Speaks(query=PageAsk, gives=answers.Decisions)
    def decisions() -> Response:
        """Decisions of the hub, newest first."""
        found, behind = paging.cut(catalog.all(Decision), lambda d: (-d.at, d.key), asked(PageAsk))
        return paging.paged(answers.Decisions(decisions=found, next=behind))

    @api.get("/status")
    @needs(Role.VIEWER)
    @Speaks(gives=HubStatus)
    def status() -> Response:
        """How the running hub is."""
        return _json(actions.status())

    _device(api, overviews)
    return api


def _device(api: Blueprint, overviews: OverviewReader) -> None:
    """The route of one device."""

    @api.get("/devices/<device>")
    @needs(Role.VIEWER)
    @Speaks(gives=DeviceView)
    def device(device: str) -> Response:
        """One device, with the last that it said."""
        for view in overviews.read().devices:
            if view.device == device:
                return _json(view)
        raise AbsentError(f"no device {device[:80]!r}: see `fleetloop devices`")


def enrolling(actions: HubActions) -> Blueprint:
    """The route for new devices; the one-time token in the body is the proof."""
    api = Blueprint("enrolling", __name__, url_prefix="/api/v1")
    attempts = guard.enrolment_attempts()

    @api.post("/enrol")
    @needs(PUBLIC)
    @Speaks(
        takes=EnrolRequest,
        example={
            "token": "SECRET.FINGERPRINT",
            "device": "station-7",
            "hardware": "pi4",
            "agent": "0.1.0",
        },
        gives=EnrolAnswer,
        status=HTTPStatus.CREATED,
        secret=True,
    )
    def enrol() -> Response:
        """Admit a new device; the one-time token in the body is the proof."""
        source = guard.source()
        attempts.check(source)
        wanted = guard.body(EnrolRequest, _SMALL_BYTES)
        try:
            return _json(actions.enrol(wanted), HTTPStatus.CREATED)
        except EnrolError:
            attempts.failed(source)
            raise

    return api


def changing(actions: HubActions) -> Blueprint:
    """The routes for the holder of the admin token."""
    api = Blueprint("changing", __name__, url_prefix="/api/v1")

    @api.post("/tokens")
    @needs(Role.OPERATOR)
    @Speaks(
        takes=TokenAsk,
        example={"cohort": "stations", "expires_s": 3600},
        gives=answers.TokenMade,
        status=HTTPStatus.CREATED,
        secret=True,
    )
    def tokens() -> Response:
        """Make a one-time token with which a new device enrols."""
        wanted = guard.body(TokenAsk, _SMALL_BYTES)
        cohort = check_name(wanted.cohort, "cohort")
        return _json({"token": actions.new_token(cohort, wanted.expires_s)}, HTTPStatus.CREATED)

    @api.post("/models")
    @needs(Role.OPERATOR)
    @Speaks(
        takes=ModelAsk,
        example={"spec": '[model]\nname = "rain"\n', "folder": "/srv/rain"},
        gives=answers.ModelKnown,
        status=HTTPStatus.CREATED,
    )
    def models() -> Response:
        """Take in a model spec, and make a dataset version of its rows.

        The spec's sources lie on the hub's machine, below `folder`.
        """
        wanted = guard.body(ModelAsk, _SPEC_BYTES)
        name = actions.add_model(wanted.spec, Path(wanted.folder))
        return _json({"model": name}, HTTPStatus.CREATED)

    @api.post("/runs")
    @needs(Role.OPERATOR)
    @Speaks(
        takes=RunAsk,
        example={"model": "rain", "reason": "new rows"},
        gives=answers.RunNamed,
        status=HTTPStatus.CREATED,
    )
    def runs() -> Response:
        """Start to train a model, or queue it; the answer does not wait for it."""
        wanted = guard.body(RunAsk, _SMALL_BYTES)
        run = actions.train(wanted.model, "person", wanted.reason, wanted.by)
        return _json({"run": run}, HTTPStatus.CREATED)

    @api.post("/rollouts")
    @needs(Role.OPERATOR)
    @Speaks(
        takes=RolloutAsk,
        example={"model": "rain", "version": 2, "cohort": "stations"},
        gives=answers.RolloutNamed,
        status=HTTPStatus.CREATED,
    )
    def rollouts() -> Response:
        """Begin to move a cohort, or a part of it, to a version."""
        wanted = guard.body(RolloutAsk, _SMALL_BYTES)
        cohort = check_name(wanted.cohort, "cohort")
        key = actions.roll_out(
            wanted.model, wanted.version, cohort, where=wanted.where, replacing=wanted.replacing
        )
        return _json({"rollout": key}, HTTPStatus.CREATED)

    return api


def _json(value: object, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(encode(value), status=status, content_type="application/json")
