"""What paho's client and Python's TLS socket lack: a limit on what is read, haste, tidiness."""

import socket
import ssl
import time
from collections.abc import Callable

from paho.mqtt import client as paho
from paho.mqtt.enums import MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import Properties

from fleetloop_shared.mqtt_properties import may_be_unacknowledged, without_properties
from fleetloop_shared.passed_over import PassedOver

_AT_ONCE_BYTES = 64 * 1024
_READS = 32
"""Of a packet that is passed over, before others get their turn."""


class TooLongError(Exception):
    """A packet announces more than is read.

    Attributes:
        announced_bytes: So many.
    """

    def __init__(self, announced_bytes: int) -> None:
        self.announced_bytes = announced_bytes
        super().__init__(announced_bytes)


class WaryClient(paho.Client):
    """Keeps no packet that says it is too long: MQTT allows 256 MiB, and paho takes them all.

    paho asks for a packet's first byte, for its length byte by byte, and then for the whole rest.
    A message that is too long is read and forgotten piece by piece where somebody wants to be told
    of it; otherwise, and where it is no message, `TooLongError` is raised.
    The properties of MQTT 5 that a message bears are dropped unread: nobody here needs them, and
    paho ends the connection over some that a broker passes on.

    Attributes:
        max_packet_bytes: The longest packet that is read.
        on_passed_over: Told the length and the topic of each message that was passed over.
    """

    max_packet_bytes = 0
    on_passed_over: Callable[[int, str], None] | None = None
    _over: PassedOver | None = None

    def _sock_recv(self, bufsize: int) -> bytes:
        if bufsize > self.max_packet_bytes:
            raise TooLongError(bufsize)
        return super()._sock_recv(bufsize)

    def _packet_read(self) -> MQTTErrorCode:
        if self._over is None:
            try:
                return super()._packet_read()
            except TooLongError as error:
                over = PassedOver(self._in_packet["command"], error.announced_bytes)
                if self.on_passed_over is None or not over.is_message:
                    raise
                self._over = over
        return self._pass_over(self._over)

    def heed(self, accepted: Properties | None) -> None:
        """Send no more unacknowledged messages than the broker that accepted us takes."""
        self._max_inflight_messages = may_be_unacknowledged(accepted)

    def _handle_publish(self) -> MQTTErrorCode:
        if self._protocol == MQTTProtocolVersion.MQTTv5:
            self._in_packet["packet"] = without_properties(
                self._in_packet["command"], self._in_packet["packet"]
            )
        return super()._handle_publish()

    def _pass_over(self, over: PassedOver) -> MQTTErrorCode:
        for _ in range(_READS):
            try:
                data = super()._sock_recv(min(over.left_bytes, _AT_ONCE_BYTES))
            except BlockingIOError:
                return MQTTErrorCode.MQTT_ERR_AGAIN
            except OSError:
                return MQTTErrorCode.MQTT_ERR_CONN_LOST
            if not data:
                return MQTTErrorCode.MQTT_ERR_CONN_LOST
            with self._msgtime_mutex:
                self._last_bytes_received = time.monotonic()
            over.take(data)
            if not over.left_bytes:
                return self._passed_over(over)
        return MQTTErrorCode.MQTT_ERR_AGAIN

    def _passed_over(self, over: PassedOver) -> MQTTErrorCode:
        """Begin the next packet, as paho does."""
        self._over = None
        self._in_packet = {
            "command": 0,
            "have_remaining": 0,
            "remaining_count": [],
            "remaining_mult": 1,
            "remaining_length": 0,
            "packet": bytearray(),
            "to_process": 0,
            "pos": 0,
        }
        if self.on_passed_over is not None:
            self.on_passed_over(over.announced_bytes, over.topic)
        number = over.to_acknowledge
        return MQTTErrorCode.MQTT_ERR_SUCCESS if number is None else self._send_puback(number)


class TidySocket(ssl.SSLSocket):
    """Closes itself when the handshake fails, which paho leaves to the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - as in ssl
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def send_small_packets_at_once(client: paho.Client, userdata: object, sock: object) -> None:
    """As a callback for an opened socket: no packet waits for a fuller one (TCP_NODELAY)."""
    if isinstance(sock, socket.socket):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
