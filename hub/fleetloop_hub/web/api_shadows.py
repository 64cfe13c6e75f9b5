"""The HTTP API of challengers beside champions: what they have shown, start, stop."""

from http import HTTPStatus

import msgspec
from flask import Blueprint, Response

from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Catalog, Telemetry
from fleetloop_hub.shadowing.views import views
from fleetloop_hub.spec.scalars import Share
from fleetloop_hub.spec.shadow_table import ShadowTerms
from fleetloop_hub.web import guard, paging
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.actions import HubActions
from fleetloop_hub.web.answers import Shadows
from fleetloop_hub.web.paging import PageAsk
from fleetloop_hub.web.speaking import Speaks, asked
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
    """The routes that change nothing."""
    api = Blueprint("reading_shadows", __name__, url_prefix="/api/v1")

    @api.get("/shadows")
    @needs(Role.VIEWER)
    @Speaks(query=PageAsk, gives=Shadows)
    def shadows() -> Response:
        """Challengers beside champions, with what was counted; the last one first."""
        newest = views(catalog, telemetry)
        found, behind = paging.cut(newest, lambda s: (-s.run.started_at, s.run.key), asked(PageAsk))
        return paging.paged(Shadows(shadows=found, next=behind))

    return api


def changing_shadows(actions: HubActions) -> Blueprint:
    """The routes for the holder of the admin token."""
    api = Blueprint("changing_shadows", __name__, url_prefix="/api/v1")

    @api.post("/shadows")
    @needs(Role.OPERATOR)
    @Speaks(
        takes=ShadowAsk,
        example={"model": "rain", "version": 2, "cohort": "stations"},
        gives=ShadowAsk,
        status=HTTPStatus.CREATED,
    )
    def start() -> Response:
        """Have a version run beside the champion of a cohort, which goes on answering."""
        told = guard.body(ShadowAsk, _SMALL_BYTES)
        terms = ShadowTerms(rows_share=told.rows_share, answer_share=told.answer_share)
        actions.start_shadow(told.model, told.version, told.cohort, terms)
        return _told(told)

    @api.post("/shadows/stop")
    @needs(Role.OPERATOR)
    @Speaks(
        takes=ShadowAsk,
        example={"model": "rain", "version": 2, "cohort": "stations"},
        gives=ShadowAsk,
        status=HTTPStatus.CREATED,
    )
    def stop() -> Response:
        """Have it run there no more."""
        told = guard.body(ShadowAsk, _SMALL_BYTES)
        actions.stop_shadow(told.model, told.version, told.cohort)
        return _told(told)

    return api


def _told(asked: ShadowAsk) -> Response:
    return Response(encode(asked), status=HTTPStatus.CREATED, content_type="application/json")
