"""The HTTP API of runs: in brief, one as a whole, what it has left, doing one again, ending one."""

from http import HTTPStatus
from typing import Annotated

import msgspec
from flask import Blueprint, Response, request

from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Blobs, Catalog
from fleetloop_hub.records import Run, RunState
from fleetloop_hub.tracking.kept import whole
from fleetloop_hub.tracking.summaries import summaries
from fleetloop_hub.web import guard
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.actions import HubActions
from fleetloop_hub.web.problem import ProblemError
from fleetloop_shared.codec import encode

_SMALL_BYTES = 16_384
_MOST = 1_000


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The query of a list of runs.

    Attributes:
        model: Only of this model.
        state: Only in this state.
        limit: No more than so many, newest first.
    """

    model: str | None = None
    state: RunState | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=_MOST)] = 100


class ByAsk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A run to do again, or to end.

    Attributes:
        by: Who asks.
    """

    by: str = "person"


class AllowAsk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A run that waits for a person's word.

    Attributes:
        by: Who agrees.
        reason: Why.
    """

    by: Annotated[str, msgspec.Meta(pattern=r"\S", max_length=100)]
    reason: Annotated[str, msgspec.Meta(pattern=r"\S", max_length=2_000)]


def reading_runs(catalog: Catalog, blobs: Blobs) -> Blueprint:
    """The routes that change nothing."""
    api = Blueprint("reading_runs", __name__, url_prefix="/api/v1")

    @api.get("/runs")
    @needs(Role.VIEWER)
    def runs() -> Response:
        try:
            asked = msgspec.convert(request.args.to_dict(), Asked, strict=False)
        except msgspec.ValidationError as error:
            raise ProblemError(HTTPStatus.BAD_REQUEST, f"The query is wrong: {error}.") from error
        found = summaries(catalog, model=asked.model, state=asked.state, limit=asked.limit)
        return _json({"runs": found})

    @api.get("/runs/<key>")
    @needs(Role.VIEWER)
    def run(key: str) -> Response:
        return _json(whole(_find(catalog, key), blobs))

    @api.get("/runs/<key>/files/<name>")
    @needs(Role.VIEWER)
    def file(key: str, name: str) -> Response:
        sha256 = _find(catalog, key).artifacts.get(name)
        if sha256 is None or not blobs.has(sha256):
            have = ", ".join(sorted(_find(catalog, key).artifacts)) or "nothing"
            raise ProblemError(
                HTTPStatus.NOT_FOUND, f"Run {key} has no {name!r} that is kept; it left: {have}."
            )
        response = Response(blobs.get(sha256), content_type="application/octet-stream")
        response.headers["ETag"] = f'"{sha256}"'
        return response

    return api


def changing_runs(actions: HubActions) -> Blueprint:
    """The routes for the holder of the admin token."""
    api = Blueprint("changing_runs", __name__, url_prefix="/api/v1")

    @api.post("/runs/<key>/reproduce")
    @needs(Role.OPERATOR)
    def reproduce(key: str) -> Response:
        asked = guard.body(ByAsk, _SMALL_BYTES)
        return _json({"run": actions.reproduce(key, asked.by)}, HTTPStatus.CREATED)

    @api.post("/runs/<key>/cancel")
    @needs(Role.OPERATOR)
    def cancel(key: str) -> Response:
        asked = guard.body(ByAsk, _SMALL_BYTES)
        actions.cancel(key, asked.by)
        return _json({"run": key})

    @api.post("/runs/<key>/allow")
    @needs(Role.APPROVER)
    def allow(key: str) -> Response:
        asked = guard.body(AllowAsk, _SMALL_BYTES)
        actions.allow(key, asked.by, asked.reason)
        return _json({"run": key})

    return api


def _find(catalog: Catalog, key: str) -> Run:
    run = catalog.find(Run, key)
    if run is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"No run {key[:80]!r}: see `fleetloop runs list`.")
    return run


def _json(value: object, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(encode(value), status=status, content_type="application/json")
