"""The page of channels: where alerts are told, added, tried, removed; and dead letters."""

from typing import Annotated

import msgspec
from flask import Blueprint, Response

from fleetloop_hub.alert_records import AlertKind, AlertLevel, Channel, ChannelKind
from fleetloop_hub.notifying.channels import ChannelDesk
from fleetloop_hub.people_records import Role
from fleetloop_hub.web import forms
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.api import Ask
from fleetloop_hub.web.api_approvals import Name
from fleetloop_hub.web.api_channels import AgainAsk, ChannelAsk, DoerAsk, Short
from fleetloop_hub.web.page import Crumb, Place, page, paged

_PATH = "/settings/channels"
_TRAIL = [Crumb("Settings", "/settings"), Crumb("Channels", _PATH)]


class ChannelForm(Ask, frozen=True, kw_only=True):
    """A channel as a form says it: one kind of alert or all, addresses by commas.

    The fields are those of `ChannelAsk`.
    """

    name: str
    kind: ChannelKind
    level: AlertLevel = AlertLevel.WARN
    only: AlertKind | None = None
    private: bool = False
    url: Short = ""
    secret: Short = ""
    host: Short = ""
    port: Annotated[int, msgspec.Meta(ge=1, le=65_535)] = 587
    security: Short = "starttls"
    sender: Short = ""
    to: Short = ""
    username: Short = ""
    password: Short = ""
    by: Name

    def wanted(self) -> Channel:
        """The channel that is asked for."""
        told = msgspec.structs.asdict(self)
        only: AlertKind | None = told.pop("only")
        told["to"] = [address.strip() for address in self.to.split(",") if address.strip()]
        return ChannelAsk(**told, kinds=[] if only is None else [only]).wanted()


def channels_pages(desk: ChannelDesk) -> Blueprint:
    """The routes of channels for people."""
    pages = Blueprint("channels_pages", __name__)

    @pages.get(_PATH)
    @needs(Role.OPERATOR)
    def channels() -> Response:
        """Every channel, and what was not told."""
        return _shown(desk)

    @pages.post(_PATH)
    @needs(Role.ADMIN)
    def add() -> Response:
        """Make a channel; a secret that is made for it is on this one answer and no other."""
        view, secret = desk.add(forms.read(ChannelForm).wanted())
        if secret:
            return _shown(desk, view.name, secret)
        return forms.done(f"{view.name} is told of alerts from now on.", _PATH)

    @pages.post(f"{_PATH}/<name>/remove")
    @needs(Role.ADMIN)
    def remove(name: str) -> Response:
        """Remove a channel, with its secrets and what waits for it."""
        forms.confirmed(name)
        forms.read(DoerAsk)
        desk.remove(name)
        return forms.done(f"{name} is told nothing any more.", _PATH)

    @pages.post(f"{_PATH}/<name>/test")
    @needs(Role.ADMIN)
    def attempt(name: str) -> Response:
        """Send a channel something now."""
        desk.attempt(name, forms.read(DoerAsk).by)
        return forms.done(f"{name} has taken a test.", _PATH)

    @pages.post(f"{_PATH}/<name>/again")
    @needs(Role.OPERATOR)
    def again(name: str) -> Response:
        """Send dead letters of a channel again."""
        count = desk.again(name, forms.read(AgainAsk).id)
        return forms.done(f"{count:,} dead letters of {name} are sent again.", _PATH)

    return pages


def _shown(desk: ChannelDesk, made: str = "", secret: str = "") -> Response:
    return page(
        "alerts/channels.html",
        Place("settings", _TRAIL),
        ("settings", "alerts"),
        channels=desk.shown(),
        letters=paged(desk.dead()),
        kinds=list(AlertKind),
        made=made,
        secret=secret,
    )
