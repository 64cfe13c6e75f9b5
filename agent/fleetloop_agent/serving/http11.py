"""Cuts bytes into HTTP requests and makes bytes of responses: RFC 9112, what a local API needs.

No I/O. Does not do: chunked bodies (a length is required), trailers, upgrades, compression, lines
folded or ended by a bare LF; each is refused with its reason.
"""

import re
from dataclasses import dataclass
from http import HTTPStatus

MAX_HEAD_BYTES = 16 * 1024
"""Request line and headers."""

MAX_HEADERS = 64
MAX_BODY_BYTES = 1024 * 1024

_HEAD_END = b"\r\n\r\n"
_REQUEST_LINE = re.compile(rb"([A-Z]{1,16}) ([!-~]{1,4096}) HTTP/1\.([0-9])")
_FIELD = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t -~\x80-\xff]*)")
_LENGTH = re.compile(rb"[0-9]{1,18}")


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


@dataclass(frozen=True)
class Head:
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


@dataclass(frozen=True)
class Request:
    """A whole request.

    Attributes:
        head: What is asked.
        body: Its body.
    """

    head: Head
    body: bytes


class Parser:
    """Takes bytes as they come, gives whole requests; one of it a connection."""

    def __init__(self) -> None:
        """Begin before the first request."""
        self._buffer = bytearray()
        self._head: Head | None = None

    @property
    def waiting(self) -> Head | None:
        """The head of a request whose body has not come yet."""
        return self._head

    @property
    def begun(self) -> bool:
        """Whether a part of a request is here."""
        return self._head is not None or bool(self._buffer)

    def feed(self, data: bytes) -> None:
        """Take bytes."""
        self._buffer += data

    def next(self) -> Request | None:
        """The next request, None while it is not whole.

        Raises:
            HttpError: What came is no request that can be taken; nothing after it is read.
        """
        if self._head is None:
            self._head = self._next_head()
        if self._head is None or len(self._buffer) < self._head.body_bytes:
            return None
        head, self._head = self._head, None
        body = bytes(self._buffer[: head.body_bytes])
        del self._buffer[: head.body_bytes]
        return Request(head, body)

    def _next_head(self) -> Head | None:
        while self._buffer.startswith(b"\r\n"):
            del self._buffer[:2]
        end = self._buffer.find(_HEAD_END, 0, MAX_HEAD_BYTES + len(_HEAD_END))
        if end >= 0:
            head = _head(bytes(self._buffer[:end]))
            del self._buffer[: end + len(_HEAD_END)]
            return head
        if len(self._buffer) > MAX_HEAD_BYTES:
            raise HttpError(
                HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
                f"request line and headers are longer than {MAX_HEAD_BYTES:,} bytes",
            )
        return None


def response(
    status: HTTPStatus,
    body: bytes,
    *,
    keep_alive: bool,
    headers: tuple[str, ...] = (),
    with_body: bool = True,
) -> bytes:
    """The bytes of a response with a JSON body.

    Args:
        status: Its status.
        body: JSON.
        keep_alive: Whether more requests are taken on this connection.
        headers: Further lines.
        with_body: False for the response to HEAD, which tells the body's length only.
    """
    lines = [
        f"HTTP/1.1 {status.value} {status.phrase}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        f"Connection: {'keep-alive' if keep_alive else 'close'}",
        *headers,
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
        if name in headers and name in {b"content-length", b"host", b"transfer-encoding"}:
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
    if int(length) > MAX_BODY_BYTES:
        raise HttpError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"a body of {int(length):,} bytes is larger than {MAX_BODY_BYTES:,}; send fewer rows",
        )
    return int(length)
