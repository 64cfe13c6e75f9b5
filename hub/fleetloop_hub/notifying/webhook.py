"""Sends a notice as a webhook: one POST, certificate verified, no redirect, time bounded."""

import http.client
import ssl
import time
from urllib.parse import urlsplit

from fleetloop_hub.alert_records import Channel
from fleetloop_hub.notifying import addresses, signing
from fleetloop_hub.notifying.cloud_event import CONTENT_TYPE
from fleetloop_hub.notifying.delivery import Delivery, DeliveryError

ACT_S = 10.0
"""One act on the connection may take so long."""
WHOLE_S = 20.0
"""All of it may take so long, whatever the receiver drips."""
_PORTS = {"https": 443, "http": 80}
_TAKEN, _ELSEWHERE = range(200, 300), range(300, 400)
_LONGEST = 200


def send(channel: Channel, delivery: Delivery) -> None:
    """Have a webhook's receiver take a notice.

    Raises:
        DeliveryError: It did not answer in time, or not with 2xx.
    """
    parts = urlsplit(channel.url)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    connection = http.client.HTTPConnection(host, port, timeout=ACT_S)
    told = signing.headers(channel.secret, delivery.id, int(time.time()), delivery.body)
    told |= {"Content-Type": CONTENT_TYPE, "User-Agent": "Fleetloop", "Connection": "close"}
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    raw = addresses.connect(host, port, ACT_S, private=channel.private)
    try:
        with addresses.Deadline(raw, WHOLE_S) as deadline:
            if parts.scheme == "https":
                _secure(deadline, host)
            connection.sock = deadline.socket
            connection.request("POST", path, delivery.body, told)
            status = connection.getresponse().status
    except (OSError, http.client.HTTPException, ValueError) as error:
        said = (str(error) or type(error).__name__)[:_LONGEST]
        raise DeliveryError(f"{host} does not answer as it should: {said}") from error
    finally:
        connection.close()
    if status not in _TAKEN:
        more = ": redirects are not followed" if status in _ELSEWHERE else ""
        raise DeliveryError(f"{host} answers {status}{more}")


def _secure(deadline: addresses.Deadline, host: str) -> None:
    """Speak TLS from here on, with whoever can prove to be the host."""
    secured = ssl.create_default_context().wrap_socket(
        deadline.socket, server_hostname=host, do_handshake_on_connect=False
    )
    deadline.socket = secured
    secured.do_handshake()
