"""Cuts bytes into HTTP requests and makes bytes of responses: RFC 9112, what a local API needs.

No I/O. Does not do: chunked bodies (a length is required), trailers, upgrades, lines folded or
ended by a bare LF; each is refused with its reason.
"""

import re
from http import HTTPStatus

import msgspec

from fleetloop_agent.serving.responses import JSON, OK, Response

MAX_HEAD_BYTES = 16 * 1024
"""Request line and headers."""

MAX_HEADERS = 64

_HEAD_END = b"\r\n\r\n"
_REQUEST_LINE = re.compile(rb"([A-Z]{1,16}) ([!-~]{1,4096}) HTTP/1\.([0-9])")
_FIELD = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t -~\x80-\xff]*)")
_LENGTH = re.compile(rb"[0-9]{1,18}")
_ONCE = frozenset(
    {
        b"authorization",
        b"content-encoding",
        b"content-length",
        b"host",
        b"inference-header-content-length",
        b"transfer-encoding",
    }
)
"""Two of these are two opinions on one request."""

_REMEMBERED = 256
_REMEMBERED_BYTES = 1_024

_HEADS = {
    keep_alive: (
        "HTTP/1.1 200 OK\r\n"
        f"Content-Type: {JSON}\r\n"
        f"Connection: {'keep-alive' if keep_alive else 'close'}\r\n"
        "Content-Length: %d\r\n\r\n"
    ).encode()
    for keep_alive in (True, False)
}
"""The common head, as it goes out."""


class HttpError(Exception):
    """A request that cannot be taken; the connection ends with the response to it.

    Attributes:
        status: Of the response.
        reason: What is wrong, in words.
    """

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        """Say what is wrong.

        Args:
            status: Of the response.
            reason: In words.
        """
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Head(msgspec.Struct, frozen=True):
    """A request without its body.

    Attributes:
        method: In capitals.
        path: Without the query.
        headers: By lower-case name.
        keep_alive: Whether more requests may follow.
        body_bytes: The length of its body.
    """

    method: str
    path: str
    headers: dict[bytes, bytes]
    keep_alive: bool
    body_bytes: int

    @property
    def expects_continue(self) -> bool:
        """Whether the client waits for a word before it sends the body."""
        return self.headers.get(b"expect", b"").lower() == b"100-continue"


class Request(msgspec.Struct, frozen=True, gc=False):
    """A whole request.

    Attributes:
        head: What is asked.
        body: Its body.
    """

    head: Head
    body: bytes


class Heads:
    """Reads heads, and remembers the last ones: a client that asks again sends the same bytes."""

    def __init__(self) -> None:
        """Remember none yet."""
        self._read: dict[bytes, Head] = {}

    def read(self, data: bytes) -> Head:
        """The head in some bytes.

        Raises:
            HttpError: It is none that can be taken.
        """
        head = self._read.get(data)
        if head is None:
            head = _head(data)
            if len(data) <= _REMEMBERED_BYTES:
                if len(self._read) >= _REMEMBERED:
                    self._read.clear()
                self._read[data] = head
        return head


class Parser:
    """Takes bytes as they come, gives whole requests; one of it a connection."""

    def __init__(self, max_body_bytes: int, heads: Heads) -> None:
        """Begin before the first request.

        Args:
            max_body_bytes: The longest body that is taken.
            heads: Reads heads; all connections may share it.
        """
        self._max_body_bytes = max_body_bytes
        self._heads = heads
        self._buffer: bytes | bytearray = b""
        self._at = 0
        self._head: Head | None = None

    @property
    def waiting(self) -> Head | None:
        """The head of a request whose body has not come yet."""
        return self._head

    @property
    def begun(self) -> bool:
        """Whether a part of a request is here."""
        return self._head is not None or self._at < len(self._buffer)

    def feed(self, data: bytes) -> None:
        """Take bytes."""
        if self._at == len(self._buffer):
            self._buffer, self._at = data, 0
            return
        if isinstance(self._buffer, bytes):
            self._buffer = bytearray(self._buffer)
        if self._at:
            del self._buffer[: self._at]
            self._at = 0
        self._buffer += data

    def next(self) -> Request | None:
        """The next request, None while it is not whole.

        Raises:
            HttpError: What came is no request that can be taken; nothing after it is read.
        """
        head = self._head
        if head is None:
            head = self._next_head()
            if head is None:
                return None
        at, end = self._at, self._at + head.body_bytes
        if len(self._buffer) < end:
            self._head = head
            return None
        self._head, self._at = None, end
        return Request(head, bytes(self._buffer[at:end]))

    def _next_head(self) -> Head | None:
        buffer, at = self._buffer, self._at
        while buffer.startswith(b"\r\n", at):
            at += 2
        end = buffer.find(_HEAD_END, at, at + MAX_HEAD_BYTES + len(_HEAD_END))
        self._at = at
        if end >= 0:
            head = self._heads.read(bytes(buffer[at:end]))
            if head.body_bytes > self._max_body_bytes:
                raise HttpError(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                    f"a body of {head.body_bytes:,} bytes is larger than "
                    f"{self._max_body_bytes:,}; send fewer rows, or raise http.max_body_bytes",
                )
            self._at = end + len(_HEAD_END)
            return head
        if len(buffer) - at > MAX_HEAD_BYTES:
            raise HttpError(
                HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
                f"request line and headers are longer than {MAX_HEAD_BYTES:,} bytes",
            )
        return None


def as_bytes(response: Response, *, keep_alive: bool, with_body: bool = True) -> bytes:
    """A response as it goes out.

    Args:
        response: The response.
        keep_alive: Whether more requests are taken on this connection.
        with_body: False for the response to HEAD, which tells the body's length only.
    """
    status, body = response.status, response.body
    if status is OK and with_body and not response.headers:
        return _HEADS[keep_alive] % len(body) + body
    lines = [
        f"HTTP/1.1 {status.value} {status.phrase}",
        f"Content-Type: {response.content_type}",
        f"Connection: {'keep-alive' if keep_alive else 'close'}",
        f"Content-Length: {len(body)}",
        *response.headers,
    ]
    head = "\r\n".join(lines).encode("ascii") + _HEAD_END
    return head + body if with_body else head


def _head(data: bytes) -> Head:
    first, *lines = data.split(b"\r\n")
    match = _REQUEST_LINE.fullmatch(first)
    if match is None:
        raise HttpError(HTTPStatus.BAD_REQUEST, "the first line is no HTTP/1.1 request line")
    method, target, minor = match[1].decode("ascii"), match[2].decode("ascii"), match[3]
    headers = _headers(lines)
    if minor != b"0" and b"host" not in headers:
        raise HttpError(HTTPStatus.BAD_REQUEST, "the Host header is missing")
    connection = headers.get(b"connection", b"").lower()
    keep_alive = connection == b"keep-alive" if minor == b"0" else connection != b"close"
    path = target.partition("?")[0]
    return Head(method, path, headers, keep_alive, _body_bytes(method, headers))


def _headers(lines: list[bytes]) -> dict[bytes, bytes]:
    if len(lines) > MAX_HEADERS:
        raise HttpError(
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"more than {MAX_HEADERS} headers"
        )
    headers: dict[bytes, bytes] = {}
    for line in lines:
        match = _FIELD.fullmatch(line)
        if match is None:
            raise HttpError(HTTPStatus.BAD_REQUEST, "a header is not 'Name: value'")
        name, value = match[1].lower(), match[2].rstrip(b" \t")
        if name in headers and name in _ONCE:
            raise HttpError(HTTPStatus.BAD_REQUEST, f"two {name.decode('ascii')} headers")
        headers[name] = value
    return headers


def _body_bytes(method: str, headers: dict[bytes, bytes]) -> int:
    if b"transfer-encoding" in headers:
        raise HttpError(
            HTTPStatus.LENGTH_REQUIRED, "send the body whole, with its Content-Length, not chunked"
        )
    length = headers.get(b"content-length")
    if length is None:
        if method in {"POST", "PUT", "PATCH"}:
            raise HttpError(HTTPStatus.LENGTH_REQUIRED, "the Content-Length header is missing")
        return 0
    if _LENGTH.fullmatch(length) is None:
        raise HttpError(HTTPStatus.BAD_REQUEST, "the Content-Length is no number")
    return int(length)
