"""Errors as application/problem+json (RFC 9457), or as a page: what happened, never a trace."""

import logging
from http import HTTPStatus
from typing import cast
from urllib.parse import urlencode

import msgspec
from flask import Flask, Response, redirect, render_template, request
from werkzeug.exceptions import HTTPException

from fleetloop_hub.errors import (
    AbsentError,
    AlertError,
    AuditError,
    BlobError,
    DataError,
    EnrolError,
    GateError,
    KeyFileError,
    ModelFileError,
    PeopleError,
    SigningError,
    SpecError,
    TrainingError,
)
from fleetloop_shared.errors import DiskFullError, FleetloopError, InvalidIdError, RefusedError

_log = logging.getLogger(__name__)

_STATUS: dict[type[FleetloopError], HTTPStatus] = {
    AbsentError: HTTPStatus.NOT_FOUND,
    SpecError: HTTPStatus.UNPROCESSABLE_ENTITY,
    ModelFileError: HTTPStatus.UNPROCESSABLE_ENTITY,
    DataError: HTTPStatus.UNPROCESSABLE_ENTITY,
    InvalidIdError: HTTPStatus.UNPROCESSABLE_ENTITY,
    RefusedError: HTTPStatus.BAD_REQUEST,
    TrainingError: HTTPStatus.CONFLICT,
    GateError: HTTPStatus.CONFLICT,
    SigningError: HTTPStatus.CONFLICT,
    AlertError: HTTPStatus.CONFLICT,
    KeyFileError: HTTPStatus.INTERNAL_SERVER_ERROR,
    EnrolError: HTTPStatus.FORBIDDEN,
    PeopleError: HTTPStatus.CONFLICT,
    AuditError: HTTPStatus.INTERNAL_SERVER_ERROR,
    BlobError: HTTPStatus.GONE,
    DiskFullError: HTTPStatus.INSUFFICIENT_STORAGE,
}


_WORDS = {
    HTTPStatus.NOT_FOUND: "There is nothing at this address: the console's menu leads to its "
    "pages, and /api lists what programs may ask.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This address does not take this method, and nothing was done: "
    "Allow names those that it takes.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is longer than this address reads, and nothing "
    "was done: send less at once.",
}
"""What is said of what the web framework refuses by itself."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """The body of an error.

    Attributes:
        type: Names the kind of problem, for programs.
        title: The same for people; the same for every problem of a type.
        status: The HTTP status.
        detail: What happened here and what to do.
    """

    type: str
    title: str
    status: int
    detail: str


class ProblemError(FleetloopError):
    """A request that is not served.

    Attributes:
        status: The HTTP status.
        headers: What the answer carries beside the body.
    """

    def __init__(
        self, status: HTTPStatus, detail: str, headers: dict[str, str] | None = None
    ) -> None:
        """Say why.

        Args:
            status: The HTTP status.
            detail: What happened and what to do.
            headers: What the answer carries beside the body.
        """
        super().__init__(detail)
        self.status = status
        self.headers = headers or {}


def problem(status: HTTPStatus, detail: str) -> Response:
    """The answer that tells of a problem: a page for a browser outside the API, else JSON."""
    wants_page = "text/html" in request.headers.get("Accept", "")
    if wants_page and not request.path.startswith("/api/"):
        if status is HTTPStatus.UNAUTHORIZED and request.method == "GET":
            to = f"/sign-in?{urlencode({'next': request.full_path.rstrip('?')})}"
            return cast("Response", redirect(to, HTTPStatus.SEE_OTHER))
        page = render_template("problem.html", title=status.phrase, detail=detail)
        return Response(page, status=status, content_type="text/html; charset=utf-8")
    body = Problem(
        type=f"urn:fleetloop:problem:{status.phrase.lower().replace(' ', '-')}",
        title=status.phrase,
        status=status,
        detail=detail,
    )
    return Response(
        msgspec.json.encode(body), status=status, content_type="application/problem+json"
    )


def register(app: Flask) -> None:
    """Answer every error as a problem."""
    app.register_error_handler(FleetloopError, _fleetloop)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unforeseen)


def _fleetloop(error: FleetloopError) -> Response:
    if isinstance(error, ProblemError):
        response = problem(error.status, str(error))
        response.headers.update(error.headers)
        return response
    for kind, status in _STATUS.items():
        if isinstance(error, kind):
            return problem(status, str(error))
    return _unforeseen(error)


def _http(error: HTTPException) -> Response:
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    told = error.description or status.description
    if error.description == type(error).description:
        told = _WORDS.get(status, told)
    response = problem(status, told)
    if "Allow" in (headers := dict(error.get_headers())):
        response.headers["Allow"] = headers["Allow"]
    return response


def _unforeseen(error: Exception) -> Response:
    """The edge behind which nothing is known of the error: it is logged, the hub goes on."""
    _log.error("%s %s failed", request.method, request.path, exc_info=error)
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "The hub failed on this request; nothing was changed halfway. Its log says more.",
    )
