"""Unpacks and packs bodies: gzip and deflate, never more than a limit."""

import gzip
import zlib
from http import HTTPStatus

from fleetloop_agent.serving.http11 import Head, HttpError
from fleetloop_agent.serving.responses import Response

SMALLEST_BYTES = 1_024
"""Shorter bodies are sent as they are."""

_LEVEL = 1
_WINDOW_BITS = {b"gzip": 31, b"x-gzip": 31, b"deflate": 15}


def unpack(head: Head, body: bytes, max_bytes: int) -> bytes:
    """A request's body without its `Content-Encoding`.

    Args:
        head: Tells the encoding.
        body: As it came.
        max_bytes: The longest body that is taken, unpacked.

    Raises:
        HttpError: An encoding that is not known, a body that is not in it, or one that grows too
            long; no more than the limit was ever unpacked.
    """
    encoding = head.headers.get(b"content-encoding", b"identity").lower()
    if encoding == b"identity":
        return body
    if encoding not in _WINDOW_BITS:
        raise HttpError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Content-Encoding may be gzip, deflate or identity"
        )
    packed = zlib.decompressobj(_WINDOW_BITS[encoding])
    try:
        unpacked = packed.decompress(body, max_bytes + 1)
    except zlib.error as error:
        reason = f"the body is not {encoding.decode()}: {error}"
        raise HttpError(HTTPStatus.BAD_REQUEST, reason) from error
    if len(unpacked) > max_bytes:
        raise HttpError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"the body unpacks to more than {max_bytes:,} bytes; send fewer rows",
        )
    if not packed.eof or packed.unused_data:
        reason = f"the {encoding.decode()} body is cut off, or something follows it"
        raise HttpError(HTTPStatus.BAD_REQUEST, reason)
    return unpacked


def pack(head: Head, response: Response) -> Response:
    """A response as the client asked for it; short ones and errors as they are."""
    accepted = head.headers.get(b"accept-encoding")
    if accepted is None or response.status is not HTTPStatus.OK:
        return response
    if len(response.body) < SMALLEST_BYTES:
        return response
    offered = [name.strip() for name in accepted.lower().split(b",")]
    if b"gzip" in offered:
        name, body = "gzip", gzip.compress(response.body, _LEVEL)
    elif b"deflate" in offered:
        name, body = "deflate", zlib.compress(response.body, _LEVEL)
    else:
        return response
    headers = (*response.headers, f"Content-Encoding: {name}")
    return Response(response.status, body, headers, response.content_type)
