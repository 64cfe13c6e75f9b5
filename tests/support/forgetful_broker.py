"""A broker that keeps no retained messages: a proxy before a real one that drops the flag."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

_CONNECT, _PUBLISH = 0x10, 0x30
_RETAIN, _WILL_RETAIN = 0x01, 0x20
_FLAGS_AT = 7
"""Where in a CONNECT's body the flags are: behind the protocol's name and level."""


class ForgetfulBroker:
    """Listens on a port of its own while its `with` block runs.

    Args:
        address: The real broker, `mqtt://host:port`.
        hangs_up: Whether it ends a connection that asks it to retain, instead of dropping the flag.
    """

    def __init__(self, address: str, *, hangs_up: bool = False) -> None:
        host, _, port = address.removeprefix("mqtt://").rpartition(":")
        self._real = (host, int(port))
        self._hangs_up = hangs_up
        self._server = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    @property
    def port(self) -> int:
        port: int = self._server.getsockname()[1]
        return port

    def __enter__(self) -> Self:
        self._begin(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        for sock in self._sockets:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for sock in [*self._sockets, self._server]:
            sock.close()

    def _begin(self, run: Callable[..., None], *args: socket.socket) -> None:
        thread = threading.Thread(target=run, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                real = socket.create_connection(self._real)
                for sock in (client, real):
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self._sockets.append(sock)
                self._begin(self._forward, client, real)
                self._begin(self._back, real, client)

    def _back(self, real: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := real.recv(65_536):
                client.sendall(data)
        _end(client)

    def _forward(self, client: socket.socket, real: socket.socket) -> None:
        with suppress(OSError, EOFError), client.makefile("rb") as stream:
            while True:
                packet = _read_packet(stream.read)
                kind = packet[0] & 0xF0
                if kind == _PUBLISH and packet[0] & _RETAIN:
                    if self._hangs_up:
                        break
                    packet[0] &= ~_RETAIN
                real.sendall(packet)
        _end(real)
        _end(client)


def _end(sock: socket.socket) -> None:
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def _read_packet(read: Callable[[int], bytes]) -> bytearray:
    """One packet as it came, but for a will that is to be retained."""

    def take(size_bytes: int) -> bytes:
        data = read(size_bytes)
        if len(data) < size_bytes:
            raise EOFError
        return data

    packet, length, shift = bytearray(take(1)), 0, 0
    while True:
        packet += take(1)
        length |= (packet[-1] & 0x7F) << shift
        shift += 7
        if not packet[-1] & 0x80:
            break
    body = bytearray(take(length))
    if packet[0] & 0xF0 == _CONNECT:
        body[_FLAGS_AT] &= ~_WILL_RETAIN
    return packet + body
