"""Sends answers compressed to who takes them so (RFC 9110, 8.4; RFC 1952).

A page holds a token against forged requests. Who could watch the length of many compressed answers,
and have texts of their own in them, might guess it letter by letter (BREACH, 2013). Each answer
therefore bears a file name of random length in its gzip header, which is no part of its content
(Heal the Breach, IEEE Access 2022); and no other site can ask in a person's name, since the session
cookie stays at home.
"""

import gzip
import io
import secrets

from flask import Flask, Response, request

_LEAST_BYTES = 1_000
_LEVEL = 5
_NAME_BYTES = 100
_TYPES = frozenset(
    {
        "text/html",
        "text/css",
        "text/csv",
        "text/plain",
        "text/markdown",
        "text/javascript",
        "application/javascript",
        "application/json",
        "application/problem+json",
        "application/openapi+json",
        "application/vnd.oai.openapi+json",
        "image/svg+xml",
    }
)
GZIP = "gzip"


def register(app: Flask) -> None:
    """Compress what is text, not streamed and long enough; registered first, it acts last."""

    def compress(response: Response) -> Response:
        if response.mimetype not in _TYPES or response.is_streamed or response.direct_passthrough:
            return response
        response.vary.add("Accept-Encoding")
        body = response.get_data()
        known = "Content-Encoding" in response.headers
        if known or len(body) < _LEAST_BYTES or not accepted():
            return response
        response.set_data(squeezed(body, _LEVEL))
        response.headers["Content-Encoding"] = GZIP
        etag, _ = response.get_etag()
        if etag is not None:  # other bytes that mean the same
            response.set_etag(etag, weak=True)
        return response

    app.after_request(compress)


def accepted() -> bool:
    """Whether whoever asks takes gzip."""
    return request.accept_encodings.quality(GZIP) > 0


def squeezed(body: bytes, level: int) -> bytes:
    """The body as gzip, of a length that does not tell exactly what it says.

    Args:
        body: What is said.
        level: From 1, quick, to 9, small.
    """
    sink = io.BytesIO()
    name = "x" * secrets.randbelow(_NAME_BYTES)
    with gzip.GzipFile(name, "wb", level, sink, mtime=0) as file:
        file.write(body)
    return sink.getvalue()
