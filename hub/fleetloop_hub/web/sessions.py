"""Sessions of people: the cookie, who it stands for, and the proof that a form is ours.

Source: OWASP Session Management Cheat Sheet; RFC 6265bis for the cookie's attributes.
"""

import secrets
import time
from http import HTTPStatus
from typing import cast

from flask import Flask, Response, g, redirect, request, session
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from flask_wtf.csrf import CSRFError, CSRFProtect

from fleetloop_hub.people.accounts import IDLE_S, LONGEST_S, Accounts
from fleetloop_hub.people_records import Person
from fleetloop_hub.web.access import SESSION, Who
from fleetloop_hub.web.problem import ProblemError, problem
from fleetloop_shared.ids import sha256_hex

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_SIGNING_IN = frozenset({"sign_in.enter"})
_BEFORE_CHANGING = frozenset({"account.account", "account.change", "sign_in.leave", "static"})
_SEEN_EVERY_S = 60.0
_STREAM = "/events/stream"


class SignedIn(UserMixin):  # type: ignore[misc]  # Flask-Login ships no types
    """Somebody with a session, as Flask-Login wants them."""

    def __init__(self, person: Person) -> None:
        """Stand for a person."""
        self.person = person

    def get_id(self) -> str:
        """Who they are, and of which generation: another one is nobody."""
        return f"{self.person.key} {self.person.generation}"


def register(app: Flask, accounts: Accounts, key: bytes, *, secure: bool) -> None:
    """Give the application sessions.

    Args:
        app: It.
        accounts: Whom they may stand for.
        key: What cookies are signed with.
        secure: Whether browsers reach it over TLS, and may send the cookie over nothing else.
    """
    app.secret_key = key
    app.config.update(
        SESSION_COOKIE_NAME="__Host-fleetloop" if secure else "fleetloop",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=secure,
        PERMANENT_SESSION_LIFETIME=LONGEST_S,
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,  # it lives as long as the session
        WTF_CSRF_SSL_STRICT=False,  # our pages send no Referer
    )
    logins = LoginManager(app)
    logins.session_protection = "strong"

    def load(told: str) -> SignedIn | None:
        name, _, generation = told.rpartition(" ")
        person = accounts.find(name)
        if person is None or str(person.generation) != generation or not _good(person):
            return None
        return SignedIn(person)

    logins.user_loader(load)
    forms = CSRFProtect(app)

    def check() -> Response | None:
        asking: Who | None = g.get("who")
        by_session = asking is not None and asking.way == SESSION
        if request.method not in _SAFE and (by_session or request.endpoint in _SIGNING_IN):
            forms.protect()
        if by_session and current_user.person.one_time and request.endpoint not in _BEFORE_CHANGING:
            return _to_change()
        return None

    app.before_request(check)
    app.register_error_handler(CSRFError, _unproven)


def session_door() -> Who | None:
    """Whoever has signed in; what an open page asks by itself does not keep the session alive."""
    if not current_user.is_authenticated:
        return None
    person: Person = current_user.person
    by_itself = "HX-Request" in request.headers or request.path == _STREAM
    if not by_itself and time.time() - session["seen"] > _SEEN_EVERY_S:
        session["seen"] = time.time()
    return Who(person.key, person.role, SESSION)


def begin(person: Person) -> None:
    """Begin a session, with nothing in it of the one before."""
    session.clear()
    session["id"] = secrets.token_urlsafe(16)
    session["began"] = session["seen"] = time.time()
    login_user(SignedIn(person))


def end(accounts: Accounts) -> None:
    """End the session for good, also for whoever has copied its cookie."""
    if current_user.is_authenticated:
        accounts.end_session(current_user.person.key, session.get("id", ""))
    logout_user()
    session.clear()


def _good(person: Person) -> bool:
    """Whether the session of a person is one that has not ended."""
    now = time.time()
    began, seen = session.get("began"), session.get("seen")
    if not isinstance(began, float) or not isinstance(seen, float):
        return False
    if now - began > LONGEST_S or now - seen > IDLE_S:
        return False
    return sha256_hex(str(session.get("id", "")).encode()) not in person.ended


def _to_change() -> Response:
    if request.path.startswith("/api/"):
        raise ProblemError(HTTPStatus.FORBIDDEN, "Change the one-time password first, at /account.")
    return cast("Response", redirect("/account", HTTPStatus.SEE_OTHER))


def _unproven(error: CSRFError) -> Response:
    return problem(
        HTTPStatus.BAD_REQUEST,
        f"This form is not one of ours, or too old ({error.description}) Go back, load the page "
        "again and repeat it; nothing was done.",
    )
