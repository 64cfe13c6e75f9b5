"""The HTTP API of challengers beside champions: what they have shown, start, stop."""

from http import HTTPStatus

import msgspec
from flask import Blueprint, Response, render_template

from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Catalog, Telemetry
from fleetloop_hub.shadowing.views import views
from fleetloop_hub.spec.scalars import Share
from fleetloop_hub.spec.shadow_table import ShadowTerms
from fleetloop_hub.web import guard
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.actions import HubActions
from fleetloop_shared.codec import encode

_SMALL_BYTES = 16_384


class ShadowAsk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A version that is to run beside the champion, or no more.

    Attributes:
        model: The model's name.
        version: Its number.
        cohort: On whose devices.
        rows_share: Share of the rows that it scores, None as the spec says.
        answer_share: Share of the keys that it answers, None as the spec says.
    """

    model: str
    version: int
    cohort: str = "default"
    rows_share: Share | None = None
    answer_share: Share | None = None


def reading_shadows(catalog: Catalog, telemetry: Telemetry) -> Blueprint:
    """The routes that change nothing: as JSON, and the console's page."""
    api = Blueprint("reading_shadows", __name__)

    @api.get("/api/v1/shadows")
    @needs(Role.VIEWER)
    def shadows() -> Response:
        found = {"shadows": views(catalog, telemetry)}
        return Response(encode(found), content_type="application/json")

    @api.get("/shadows")
    @needs(Role.VIEWER)
    def page() -> str:
        return render_template("shadows.html", shadows=views(catalog, telemetry))

    return api


def changing_shadows(actions: HubActions) -> Blueprint:
    """The routes for the holder of the admin token."""
    api = Blueprint("changing_shadows", __name__, url_prefix="/api/v1")

    @api.post("/shadows")
    @needs(Role.OPERATOR)
    def start() -> Response:
        asked = guard.body(ShadowAsk, _SMALL_BYTES)
        terms = ShadowTerms(rows_share=asked.rows_share, answer_share=asked.answer_share)
        actions.start_shadow(asked.model, asked.version, asked.cohort, terms)
        return _told(asked)

    @api.post("/shadows/stop")
    @needs(Role.OPERATOR)
    def stop() -> Response:
        asked = guard.body(ShadowAsk, _SMALL_BYTES)
        actions.stop_shadow(asked.model, asked.version, asked.cohort)
        return _told(asked)

    return api


def _told(asked: ShadowAsk) -> Response:
    return Response(encode(asked), status=HTTPStatus.CREATED, content_type="application/json")
