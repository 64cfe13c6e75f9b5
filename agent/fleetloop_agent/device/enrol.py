"""Presents a one-time token to the hub, over HTTP, and keeps the answer for good."""

import contextlib
import http.client
import logging
import urllib.error
import urllib.request
from pathlib import Path
from typing import ClassVar

import msgspec

from fleetloop_agent import sealed
from fleetloop_agent.config import AgentConfig
from fleetloop_agent.errors import EnrolError, HubAwayError
from fleetloop_shared.codec import decode, encode
from fleetloop_shared.durable import Disk
from fleetloop_shared.errors import DiskFullError, UndecodableError
from fleetloop_shared.messages import EnrolAnswer, EnrolRequest
from fleetloop_shared.trust import fingerprint

IDENTITY = Path("identity")
"""Its two sealed copies, readable by the agent's user alone: they hold the broker password."""

TIMEOUT_S = 10.0
MAX_ANSWER_BYTES = 100_000

_PATH = "/api/v1/enrol"
_SERVER_ERRORS = 500
_TOO_MANY = 429


_log = logging.getLogger(__name__)


class Identity(sealed.Record, frozen=True, kw_only=True):
    """What an enrolment has brought, roots and password included.

    Attributes:
        answer: The hub's.
    """

    FORMAT: ClassVar[int] = 1

    answer: EnrolAnswer


class _Problem(msgspec.Struct):
    detail: str


def known(disk: Disk, device: str) -> EnrolAnswer | None:
    """What an earlier enrolment has brought, None before the first.

    Args:
        disk: The state folder.
        device: The name in the config file.

    Raises:
        EnrolError: It is damaged, or is another device's.
    """
    found = sealed.load(disk, IDENTITY, Identity)
    if found.newest is None:
        if not found.damage:
            return None
        raise EnrolError(
            f"both copies of {IDENTITY} are damaged ({'; '.join(found.damage)}): restore the state"
            f" folder from a copy, or remove the folder {IDENTITY} and enrol under another name"
        )
    if found.damage:
        _log.warning("damaged, and mended from the other copy: %s", "; ".join(found.damage))
        with contextlib.suppress(DiskFullError):
            sealed.save_both(disk, IDENTITY, found.newest)
    answer = found.newest.answer
    if answer.device != device:
        raise EnrolError(
            f"this state folder belongs to {answer.device}, the config file says {device}:"
            " correct the name, or give the device a state_dir of its own"
        )
    return answer


def enrol(config: AgentConfig, agent_version: str, disk: Disk) -> EnrolAnswer:
    """Ask the hub once, check that it is the hub the token came from, and keep the answer.

    Args:
        config: Name, hardware, token and the hub's address.
        agent_version: The agent's version.
        disk: The state folder.

    Raises:
        HubAwayError: No answer, or the hub is in trouble; try again later.
        EnrolError: The token is missing or refused, or somebody else answered.
    """
    secret, dot, expected = (config.enrol_token or "").partition(".")
    if config.enrol_token and not (secret and dot and expected):
        raise EnrolError(
            f"{config.device} is not enrolled, and enrol_token in the config file is not of the"
            " form <secret>.<fingerprint>: copy the whole token that `fleetloop token` printed"
        )
    if not config.enrol_token:
        raise EnrolError(
            f"{config.device} is not enrolled: put the token that `fleetloop token` printed into"
            " the config file, as enrol_token = '<secret>.<fingerprint>'"
        )
    request = EnrolRequest(
        token=secret, device=config.device, hardware=config.hardware, agent=agent_version
    )
    body = _post(config.hub_url.rstrip("/") + _PATH, encode(request))
    try:
        answer = decode(body, EnrolAnswer)
    except UndecodableError as error:
        raise EnrolError(f"{config.hub_url} does not answer as a hub: {error}") from error
    if fingerprint(answer.image_root, answer.director_root) != expected:
        raise EnrolError(
            f"{config.hub_url} is not the hub that made this token: its roots have another"
            " fingerprint. Nothing was kept; check hub_url and the network between"
        )
    if answer.device != config.device:
        raise EnrolError(f"the hub answered for {answer.device[:80]!r}, not {config.device}")
    sealed.save_both(disk, IDENTITY, Identity(answer=answer))
    return answer


def _post(url: str, body: bytes) -> bytes:
    request = urllib.request.Request(  # noqa: S310  # the config accepts http and https only
        url, data=body, headers={"Content-Type": "application/json"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:  # noqa: S310  # as above
            answer: bytes = response.read(MAX_ANSWER_BYTES)
            return answer
    except urllib.error.HTTPError as error:
        with error:
            text = _detail(error.read(MAX_ANSWER_BYTES))
        later = error.code >= _SERVER_ERRORS or error.code == _TOO_MANY
        kind = HubAwayError if later else EnrolError
        raise kind(f"the hub refused the token ({error.code}): {text}") from error
    except (OSError, http.client.HTTPException) as error:
        raise HubAwayError(f"no hub at {url}: {error}") from error


def _detail(body: bytes) -> str:
    """What a problem+json answer (RFC 9457) says, or the answer's beginning."""
    try:
        return decode(body, _Problem).detail
    except UndecodableError:
        return body[:300].decode("utf-8", "replace").strip()
