"""Finds out whether a foreign broker keeps what it is told to keep, by trying it."""

import secrets
import time
from collections.abc import Callable

from fleetloop_shared.link import Connected, Disconnected, Received
from fleetloop_shared.paho_link import PahoLink
from fleetloop_shared.topics import Topic

_KEEP_S = 3.0
"""So long after a retained message its broker must give it to who comes."""


def keeps_retained(make_link: Callable[[], PahoLink]) -> bool:
    """Publish a retained message, and see on a new connection whether it is there.

    A broker that drops the flag delivers nothing to who comes later; one that does not allow it
    ends the connection.

    Args:
        make_link: A link with an account that may read and write below `fleetloop/`, and with an
            id of its own at every call.
    """
    token = secrets.token_hex(16).encode()
    if not _told(make_link(), token):
        return False
    reader = make_link()
    reader.start(None)
    try:
        kept = _is_kept(reader, token)
        if kept:
            reader.publish(Topic.PROBE.at(), b"", retained=True)
    finally:
        reader.stop()
    return kept


def _told(link: PahoLink, token: bytes) -> bool:
    """Whether the broker has taken a retained message."""
    link.start(None)
    try:
        deadline, told = time.monotonic() + _KEEP_S, False
        while time.monotonic() < deadline:
            link.wait(0.05)
            for event in link.events():
                if isinstance(event, Disconnected):
                    return False
                if isinstance(event, Connected):
                    told = link.publish(Topic.PROBE.at(), token, retained=True)
            if told and link.backlog_bytes == 0:
                return link.connected
        return False
    finally:
        link.stop()


def _is_kept(link: PahoLink, token: bytes) -> bool:
    deadline = time.monotonic() + _KEEP_S
    while time.monotonic() < deadline:
        link.wait(0.05)
        for event in link.events():
            if isinstance(event, Connected):
                link.subscribe(Topic.PROBE.at())
            if isinstance(event, Received) and event.payload == token and event.retained:
                return True
    return False
