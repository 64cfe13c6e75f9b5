"""The pages on which people come in, leave, and change their password."""

import time
from http import HTTPStatus
from typing import Annotated, cast

import msgspec
from flask import Blueprint, Response, redirect, render_template, request
from flask_login import current_user

from fleetloop_hub.audit_records import Deed
from fleetloop_hub.errors import PeopleError
from fleetloop_hub.people import passwords
from fleetloop_hub.people.accounts import Accounts
from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Audit
from fleetloop_hub.web import access, forms, guard, sessions
from fleetloop_hub.web.access import PUBLIC, needs
from fleetloop_hub.web.guard import Attempts
from fleetloop_hub.web.page import Crumb, Place, page
from fleetloop_hub.web.problem import ProblemError

_FROM_ONE_PLACE = (10, 60.0)
_FOR_ONE_NAME = (20, 300.0)
_WRONG = "This name and password do not belong together."


class _Passwords(msgspec.Struct, frozen=True, kw_only=True):
    """The form of a change.

    Attributes:
        old: The password up to now.
        new: The one from now on.
        again: The same once more.
    """

    old: Annotated[str, msgspec.Meta(max_length=passwords.LONGEST)]
    new: Annotated[str, msgspec.Meta(max_length=passwords.LONGEST)]
    again: Annotated[str, msgspec.Meta(max_length=passwords.LONGEST)]


def sign_in_pages(accounts: Accounts, audit: Audit) -> Blueprint:
    """The routes of coming in and leaving."""
    pages = Blueprint("sign_in", __name__)
    sources = Attempts(*_FROM_ONE_PLACE, time.monotonic)
    names = Attempts(*_FOR_ONE_NAME, time.monotonic)

    @pages.get("/sign-in")
    @needs(PUBLIC)
    def ask() -> str:
        """The form."""
        return render_template("people/sign_in.html", name="", trouble="", next=wanted())

    @pages.post("/sign-in")
    @needs(PUBLIC)
    def enter() -> Response:
        """Begin a session."""
        source = guard.source()
        name = request.form.get("name", "")[:80].strip().lower()
        sources.check(source)
        names.check(name)
        person = accounts.sign_in(name, request.form.get("password", ""))
        if person is None:
            sources.failed(source)
            names.failed(name)
            audit.record(
                Deed(by=name or "nobody", action="sign in: refused", subject=source), time.time()
            )
            return again(_WRONG, HTTPStatus.UNAUTHORIZED, name)
        sessions.begin(person)
        audit.record(Deed(by=person.key, action="sign in", subject=source), time.time())
        to = "/account" if person.one_time else wanted()
        return cast("Response", redirect(to, HTTPStatus.SEE_OTHER))

    @pages.post("/sign-out")
    @needs(PUBLIC)
    def leave() -> Response:
        """End the session."""
        sessions.end(accounts)
        return cast("Response", redirect("/sign-in", HTTPStatus.SEE_OTHER))

    return pages


def account_pages(accounts: Accounts, audit: Audit) -> Blueprint:
    """The routes of one's own account."""
    pages = Blueprint("account", __name__)
    names = Attempts(*_FROM_ONE_PLACE, time.monotonic)

    @pages.get("/account")
    @needs(Role.VIEWER)
    def account() -> Response:
        """Who one is here, and the form for another password."""
        return page(
            "people/account.html",
            Place("settings", [Crumb("Account")]),
            person=_own(),
            shortest=passwords.SHORTEST,
        )

    @pages.post("/account/password")
    @needs(Role.VIEWER)
    def change() -> Response:
        """Change one's password; the sessions elsewhere end."""
        if _own() is None:
            raise PeopleError("only somebody who has signed in has a password: nothing was changed")
        asked = forms.read(_Passwords)
        if asked.new != asked.again:
            raise ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "The new password was not typed the same twice: go back; nothing was changed.",
            )
        name = access.who().name
        names.check(name)
        audit.record(Deed(by=name, action="change a password", subject=name), time.time())
        try:
            changed = accounts.change_password(name, asked.old, asked.new)
        except PeopleError:
            names.failed(name)
            raise
        sessions.begin(changed)
        return forms.done("Your password is changed; other sessions of yours have ended.", "/")

    return pages


def _own() -> object | None:
    return current_user.person if access.who().way == access.SESSION else None


def again(trouble: str, status: HTTPStatus, name: str = "") -> Response:
    """The form once more, with what was wrong."""
    text = render_template("people/sign_in.html", name=name, trouble=trouble, next=wanted())
    return Response(text, status, content_type="text/html; charset=utf-8")


def wanted() -> str:
    """Where to go on: a path of ours, whatever the address says."""
    to = request.values.get("next", "/")
    plain = to.startswith("/") and not to.startswith(("//", "/\\", "/sign-")) and "\\" not in to
    return to if plain and to.isprintable() else "/"
