"""Who asks, and whether they may: each route says what role it needs, one place enforces it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

from flask import Flask, g, request

from fleetloop_hub.people_records import Role
from fleetloop_hub.web.problem import ProblemError

V = TypeVar("V", bound=Callable[..., object])

_NEEDED = "fleetloop_needs"
_STATIC = "static"
ADMIN_TOKEN = "admin token"  # noqa: S105  # the name of a way in
API_TOKEN = "api token"  # noqa: S105  # the same
SESSION = "session"
ANONYMOUS = "anonymous"


@dataclass(frozen=True)
class Public:
    """A route that anybody may call; what it does proves itself otherwise, or is harmless."""


PUBLIC = Public()


@dataclass(frozen=True)
class Who:
    """Somebody who asks.

    Attributes:
        name: For the audit log; "" for whoever has not said.
        role: What they may do.
        way: How they have come in: "admin token", "api token", "session", "anonymous".
    """

    name: str
    role: Role
    way: str


Door = Callable[[], Who | None]
"""A way in: who asks, None if they do not come this way.

Raises:
    ProblemError: They come this way, and are not let in.
"""


def needs(role: Role | Public) -> Callable[[V], V]:
    """Declare who may call a view; to stand right above it, below its routes."""

    def declare(view: V) -> V:
        setattr(view, _NEEDED, role)
        return view

    return declare


def needed(view: Callable[..., object]) -> Role | Public | None:
    """What a view has declared, None if it has not."""
    found: Role | Public | None = getattr(view, _NEEDED, None)
    return found


def who() -> Who:
    """Who asks now; only while a request is served that is not public."""
    asking: Who = g.who
    return asking


def may(role: Role) -> bool:
    """Whether whoever asks now may do what needs a role, so that a page offers it."""
    asking: Who | None = g.get("who")
    return asking is not None and asking.role.covers(role)


def demand(role: Role) -> None:
    """Let pass only whoever has a role.

    Raises:
        ProblemError: They have not, or have not said who they are.
    """
    if may(role):
        return
    asking: Who | None = g.get("who")
    if asking is None or asking.way == ANONYMOUS:
        raise ProblemError(
            HTTPStatus.UNAUTHORIZED,
            f"This needs somebody who is {role} at least: sign in, or send an API token (or the "
            "admin token, which stands in admin.token in the hub's state folder) as "
            "Authorization: Bearer TOKEN.",
            {"WWW-Authenticate": 'Bearer realm="fleetloop"'},
        )
    raise ProblemError(
        HTTPStatus.FORBIDDEN,
        f"{asking.name or 'Whoever asks'} is {asking.role} and this needs {role}: nothing was "
        "done. An admin gives roles.",
    )


def register(app: Flask, doors: Sequence[Door]) -> None:
    """Ask at each door who comes, before any view is called."""

    def check() -> None:
        wanted = _wanted(app)
        g.who = next(filter(None, (door() for door in doors)), None)
        if isinstance(wanted, Role):
            demand(wanted)

    app.before_request(check)


def check_declared(app: Flask) -> None:
    """See that every route says who may call it.

    Raises:
        RuntimeError: One does not.
    """
    silent = [
        name for name, view in app.view_functions.items() if name != _STATIC and not needed(view)
    ]
    if silent:
        raise RuntimeError(f"routes that do not say who may call them: {', '.join(silent)}")


def bearer() -> str | None:
    """The token that a request bears, None without one."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else None


def anonymous_door(role: Role | None) -> Door:
    """Whoever does not say who they are has this role; None lets nobody in."""

    def door() -> Who | None:
        return None if role is None else Who("", role, ANONYMOUS)

    return door


def _wanted(app: Flask) -> Role | Public | None:
    view = app.view_functions.get(request.endpoint or "")
    return None if view is None else needed(view)
