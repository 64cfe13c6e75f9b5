"""A server that speaks just enough MQTT to misbehave in ways that real brokers only do once."""

import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

Script = Callable[[socket.socket], None]

CONNACK = b"\x20\x02\x00\x00"


def publish_packet(topic: bytes, payload: bytes) -> bytes:
    """A QoS 0 PUBLISH of fewer than 128 bytes."""
    body = struct.pack("!H", len(topic)) + topic + payload
    return bytes([0x30, len(body)]) + body


def accept_and_fall_silent(connection: socket.socket) -> None:
    """Accept the client, read all it sends, and never answer again."""
    connection.recv(4096)
    connection.sendall(CONNACK)
    while connection.recv(65_536):
        pass


class ScriptedBroker:
    """Runs a script with every connection, one after the other; ends with its `with` block."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None) -> None:
        self.connections = 0
        self._script = script
        self._tls = tls
        self._server = socket.create_server(("127.0.0.1", 0))
        self._ending = threading.Event()
        self._current: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, name="scripted-broker")

    @property
    def port(self) -> int:
        port: int = self._server.getsockname()[1]
        return port

    @property
    def address(self) -> str:
        return f"{'mqtts' if self._tls else 'mqtt'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ending.set()
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            pass
        if (current := self._current) is not None:
            with suppress(OSError):
                current.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._server.close()

    def _run(self) -> None:
        while not self._ending.is_set():
            connection, _ = self._server.accept()
            with suppress(OSError), connection:
                self._serve(connection)

    def _serve(self, connection: socket.socket) -> None:
        if self._ending.is_set():
            return
        self._current = connection
        self.connections += 1
        if self._tls is None:
            self._script(connection)
            return
        with self._tls.wrap_socket(connection, server_side=True) as encrypted:
            self._current = encrypted
            self._script(encrypted)
