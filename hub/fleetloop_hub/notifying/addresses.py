"""Connects to a receiver, and to no address of this machine or a private network unless allowed.

Whoever makes a channel names a host that the hub then connects to, from where it stands (known as
server-side request forgery). So a name is resolved once, every address that it has is looked at,
and the connection goes to one of these: a name that means another one a moment later gains nothing.
"""

import ipaddress
import socket
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from fleetloop_hub.notifying.delivery import DeliveryError

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def connect(host: str, port: int, timeout_s: float, *, private: bool) -> socket.socket:
    """A connection to a host.

    Args:
        host: Its name or address.
        port: Its port.
        timeout_s: Of the connection, and of each act on it.
        private: Whether it may be of this machine or a private network.

    Raises:
        DeliveryError: It may not, has no address, or does not answer.
    """
    found = _resolve(host, port)
    if not private and (inner := next((a for a in found if is_private(a[1])), None)) is not None:
        raise DeliveryError(
            f"{host} is at {inner[1]}, an address of this machine or a private network: an admin "
            "may allow that for a channel (private)"
        )
    failure: OSError | None = None
    for family, address in found:
        try:
            return _connected(family, str(address), port, timeout_s)
        except OSError as error:
            failure = error
    raise DeliveryError(f"{host} port {port} does not answer: {failure or 'it has no address'}")


def is_private(address: Address) -> bool:
    """Whether an address is not one of the open internet; also behind IPv6 that carries IPv4.

    >>> [is_private(ipaddress.ip_address(a)) for a in ("10.0.0.1", "::ffff:127.0.0.1", "1.1.1.1")]
    [True, True, False]
    """
    return any(not a.is_global or a.is_multicast for a in _within(address))


def _within(address: Address) -> Iterator[Address]:
    """The address, and those of IPv4 that it stands for."""
    if isinstance(address, ipaddress.IPv4Address):
        yield address
        return
    mapped = address.ipv4_mapped
    if mapped is not None:
        yield mapped
        return
    yield address
    if address.sixtofour is not None:
        yield address.sixtofour
    if address in _NAT64:
        yield ipaddress.IPv4Address(address.packed[-4:])


def _resolve(host: str, port: int) -> list[tuple[int, Address]]:
    try:
        told = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise DeliveryError(f"{host} has no address: {error}") from error
    families = {socket.AF_INET, socket.AF_INET6}
    return [
        (int(family), ipaddress.ip_address(str(where[0]).partition("%")[0]))
        for family, _, _, _, where in told
        if family in families
    ]


def _connected(family: int, address: str, port: int, timeout_s: float) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.settimeout(timeout_s)
        made.connect((address, port))
    except BaseException:
        made.close()
        raise
    return made


class Deadline:
    """Ends a conversation that takes too long, however little the other side says at a time."""

    def __init__(self, socket_: socket.socket, whole_s: float) -> None:
        """Nothing is timed before it is entered.

        Args:
            socket_: The connection; `socket` is to be set where another object takes its place.
            whole_s: Seconds for all of it.
        """
        self.socket = socket_
        self._timer = threading.Timer(whole_s, self._end)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        """Begin."""
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connection."""
        self._timer.cancel()
        self.socket.close()

    def _end(self) -> None:
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            self.socket.close()
