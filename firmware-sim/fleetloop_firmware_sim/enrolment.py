"""Takes simulated devices in at a hub, over HTTP as a stranger does."""

import http.client
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from fleetloop_agent.version import VERSION
from fleetloop_firmware_sim.errors import HubError
from fleetloop_shared.codec import MAX_MESSAGE_BYTES, decode, encode
from fleetloop_shared.errors import UndecodableError
from fleetloop_shared.messages import EnrolAnswer, EnrolRequest
from fleetloop_shared.trust import fingerprint

HARDWARE = "sim"
"""The hardware type of every simulated device."""

_PATH = "/api/v1/enrol"
_TIMEOUT_S = 30.0


class _Problem(msgspec.Struct):
    detail: str


def enrol(hub_url: str, token: str, device: str) -> EnrolAnswer:
    """Enrol a device.

    Args:
        hub_url: The hub's address, `http://host:port`.
        token: `<secret>.<fingerprint>`.
        device: The name it wants.

    Raises:
        HubError: The hub did not take it in, or is not the one that made the token.
    """
    secret, dot, expected = token.strip().rpartition(".")
    if not dot:
        raise HubError("a token is <secret>.<fingerprint>: copy the whole of what the hub printed")
    request = EnrolRequest(token=secret, device=device, hardware=HARDWARE, agent=VERSION)
    body = _post(hub_url, encode(request))
    try:
        answer = decode(body, EnrolAnswer)
    except UndecodableError as error:
        raise HubError(f"{hub_url} does not answer as a hub does: {error}") from error
    found = fingerprint(answer.image_root, answer.director_root)
    if found != expected:
        raise HubError(
            f"{hub_url} has roots {found}, the token was made for {expected}:"
            " this is another hub; check the address"
        )
    return answer


def read_tokens(path: Path) -> list[str]:
    """The tokens in a file, one a line.

    Raises:
        HubError: It cannot be read.
    """
    try:
        return path.read_text("utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise HubError(f"{path} cannot be read: {error}") from error


def _post(url: str, body: bytes) -> bytes:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise HubError(f"{url!r} is not a hub's address: write http://host:port")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=_TIMEOUT_S)
    try:
        connection.request("POST", _PATH, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = response.read(MAX_MESSAGE_BYTES)
    except (OSError, http.client.HTTPException) as error:
        raise HubError(
            f"no hub answers at {url} ({error}): start one with `fleetloop serve`"
        ) from error
    finally:
        connection.close()
    if response.status >= http.client.BAD_REQUEST:
        raise HubError(f"the hub does not take the device in: {_detail(answer)}")
    return answer


def _detail(body: bytes) -> str:
    """What a problem+json answer (RFC 9457) says, or the answer's beginning."""
    try:
        return decode(body, _Problem).detail
    except UndecodableError:
        return body[:300].decode("utf-8", "replace")
