"""What the local endpoint gives back: a status, a body and what stands above it."""

from http import HTTPStatus

import msgspec

JSON = "application/json"
BYTES = "application/octet-stream"
OK = HTTPStatus.OK
"""Looked up once: an enumeration's members are looked up slowly."""


_encode = msgspec.json.Encoder().encode


class Response(msgspec.Struct, frozen=True, gc=False):
    """What is answered.

    Attributes:
        status: Its status.
        body: Its bytes.
        headers: Further header lines.
        content_type: What the bytes are.
    """

    status: HTTPStatus
    body: bytes
    headers: tuple[str, ...] = ()
    content_type: str = JSON


def as_json(told: object) -> Response:
    """What was asked for, as JSON."""
    return Response(OK, _encode(told))


def refusal(status: HTTPStatus, reason: str, *headers: str) -> Response:
    """A response that says why not.

    Args:
        status: Its status.
        reason: In words.
        headers: Further header lines.
    """
    return Response(status, msgspec.json.encode({"error": reason}), headers)
