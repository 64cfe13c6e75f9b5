"""The port a child broker listens on: a free one is chosen once, and kept, for devices know it."""

import random
import socket
from contextlib import closing
from pathlib import Path

from fleetloop_hub.errors import BrokerError
from fleetloop_shared.durable import RealDisk, replace

_CHOICE = range(20_000, 32_000)
"""Below the ports from which systems take those of outgoing connections: a client that tries again
and again to reach a broker that is down could otherwise come to sit on its port."""

_TRIES = 100
_CONNECT = bytes([0x10, 0x0C]) + b"\x00\x04MQTT\x04\x02\x00\x05\x00\x00"
_CONNACK = 0x20


def settle_port(host: str, port: int, kept_in: Path) -> int:
    """The port to listen on: `port`, or if that is 0 the one in the file `kept_in`, or a free one.

    Raises:
        BrokerError: It cannot be listened on, with what to do.
    """
    if port:
        _check_free(host, port, "end that program, or choose another port")
        return port
    if kept_in.exists():
        port = int(kept_in.read_text("ascii"))
        _check_free(host, port, f"end that program; devices know this port from {kept_in}")
        return port
    port = _free_port(host)
    replace(RealDisk(kept_in.parent), kept_in, str(port).encode())
    return port


def answers_mqtt(host: str, port: int) -> bool:
    """Whether whoever listens there answers MQTT's first packet; being refused is an answer."""
    try:
        with closing(socket.create_connection((reachable(host), port), timeout=1)) as connection:
            connection.sendall(_CONNECT)
            return connection.recv(1)[:1] == bytes([_CONNACK])
    except OSError:
        return False


def reachable(host: str) -> str:
    """Where this machine reaches a program that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound


def _free_port(host: str) -> int:
    chance = random.SystemRandom()
    for _ in range(_TRIES):
        port = chance.choice(_CHOICE)
        if _problem(host, port) is None:
            return port
    raise BrokerError(f"no free port was found on {host} for the broker: choose one yourself")


def _check_free(host: str, port: int, remedy: str) -> None:
    if (problem := _problem(host, port)) is not None:
        raise BrokerError(f"the broker cannot listen on {host}:{port} ({problem}): {remedy}")


def _problem(host: str, port: int) -> str | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(socket.socket(family, socket.SOCK_STREAM)) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            return error.strerror or str(error)
    return None
