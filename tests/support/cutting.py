"""Breaking a real link's connection, as a network does: without a word to the other end."""

import socket

from fleetloop_shared.paho_link import PahoLink


def cut(link: PahoLink) -> None:
    """Shut the connection's socket down; the link notices and tries again."""
    connection = link._connection
    assert connection is not None
    sock = connection._client.socket()
    assert isinstance(sock, socket.socket)
    sock.shutdown(socket.SHUT_RDWR)
