"""What paho's client and Python's TLS socket lack: a limit on what is read, haste, tidiness."""

import socket
import ssl

from paho.mqtt import client as paho


class TooLongError(Exception):
    """A packet announces more than is read.

    Attributes:
        announced_bytes: So many.
    """

    def __init__(self, announced_bytes: int) -> None:
        self.announced_bytes = announced_bytes
        super().__init__(announced_bytes)


class WaryClient(paho.Client):
    """Reads no packet that says it is too long: MQTT allows 256 MiB, and paho takes them all.

    paho asks for a packet's first byte, for its length byte by byte, and then for the whole rest.

    Attributes:
        max_packet_bytes: The longest packet that is read.
    """

    max_packet_bytes = 0

    def _sock_recv(self, bufsize: int) -> bytes:
        if bufsize > self.max_packet_bytes:
            raise TooLongError(bufsize)
        return super()._sock_recv(bufsize)


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
