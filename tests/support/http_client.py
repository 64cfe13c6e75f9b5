"""Speaks to the local endpoint byte by byte, as a client that may misbehave."""

import json
import socket
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

TIMEOUT_S = 20.0


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:  # noqa: ANN401  # whatever the endpoint said
        return json.loads(self.body)


class RawClient:
    """One connection."""

    def __init__(self, address: str) -> None:
        where = urlsplit(address)
        self._socket = socket.create_connection((where.hostname, where.port), TIMEOUT_S)
        self._buffer = b""
        self.sent_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)
        self.sent_bytes += len(data)

    def send_until_dropped(self, data: bytes) -> None:
        """Send again and again, never reading, until the endpoint has had enough.

        Raises:
            ConnectionError: It has.
        """
        while True:
            self.send(data)

    def end(self) -> None:
        self._socket.shutdown(socket.SHUT_WR)

    def ask(self, method: str, path: str, body: bytes = b"", *headers: str) -> Reply:
        self.send(request(method, path, body, *headers))
        return self.reply(with_body=method != "HEAD")

    def reply(self, *, with_body: bool = True) -> Reply:
        """The next response; fails if the connection ends before."""
        while b"\r\n\r\n" not in self._buffer:
            self._more()
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        first, *lines = head.decode("ascii").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        length = int(headers.get("content-length", "0")) if with_body else 0
        while len(self._buffer) < length:
            self._more()
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        return Reply(int(first.split()[1]), headers, body)

    def closed(self) -> bool:
        """Whether the endpoint ends the connection with nothing more to say."""
        try:
            return self._buffer == b"" and self._socket.recv(1) == b""
        except ConnectionError:
            return True

    def rest(self) -> bytes:
        """Everything until the endpoint ends the connection."""
        try:
            while True:
                self._more()
        except (EOFError, ConnectionError):
            return self._buffer

    def _more(self) -> None:
        data = self._socket.recv(65_536)
        if not data:
            raise EOFError(f"the connection has ended after {self._buffer[:200]!r}")
        self._buffer += data


def request(method: str, path: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    if body or method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, *headers, "", ""]).encode() + body
