"""A broker's address as people write it: `mqtt://host:port`, or `mqtts://…` for TLS."""

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from fleetloop_shared.errors import AddressError

_PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True)
class Endpoint:
    """An address taken apart.

    Attributes:
        host: Name or IP address.
        port: TCP port.
        tls: Whether the connection is encrypted and the broker's certificate checked.
        username: Who the address says we are, None if it does not.
        password: That user's password, None if there is none.
    """

    host: str
    port: int
    tls: bool
    username: str | None = None
    password: str | None = None

    @property
    def address(self) -> str:
        """The address without its secrets.

        >>> parse("mqtts://hub:secret@broker.example").address
        'mqtts://broker.example:8883'
        """
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{host}:{self.port}"


def parse(text: str) -> Endpoint:
    """Take an address apart.

    Args:
        text: `mqtt://host`, `mqtts://host:port`, either with `user:password@` before the host;
            ports are 1883 and 8883 where none is given.

    Raises:
        AddressError: It is neither.

    >>> parse("mqtt://127.0.0.1:2000").port
    2000
    """
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise _refusal(text) from error
    if parts.scheme not in _PORTS or not host or port == 0 or parts.path.strip("/") or parts.query:
        raise _refusal(text)
    return Endpoint(
        host=host,
        port=port or _PORTS[parts.scheme],
        tls=parts.scheme == "mqtts",
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
    )


def _refusal(text: str) -> AddressError:
    shown = text.rpartition("@")[2][:200]  # what stands before the @ is a secret
    return AddressError(
        f"{shown!r} is not a broker's address: write mqtt://host:port, or mqtts://host:port for TLS"
    )
