"""Answers that say what they are by an `ETag`, and requests that depend on it (RFC 9110, 13)."""

from http import HTTPStatus

from flask import Flask, Response, request

from fleetloop_hub.web.problem import ProblemError
from fleetloop_shared.codec import encode
from fleetloop_shared.ids import sha256_hex

_ROOT = "/api/v1/"
_DIGITS = 32


def register(app: Flask) -> None:
    """Give what the API answers to GET an ETag, and leave the body out where it is known."""

    def name(response: Response) -> Response:
        ours = request.method == "GET" and request.path.startswith(_ROOT)
        if not ours or response.status_code != HTTPStatus.OK or response.is_streamed:
            return response
        response.headers.setdefault("Cache-Control", "private, no-cache")
        if "ETag" not in response.headers:
            response.set_etag(_tag(response.get_data()))
        if request.if_none_match.contains_weak(response.get_etag()[0] or ""):
            response.status_code = HTTPStatus.NOT_MODIFIED
            response.set_data(b"")
            response.headers.remove("Content-Length")
            response.headers.remove("Content-Type")
        return response

    app.after_request(name)


def unchanged(record: object) -> None:
    """See that a record is still what `If-Match` says; to be called while nobody else changes it.

    Args:
        record: As a GET answers it.

    Raises:
        ProblemError: It is another by now.
    """
    if "If-Match" not in request.headers:
        return
    wanted = request.if_match
    if wanted.star_tag or wanted.contains_weak(_tag(encode(record))):
        return
    raise ProblemError(
        HTTPStatus.PRECONDITION_FAILED,
        "It was changed since you read it: nothing was done. Read it again, and decide anew.",
    )


def _tag(body: bytes) -> str:
    return sha256_hex(body)[:_DIGITS]
