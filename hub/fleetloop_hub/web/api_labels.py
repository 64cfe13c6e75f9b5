"""The HTTP API of late labels: tell them, make an account for who tells them, see how many wait."""

import time
from http import HTTPStatus
from typing import Annotated, Literal

import msgspec
from flask import Blueprint, Response

from fleetloop_hub.data.told_labels import LabelDesk, ToldLabel
from fleetloop_hub.fleet_records import Device, LabelSource
from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Catalog, Telemetry
from fleetloop_hub.web import answers, guard
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.actions import HubActions, LabelAccount
from fleetloop_hub.web.speaking import Speaks
from fleetloop_shared.codec import encode
from fleetloop_shared.ids import NAME
from fleetloop_shared.label_messages import LabelReceipt

_LABELS_BYTES = 1_048_576
_SOURCE_BYTES = 4_096
MOST_LABELS = 5_000
"""Labels in one request."""


class LabelsAsk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Labels of predictions that devices have made."""

    labels: Annotated[list[ToldLabel], msgspec.Meta(max_length=MOST_LABELS)]
    source: Literal["api", "file"] = "api"


class SourceAsk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A label source that is to have an account at the broker."""

    name: Annotated[str, msgspec.Meta(pattern=f"^{NAME}$")]


def reading_labels(catalog: Catalog, telemetry: Telemetry) -> Blueprint:
    """The route that anybody may read."""
    api = Blueprint("reading_labels", __name__, url_prefix="/api/v1")

    @api.get("/labels")
    @needs(Role.VIEWER)
    @Speaks(gives=answers.LabelsWaiting)
    def labels() -> Response:
        """How many late labels wait for their rows, and which sources tell them."""
        sources = [source.key for source in catalog.all(LabelSource)]
        return _json(answers.LabelsWaiting(waiting=telemetry.labels_waiting(), sources=sources))

    return api


def changing_labels(catalog: Catalog, telemetry: Telemetry, actions: HubActions) -> Blueprint:
    """The routes for the holder of the admin token."""
    api = Blueprint("changing_labels", __name__, url_prefix="/api/v1")
    desk = LabelDesk(telemetry, lambda name: catalog.find(Device, name) is not None, time.time)

    @api.post("/labels")
    @needs(Role.OPERATOR)
    @Speaks(
        takes=LabelsAsk,
        example={"labels": [{"prediction_id": "station-7-1-42", "label": 1, "at": 1790000000}]},
        gives=LabelReceipt,
        status=HTTPStatus.CREATED,
    )
    def tell() -> Response:
        """Tell labels of predictions that devices have made."""
        asked = guard.body(LabelsAsk, _LABELS_BYTES)
        return _json(desk.take(asked.labels, asked.source), HTTPStatus.CREATED)

    @api.post("/labels/sources")
    @needs(Role.ADMIN)
    @Speaks(
        takes=SourceAsk,
        example={"name": "bank"},
        gives=LabelAccount,
        status=HTTPStatus.CREATED,
        secret=True,
    )
    def source() -> Response:
        """Make an account at the broker for a label source."""
        asked = guard.body(SourceAsk, _SOURCE_BYTES)
        return _json(actions.label_source(asked.name), HTTPStatus.CREATED)

    return api


def _json(value: object, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(encode(value), status=status, content_type="application/json")
