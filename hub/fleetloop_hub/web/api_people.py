"""The HTTP API of people and of the tokens with which programs ask."""

from http import HTTPStatus
from typing import Annotated

import msgspec
from flask import Blueprint, Response

from fleetloop_hub.errors import AbsentError, PeopleError
from fleetloop_hub.people.accounts import Accounts
from fleetloop_hub.people.tokens import LONGEST_DAYS, ApiTokens
from fleetloop_hub.people.views import (
    PasswordView,
    PeopleAnswer,
    PersonView,
    SecretView,
    TokensAnswer,
    TokenView,
    shown,
    token_shown,
)
from fleetloop_hub.people_records import Role
from fleetloop_hub.web import access, guard, paging
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.paging import PageAsk
from fleetloop_hub.web.schema_words import SEEN
from fleetloop_hub.web.speaking import Speaks, asked
from fleetloop_shared.codec import encode

_SMALL_BYTES = 16_384
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9._@-]{0,63}(?![\s\S])")]
Days = Annotated[float, msgspec.Meta(gt=0, le=LONGEST_DAYS)]


class PersonAsk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody who is to be let in.

    Attributes:
        name: What they sign in as.
        role: What they may do.
        subject: "ISSUER SUBJECT" of one who signs in with the OpenID provider.
    """

    name: Name
    role: Role = Role.VIEWER
    subject: Annotated[str, msgspec.Meta(max_length=500)] = ""


class RoleAsk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another role for somebody.

    Attributes:
        role: It.
    """

    role: Role


class Nothing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """There is no more to say."""


class TokenMakeAsk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A token for a program.

    Attributes:
        name: What it is for.
        role: The most that it may do; no more than whoever asks for it.
        days: How long it is good.
    """

    name: Annotated[str, msgspec.Meta(pattern=SEEN, max_length=80)]
    role: Role = Role.VIEWER
    days: Days = 90.0


def people_api(accounts: Accounts) -> Blueprint:
    """The routes of people."""
    api = Blueprint("people_api", __name__, url_prefix="/api/v1")

    @api.get("/people")
    @needs(Role.ADMIN)
    @Speaks(query=PageAsk, gives=PeopleAnswer)
    def people() -> Response:
        """Everybody who may sign in, or might."""
        found, behind = paging.cut(accounts.all(), lambda p: (p.key,), asked(PageAsk))
        people = [shown(person) for person in found]
        return paging.paged(PeopleAnswer(people=people, next=behind))

    @api.post("/people")
    @needs(Role.ADMIN)
    @Speaks(
        takes=PersonAsk,
        example={"name": "ann", "role": "operator"},
        gives=PasswordView,
        status=HTTPStatus.CREATED,
        secret=True,
    )
    def add() -> Response:
        """Let somebody in; the answer has the one-time password."""
        told = guard.body(PersonAsk, _SMALL_BYTES)
        password = accounts.add(told.name, told.role, told.subject)
        made = PasswordView(name=told.name, one_time_password=password)
        return _json(made, HTTPStatus.CREATED)

    @api.post("/people/<name>/role")
    @needs(Role.ADMIN)
    @Speaks(takes=RoleAsk, example={"role": "approver"}, gives=PersonView)
    def role(name: str) -> Response:
        """Give somebody another role; their sessions end."""
        told = guard.body(RoleAsk, _SMALL_BYTES)
        return _json(shown(accounts.set_role(_known(accounts, name), told.role)))

    @api.post("/people/<name>/disable")
    @needs(Role.ADMIN)
    @Speaks(takes=Nothing, example={}, gives=PersonView)
    def disable(name: str) -> Response:
        """Let somebody in no more; their sessions and tokens end."""
        guard.body(Nothing, _SMALL_BYTES)
        return _json(shown(accounts.disable(_known(accounts, name))))

    @api.post("/people/<name>/enable")
    @needs(Role.ADMIN)
    @Speaks(takes=Nothing, example={}, gives=PersonView)
    def enable(name: str) -> Response:
        """Let somebody in again."""
        guard.body(Nothing, _SMALL_BYTES)
        return _json(shown(accounts.enable(_known(accounts, name))))

    @api.post("/people/<name>/reset")
    @needs(Role.ADMIN)
    @Speaks(takes=Nothing, example={}, gives=PasswordView, secret=True)
    def reset(name: str) -> Response:
        """Give somebody a new one-time password."""
        guard.body(Nothing, _SMALL_BYTES)
        password = accounts.reset(_known(accounts, name))
        return _json(PasswordView(name=name, one_time_password=password))

    return api


def tokens_api(tokens: ApiTokens) -> Blueprint:
    """The routes of tokens."""
    api = Blueprint("tokens_api", __name__, url_prefix="/api/v1")

    @api.get("/api-tokens")
    @needs(Role.VIEWER)
    @Speaks(query=PageAsk, gives=TokensAnswer)
    def listed() -> Response:
        """The tokens of whoever asks; all of them for an admin."""
        found, behind = paging.cut(
            tokens.all(whose()), lambda t: (-t.made_at, t.key), asked(PageAsk)
        )
        shown_ = [token_shown(token) for token in found]
        return paging.paged(TokensAnswer(tokens=shown_, next=behind))

    @api.post("/api-tokens")
    @needs(Role.VIEWER)
    @Speaks(
        takes=TokenMakeAsk,
        example={"name": "grafana", "role": "viewer", "days": 90},
        gives=SecretView,
        status=HTTPStatus.CREATED,
        secret=True,
    )
    def make() -> Response:
        """Make a token that may do no more than whoever asks; the secret is shown once."""
        told = guard.body(TokenMakeAsk, _SMALL_BYTES)
        return _json(made(tokens, told), HTTPStatus.CREATED)

    @api.post("/api-tokens/<key>/revoke")
    @needs(Role.VIEWER)
    @Speaks(takes=Nothing, example={}, gives=TokenView)
    def revoke(key: str) -> Response:
        """Make a token void."""
        guard.body(Nothing, _SMALL_BYTES)
        try:
            return _json(token_shown(tokens.revoke(key, whose())))
        except PeopleError as error:
            raise AbsentError(str(error)) from error

    return api


def made(tokens: ApiTokens, told: TokenMakeAsk) -> SecretView:
    """Make a token for whoever asks.

    Raises:
        PeopleError: They may not do as much themselves, or have not said who they are.
    """
    asking = access.who()
    if asking.way == access.ANONYMOUS:
        raise PeopleError("a token belongs to somebody: sign in first; none was made")
    if not asking.role.covers(told.role):
        raise PeopleError(
            f"a token may do no more than whoever makes it, who is {asking.role}: none was made"
        )
    person = asking.name if asking.way == access.SESSION else ""
    if asking.way == access.API_TOKEN:
        raise PeopleError("a token makes no tokens: sign in for that; none was made")
    secret, token = tokens.make(told.name, person, told.role, told.days)
    return SecretView(secret=secret, **msgspec.structs.asdict(token_shown(token)))


def whose() -> str | None:
    """Whose tokens whoever asks may see: their own, an admin all of them."""
    asking = access.who()
    return None if asking.role is Role.ADMIN else asking.name or asking.way


def _known(accounts: Accounts, name: str) -> str:
    if all(person.key != name for person in accounts.all()):
        raise AbsentError(f"nobody here is called {name[:80]!r}: see `fleetloop people list`")
    return name


def _json(value: object, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(encode(value), status=status, content_type="application/json")
