"""What may come in: Host names, the form of a body, the pace of enrolment."""

import ipaddress
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from http import HTTPStatus
from typing import TypeVar

import msgspec
from flask import Flask, Response, g, request
from werkzeug.routing import IntegerConverter

from fleetloop_hub.web.access import ADMIN_TOKEN, Who
from fleetloop_hub.web.problem import ProblemError

T = TypeVar("T")

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_WILDCARDS = frozenset({"0.0.0.0", "::", ""})  # noqa: S104  # compared with, not bound to
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_MAX_SOURCES = 1_000


class ShortNumber(IntegerConverter):
    """`<int:...>` in an address: up to nine digits, since Python refuses to read thousands."""

    regex = "[0-9]{1,9}"


class Attempts:
    """Counts failed attempts a source, so that nobody can try tokens at will."""

    def __init__(self, limit: int, per_s: float, clock: Callable[[], float]) -> None:
        """Allow `limit` failures within `per_s` seconds.

        Args:
            limit: Failures of one source before it has to wait.
            per_s: Seconds after which a failure is forgotten.
            clock: Seconds that never go back.
        """
        self._limit = limit
        self._per_s = per_s
        self._clock = clock
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def check(self, source: str) -> None:
        """Let the source try.

        Raises:
            ProblemError: It has failed too often of late.
        """
        with self._lock:
            failures = self._failures.get(source)
            if failures is None or len(failures) < self._limit:
                return
            wait_s = failures[0] + self._per_s - self._clock()
        if wait_s > 0:
            raise ProblemError(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"Too many failed attempts from {source}: try again in {wait_s:.0f} s.",
                {"Retry-After": str(int(wait_s) + 1)},
            )

    def failed(self, source: str) -> None:
        """Note a failure; sources beyond the last thousand are forgotten."""
        with self._lock:
            failures = self._failures.setdefault(source, deque(maxlen=self._limit))
            failures.append(self._clock())
            self._failures.move_to_end(source)
            if len(self._failures) > _MAX_SOURCES:
                self._failures.popitem(last=False)


def source() -> str:
    """Where a request comes from, for counting: an address, of IPv6 the network that is one's."""
    try:
        address = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.IPv6Network((int(address), 64), strict=False))
    return str(address)


def enrolment_attempts() -> Attempts:
    """Ten failures a minute."""
    return Attempts(10, 60.0, time.monotonic)


def register(app: Flask, bound_host: str, outside: str = "") -> None:
    """Refuse foreign Host names before, and set the security headers after each request.

    Args:
        app: Of it.
        bound_host: The address on which it listens.
        outside: A name that it goes by beside that, "" for none.
    """

    def check_host() -> None:
        host = _host(request.environ.get("HTTP_HOST", ""))
        if not (outside and host == outside.lower()) and not _may_be_called(host, bound_host):
            raise ProblemError(
                HTTPStatus.MISDIRECTED_REQUEST,
                f"This hub does not go by the name {host[:80]!r}: use the address it printed.",
            )

    def set_headers(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = _CSP
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    app.before_request(check_host)
    app.after_request(set_headers)


def body(type_: type[T], limit_bytes: int) -> T:
    """The JSON body of the request.

    Raises:
        ProblemError: Not declared as JSON, too large, or not of this type.
    """
    if request.mimetype != "application/json":
        raise ProblemError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send the body as Content-Type: application/json."
        )
    request.max_content_length = limit_bytes
    try:
        raw = request.get_data(cache=False)
        asked = msgspec.json.decode(raw, type=type_)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"The body is not as agreed: {error}") from error
    g.get("begin_once", lambda _: None)(raw)
    asked = _in_their_name(asked)
    g.get("note", lambda _: None)(asked)
    return asked


def _in_their_name(asked: T) -> T:
    """The same, done by whoever asks; only the holder of the admin token may say who that is."""
    asking: Who | None = g.get("who")
    if asking is None or asking.way == ADMIN_TOKEN or not isinstance(asked, msgspec.Struct):
        return asked
    if "by" not in asked.__struct_fields__:
        return asked
    return msgspec.structs.replace(asked, by=asking.name or asking.way)


def _host(header: str) -> str:
    """The name in a Host header, without its port and brackets."""
    name = header.rpartition("]")[0] if header.startswith("[") else header.partition(":")[0]
    return name.removeprefix("[").lower()


def _may_be_called(host: str, bound_host: str) -> bool:
    """Whether a browser that says it talks to `host` can mean this hub.

    A page of another site can point a name of its own at this address (DNS rebinding), but cannot
    make the browser send an address it did not ask for; so addresses pass where all are bound.
    """
    if host in _LOOPBACK or host == bound_host.lower():
        return True
    if bound_host not in _WILDCARDS:
        return False
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
