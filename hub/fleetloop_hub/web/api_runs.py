"""The HTTP API of runs: in brief, one as a whole, what it has left, doing one again, ending one."""

from http import HTTPStatus

import msgspec
from flask import Blueprint, Response

from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Blobs, Catalog
from fleetloop_hub.records import Run, RunState
from fleetloop_hub.tracking.kept import whole
from fleetloop_hub.tracking.summaries import runs_of, summaries
from fleetloop_hub.web import answers, guard, paging
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.actions import HubActions
from fleetloop_hub.web.api_approvals import Name, Text
from fleetloop_hub.web.paging import PageAsk
from fleetloop_hub.web.problem import ProblemError
from fleetloop_hub.web.speaking import Speaks, asked
from fleetloop_shared.codec import encode

_SMALL_BYTES = 16_384


class RunsAsk(PageAsk, frozen=True, kw_only=True):
    """Which runs are wanted.

    Attributes:
        model: Only of this model; empty is all.
        state: Only in this state.
    """

    model: str = ""
    state: RunState | msgspec.UnsetType = msgspec.UNSET


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

    by: Name
    reason: Text


def reading_runs(catalog: Catalog, blobs: Blobs) -> Blueprint:
    """The routes that change nothing."""
    api = Blueprint("reading_runs", __name__, url_prefix="/api/v1")

    @api.get("/runs")
    @needs(Role.VIEWER)
    @Speaks(query=RunsAsk, gives=answers.Runs)
    def runs() -> Response:
        """Runs in brief, newest first."""
        wanted = asked(RunsAsk)
        every = runs_of(catalog, model=wanted.model, state=wanted.state or None)
        found, behind = paging.cut(every, lambda r: (-r.started_at, r.key), wanted)
        return paging.paged(answers.Runs(runs=summaries(catalog, found), next=behind))

    @api.get("/runs/<key>")
    @needs(Role.VIEWER)
    @Speaks(gives=Run)
    def run(key: str) -> Response:
        """One run as a whole: candidates, curves, metrics, machine, notes."""
        return _json(whole(_find(catalog, key), blobs))

    @api.get("/runs/<key>/files/<name>")
    @needs(Role.VIEWER)
    @Speaks(kind="application/octet-stream")
    def file(key: str, name: str) -> Response:
        """A file that the run has left, such as log.txt or artifact.onnx."""
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
    @Speaks(takes=ByAsk, example={"by": "ann"}, gives=answers.RunNamed, status=HTTPStatus.CREATED)
    def reproduce(key: str) -> Response:
        """Train a run once more, as its record says, and compare the bytes."""
        told = guard.body(ByAsk, _SMALL_BYTES)
        return _json({"run": actions.reproduce(key, told.by)}, HTTPStatus.CREATED)

    @api.post("/runs/<key>/cancel")
    @needs(Role.OPERATOR)
    @Speaks(takes=ByAsk, example={"by": "ann"}, gives=answers.RunNamed)
    def cancel(key: str) -> Response:
        """End a run that is under way, or has not begun; nothing of it is used."""
        told = guard.body(ByAsk, _SMALL_BYTES)
        actions.cancel(key, told.by)
        return _json({"run": key})

    @api.post("/runs/<key>/allow")
    @needs(Role.APPROVER)
    @Speaks(
        takes=AllowAsk,
        example={"by": "ann", "reason": "the rows are right"},
        gives=answers.RunNamed,
    )
    def allow(key: str) -> Response:
        """Agree to a run that waits for a person's word."""
        told = guard.body(AllowAsk, _SMALL_BYTES)
        actions.allow(key, told.by, told.reason)
        return _json({"run": key})

    return api


def _find(catalog: Catalog, key: str) -> Run:
    run = catalog.find(Run, key)
    if run is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"No run {key[:80]!r}: see `fleetloop runs list`.")
    return run


def _json(value: object, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(encode(value), status=status, content_type="application/json")
