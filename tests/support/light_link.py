"""A link that costs next to nothing, so that a hundred devices fit on the cores that are measured.

Just enough MQTT 3.1.1 on a plain socket, without a thread: `PahoLink`s of a hundred devices in two
Python processes would be all that a benchmark of hub and broker sees.
"""

import socket
import struct
from contextlib import suppress
from urllib.parse import urlsplit

from fleetloop_shared.link import Connected, Event, Link, Received, Will

_PUBLISH, _SUBSCRIBE, _UNSUBSCRIBE = 0x30, 0x82, 0xA2
_READ_BYTES = 1024 * 1024


class LightLink(Link):
    """Connects when it is made; `read` and `flush` are called when the socket is ready."""

    def __init__(self, address: str, name: str, password: str) -> None:
        where = urlsplit(address)
        self.sock = socket.create_connection((where.hostname or "", where.port or 1883))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        fields = b"".join(_text(text) for text in (name, name, password))
        self.sock.sendall(_packet(0x10, b"\0\4MQTT\4\xc2\0\0" + fields))
        if self.sock.recv(4)[3:] != b"\0":
            raise ConnectionError(f"{address} does not take {name}")
        self.sock.setblocking(False)  # noqa: FBT003 - the socket's own way
        self._in, self._out = bytearray(), bytearray()
        self._events: list[Event] = [Connected(1)]
        self._id = 0

    def start(self, will: Will | None) -> None:
        """It is connected already."""

    def stop(self) -> None:
        self.sock.close()

    @property
    def connected(self) -> bool:
        return True

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retained: bool = False) -> bool:
        self._send(_packet(_PUBLISH, _text(topic) + payload))
        return True

    def subscribe(self, filter_: str, qos: int = 1) -> None:
        self._send(_packet(_SUBSCRIBE, self._next_id() + _text(filter_) + b"\0"))

    def unsubscribe(self, filter_: str) -> None:
        self._send(_packet(_UNSUBSCRIBE, self._next_id() + _text(filter_)))

    def events(self) -> list[Event]:
        drained, self._events = self._events, []
        return drained

    def wait(self, timeout_s: float) -> None:
        """Whoever owns the socket waits for it."""

    def read(self) -> None:
        """Take in what has come."""
        with suppress(BlockingIOError):
            data = self.sock.recv(_READ_BYTES)
            if not data:
                raise ConnectionError("the broker has ended the connection")
            self._in += data
        at = 0
        while (found := _whole(self._in, at)) is not None:
            body, end = found
            if self._in[at] & 0xF0 == _PUBLISH:
                (length,) = struct.unpack_from("!H", self._in, body)
                topic = self._in[body + 2 : body + 2 + length].decode()
                payload = bytes(memoryview(self._in)[body + 2 + length : end])
                self._events.append(Received(topic, payload, bool(self._in[at] & 1)))
            at = end
        if at:
            del self._in[:at]

    def _send(self, packet: bytes) -> None:
        self._out += packet

    def flush(self) -> None:
        """Send what is to be sent."""
        if self._out:
            with suppress(BlockingIOError):
                del self._out[: self.sock.send(self._out)]

    def _next_id(self) -> bytes:
        self._id = self._id % 65_535 + 1
        return struct.pack("!H", self._id)


def _text(text: str) -> bytes:
    return struct.pack("!H", len(text)) + text.encode()


def _packet(kind: int, body: bytes) -> bytes:
    length, rest = bytearray(), len(body)
    while True:
        rest, digit = divmod(rest, 128)
        length.append(digit | (0x80 if rest else 0))
        if not rest:
            return bytes([kind]) + bytes(length) + body


def _whole(data: bytearray, at: int) -> tuple[int, int] | None:
    """Where a packet's body begins and ends, None if it is not all here."""
    length, shift = 0, 0
    for body in range(at + 1, min(at + 5, len(data))):
        length |= (data[body] & 0x7F) << shift
        shift += 7
        if not data[body] & 0x80:
            end = body + 1 + length
            return (body + 1, end) if end <= len(data) else None
    return None
