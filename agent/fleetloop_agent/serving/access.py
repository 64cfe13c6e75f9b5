"""Who may ask the local endpoint: no web page, and beyond this device only who has the token."""

import hmac
import ipaddress
from functools import lru_cache
from http import HTTPStatus

from fleetloop_agent.serving.http11 import Head
from fleetloop_agent.serving.responses import Response, refusal

SHORTEST_TOKEN = 16
_BEARER = b"bearer "


class Access:
    """Judges heads of requests."""

    def __init__(self, token: str | None = None, *, by_name: bool = False) -> None:
        """Set who may ask.

        Args:
            token: What a client must show as `Authorization: Bearer <token>`, None for nothing.
            by_name: Whether this device may be called by any name, as on a Unix socket. Otherwise,
                without a token, a client calls it localhost or by a number: a web page that makes
                its own name point here does not.
        """
        self._token = token.encode() if token is not None else None
        self._by_name = by_name or token is not None

    def refusal(self, head: Head) -> Response | None:
        """Why this client may not ask; None if it may."""
        headers = head.headers
        if b"origin" in headers:
            reason = "this endpoint is for programs on this device, not for web pages"
            return refusal(HTTPStatus.FORBIDDEN, reason)
        if not self._by_name and not _is_local(headers.get(b"host", b"")):
            reason = "call this endpoint localhost or by its number, not by another name"
            return refusal(HTTPStatus.FORBIDDEN, reason)
        if self._token is not None and not self._shown(headers.get(b"authorization", b"")):
            reason = "send the header 'Authorization: Bearer <token>' with the token of http.token"
            return refusal(HTTPStatus.UNAUTHORIZED, reason, "WWW-Authenticate: Bearer")
        return None

    def _shown(self, authorization: bytes) -> bool:
        """Takes as long for a token that is nearly right as for any other."""
        said = authorization[len(_BEARER) :].strip()
        same = hmac.compare_digest(said, self._token or b"")
        return same and authorization[: len(_BEARER)].lower() == _BEARER


@lru_cache(maxsize=64)
def _is_local(host: bytes) -> bool:
    """Whether a Host header names no machine but by number.

    >>> [_is_local(h) for h in (b"localhost:8490", b"127.0.0.1", b"[::1]:80", b"evil.example")]
    [True, True, True, False]
    """
    text = host.decode("latin-1")
    name = text[1:].partition("]")[0] if text.startswith("[") else text.partition(":")[0]
    if name.lower() in {"", "localhost"}:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
