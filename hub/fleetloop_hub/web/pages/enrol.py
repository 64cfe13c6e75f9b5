"""Letting a device in: a one-time token, what to type on the device, and how far it has come."""

import time
from collections import Counter
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode, urlsplit

import msgspec
import segno
from flask import Blueprint, Response, request
from markupsafe import Markup

from fleetloop_hub.fleet_records import Device, Token
from fleetloop_hub.monitoring.overview import Level
from fleetloop_hub.monitoring.overview_reader import OverviewReader
from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Catalog
from fleetloop_hub.web import forms
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.actions import HubActions
from fleetloop_hub.web.api import Ask
from fleetloop_hub.web.page import Crumb, Place, page
from fleetloop_hub.web.pages.devices import CRUMB
from fleetloop_hub.web.problem import ProblemError
from fleetloop_shared.ids import check_name, sha256_hex

_LIVES_S = {"15 minutes": 900.0, "1 hour": 3_600.0, "1 day": 86_400.0, "1 week": 604_800.0}
_SHORTEST_S = 60.0
_OPEN = 20
_COMMAND = "cat > agent.toml <<'END'\n{config}END\nfleetloop-agent run --config agent.toml"
_HARDWARE = r"\A[A-Za-z0-9][A-Za-z0-9 ._+-]{0,63}\Z"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class EnrolAsk(Ask, frozen=True, kw_only=True):
    """A device that is to be let in.

    Attributes:
        device: What it will be called.
        hardware: Its hardware type.
        cohort: Where it will belong.
        expires_s: Seconds until the token is void.
    """

    device: Annotated[str, msgspec.Meta(max_length=64)]
    hardware: Annotated[str, msgspec.Meta(pattern=_HARDWARE)]
    cohort: Annotated[str, msgspec.Meta(max_length=64)] = "default"
    expires_s: Annotated[float, msgspec.Meta(ge=_SHORTEST_S, le=604_800)] = 3_600.0


@dataclass(frozen=True)
class Waiting:
    """How far the owner of a token has come.

    Attributes:
        level: How much attention that wants.
        text: In words.
        device: Who has used it, "" for nobody yet.
    """

    level: Level
    text: str
    device: str = ""


def enrol_pages(catalog: Catalog, overviews: OverviewReader, actions: HubActions) -> Blueprint:
    """The routes of enrolling for people."""
    pages = Blueprint("enrol_pages", __name__)

    @pages.get("/enrol")
    @needs(Role.VIEWER)
    def enrol() -> Response:
        """The form, or how far a token that was made has come."""
        token = request.args.get("token", "")
        return _page(catalog, overviews, waiting=_waiting(catalog, overviews, token))

    @pages.post("/enrol")
    @needs(Role.OPERATOR)
    def make() -> Response:
        """Make a token and show it, this once."""
        asked = forms.read(EnrolAsk)
        device, cohort = check_name(asked.device, "device"), check_name(asked.cohort, "cohort")
        if catalog.find(Device, device) is not None:
            raise ProblemError(
                HTTPStatus.CONFLICT,
                f"There is a device {device!r} already: go back and choose another name. No token "
                "was made.",
            )
        token = actions.new_token(cohort, asked.expires_s)
        key = sha256_hex(token.partition(".")[0].encode())
        config = _config(device, asked.hardware, token)
        return _page(
            catalog,
            overviews,
            again=f"/enrol?{urlencode({'token': key})}",
            waiting=_waiting(catalog, overviews, key),
            token=token,
            config=config,
            command=_COMMAND.format(config=config),
            picture=_picture(config),
            near=urlsplit(request.host_url).hostname in _LOOPBACK,
        )

    return pages


def _page(catalog: Catalog, overviews: OverviewReader, again: str = "", **told: object) -> Response:
    devices, now = catalog.all(Device), time.time()
    free = (t for t in catalog.all(Token) if t.device is None and t.expires_at > now)
    names = {d.key for d in devices}
    return page(
        "enrol/enrol.html",
        Place("devices", [CRUMB, Crumb("Enrol")], again),
        ("devices",),
        plots=False,
        cohorts=[name for name, _ in Counter(d.cohort for d in devices).most_common()]
        or ["default"],
        hardware=sorted({d.hardware for d in devices}),
        suggested=next(n for k in range(1, len(names) + 2) if (n := f"device-{k}") not in names),
        lives=_LIVES_S,
        open=sorted(free, key=lambda t: -t.created_at)[:_OPEN],
        **told,
    )


def _waiting(catalog: Catalog, overviews: OverviewReader, key: str) -> Waiting | None:
    """How far the token of this key has come; None if there is none."""
    token = catalog.find(Token, key) if key else None
    if token is None:
        return None
    if token.device is None:
        if token.expires_at <= time.time():
            return Waiting(Level.WARN, "The token has expired unused: make another one.")
        return Waiting(Level.BUSY, "Waiting for a device to come with this token.")
    device = next((d for d in overviews.read().devices if d.device == token.device), None)
    if device is None or not device.online:
        return Waiting(Level.BUSY, "has enrolled; it is not connected yet.", token.device)
    return Waiting(Level.GOOD, "has enrolled and is online.", token.device)


def _config(device: str, hardware: str, token: str) -> str:
    """The device's config file; every part was checked, so that none can end its quotes."""
    hub = request.host_url.rstrip("/")
    return (
        f'device = "{device}"\nhardware = "{hardware}"\nstate_dir = "state"\n'
        f'hub_url = "{hub}"\nenrol_token = "{token}"\n'
    )


def _picture(config: str) -> Markup:
    """The config as a QR code, dark on light, whatever the page's colours are."""
    code = segno.make(config, error="l", micro=False)
    drawn = code.svg_inline(omitsize=True, svgclass="qr", lineclass=None, title="agent.toml")
    return Markup(drawn)  # noqa: S704  # segno's own; the text is in its dots, never in the markup
