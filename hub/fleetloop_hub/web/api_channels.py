"""The HTTP API of channels: where alerts are told, and what was not told there."""

from http import HTTPStatus
from typing import Annotated

import msgspec
from flask import Blueprint, Response

from fleetloop_hub.alert_records import AlertKind, AlertLevel, Channel, ChannelKind, Mail
from fleetloop_hub.notifying.channel_check import MOST_RECEIVERS
from fleetloop_hub.notifying.channels import ChannelDesk, ChannelView, DeadLetter
from fleetloop_hub.people_records import Role
from fleetloop_hub.web import guard, paging
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.api import Ask
from fleetloop_hub.web.api_approvals import Name
from fleetloop_hub.web.paging import Page, PageAsk
from fleetloop_hub.web.speaking import Speaks, asked
from fleetloop_shared.codec import encode

_SMALL_BYTES = 32_768
Short = Annotated[str, msgspec.Meta(max_length=2_000)]


class ChannelAsk(Ask, frozen=True, kw_only=True):
    """A channel that is to be made.

    Attributes:
        name: What it is called: 1 to 64 of a-z 0-9 _ -.
        kind: "webhook", "email" or "mqtt".
        level: Alerts as grave as this are told, and graver ones.
        kinds: Alerts of these kinds are told; none of them: of all.
        private: Whether it may lead to an address of this machine or a private network.
        url: Of a webhook.
        secret: Of a webhook, "whsec_" and base64; left out, one is made and shown once.
        host: Of the SMTP server of an e-mail channel.
        port: Of the same.
        security: "tls" from the first byte, "starttls", or "none".
        sender: The address that e-mail is from.
        to: The addresses that it goes to.
        username: For the SMTP server.
        password: The same.
        by: Who makes it.
    """

    name: str
    kind: ChannelKind
    level: AlertLevel = AlertLevel.WARN
    kinds: Annotated[list[AlertKind], msgspec.Meta(max_length=len(AlertKind))] = msgspec.field(
        default_factory=list
    )
    private: bool = False
    url: Short = ""
    secret: Short = ""
    host: Short = ""
    port: int = 587
    security: Short = "starttls"
    sender: Short = ""
    to: Annotated[list[Short], msgspec.Meta(max_length=MOST_RECEIVERS)] = msgspec.field(
        default_factory=list
    )
    username: Short = ""
    password: Short = ""
    by: Name = "person"

    def wanted(self) -> Channel:
        """The channel that is asked for."""
        email, webhook = self.kind is ChannelKind.EMAIL, self.kind is ChannelKind.WEBHOOK
        return Channel(
            key=self.name,
            kind=self.kind,
            made_at=0.0,
            by=self.by,
            level=self.level,
            kinds=self.kinds,
            private=self.private,
            url=self.url if webhook else "",
            secret=self.secret if webhook else "",
            mail=self._mail() if email else None,
        )

    def _mail(self) -> Mail:
        return Mail(
            host=self.host,
            port=self.port,
            security=self.security,
            sender=self.sender,
            to=self.to,
            username=self.username,
            password=self.password,
        )


class ChannelMade(msgspec.Struct, frozen=True, kw_only=True):
    """A channel that was made.

    Attributes:
        channel: It, without its secrets.
        secret: What a webhook's receiver checks signatures with, if it was made here: shown this
            once.
    """

    channel: ChannelView
    secret: str


class DoerAsk(Ask, frozen=True, kw_only=True):
    """Who asks."""

    by: Name = "person"


class AgainAsk(Ask, frozen=True, kw_only=True):
    """Dead letters that are to be sent again.

    Attributes:
        id: Which; None: all of the channel.
        by: Who asks.
    """

    id: Short | None = None
    by: Name = "person"


class Again(msgspec.Struct, frozen=True, kw_only=True):
    """How many dead letters are sent again."""

    count: int


class Channels(Page, frozen=True, kw_only=True):
    """Channels by name, without their secrets."""

    channels: list[ChannelView]


class DeadLetters(Page, frozen=True, kw_only=True):
    """Notices that were given up, the last one first."""

    letters: list[DeadLetter]


def reading_channels(desk: ChannelDesk) -> Blueprint:
    """The routes that change nothing; they name addresses of people."""
    api = Blueprint("reading_channels", __name__, url_prefix="/api/v1")

    @api.get("/channels")
    @needs(Role.OPERATOR)
    @Speaks(query=PageAsk, gives=Channels)
    def channels() -> Response:
        """Where alerts are told, and how it stands there."""
        found, behind = paging.cut(desk.shown(), lambda c: (c.name,), asked(PageAsk))
        return paging.paged(Channels(channels=found, next=behind))

    @api.get("/dead-letters")
    @needs(Role.OPERATOR)
    @Speaks(query=PageAsk, gives=DeadLetters)
    def dead() -> Response:
        """What channels were not told, and why."""
        found, behind = paging.cut(
            desk.dead(), lambda d: (-d.made_at, d.channel, d.id), asked(PageAsk)
        )
        return paging.paged(DeadLetters(letters=found, next=behind))

    return api


def changing_channels(desk: ChannelDesk) -> Blueprint:
    """The routes for admins, since the hub connects to wherever a channel leads."""
    api = Blueprint("changing_channels", __name__, url_prefix="/api/v1")

    @api.post("/channels")
    @needs(Role.ADMIN)
    @Speaks(
        takes=ChannelAsk,
        example={"name": "ops", "kind": "webhook", "url": "https://example.org/hook"},
        gives=ChannelMade,
        status=HTTPStatus.CREATED,
        secret=True,
    )
    def add() -> Response:
        """Make a channel."""
        view, secret = desk.add(guard.body(ChannelAsk, _SMALL_BYTES).wanted())
        return _json(ChannelMade(channel=view, secret=secret), HTTPStatus.CREATED)

    @api.post("/channels/<name>/remove")
    @needs(Role.ADMIN)
    @Speaks(takes=DoerAsk, example={"by": "ann"}, gives=ChannelView)
    def remove(name: str) -> Response:
        """Remove a channel, with its secrets and what waits for it."""
        guard.body(DoerAsk, _SMALL_BYTES)
        return _json(desk.remove(name))

    @api.post("/channels/<name>/test")
    @needs(Role.ADMIN)
    @Speaks(takes=DoerAsk, example={"by": "ann"}, gives=Again)
    def attempt(name: str) -> Response:
        """Send a channel something now, and say whether it was taken."""
        desk.attempt(name, guard.body(DoerAsk, _SMALL_BYTES).by)
        return _json(Again(count=1))

    @api.post("/channels/<name>/again")
    @needs(Role.OPERATOR)
    @Speaks(takes=AgainAsk, example={"by": "ann"}, gives=Again)
    def again(name: str) -> Response:
        """Send dead letters of a channel again, one or all of them."""
        return _json(Again(count=desk.again(name, guard.body(AgainAsk, _SMALL_BYTES).id)))

    return api


def _json(value: object, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(encode(value), status=status, content_type="application/json")
