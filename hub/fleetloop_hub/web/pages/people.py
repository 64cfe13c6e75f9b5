"""The settings of people and tokens, and the page of who did what."""

import time

from flask import Blueprint, Response, request

from fleetloop_hub.people.accounts import Accounts
from fleetloop_hub.people.tokens import ApiTokens
from fleetloop_hub.people.views import shown, token_shown
from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Audit
from fleetloop_hub.web import exports, forms
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.api_people import (
    Nothing,
    PersonAsk,
    RoleAsk,
    TokenMakeAsk,
    made,
    whose,
)
from fleetloop_hub.web.page import Crumb, Place, page, paged

_SETTINGS = Crumb("Settings", "/settings")
_COLUMNS = ("number", "at", "by", "action", "subject", "reason", "details", "hash")


def people_pages(accounts: Accounts) -> Blueprint:
    """The routes of people for an admin."""
    pages = Blueprint("people_pages", __name__)

    def everybody(told: dict[str, str] | None = None) -> Response:
        return page(
            "people/people.html",
            Place("settings", [_SETTINGS, Crumb("People")]),
            ("settings",),
            people=[shown(person) for person in accounts.all()],
            roles=list(Role),
            told=told,
        )

    @pages.get("/settings/people")
    @needs(Role.ADMIN)
    def people() -> Response:
        """Everybody, and the form for somebody new."""
        return everybody()

    @pages.post("/settings/people")
    @needs(Role.ADMIN)
    def add() -> Response:
        """Let somebody in; their one-time password is on the page that comes back, once."""
        asked = forms.read(PersonAsk)
        password = accounts.add(asked.name, asked.role, asked.subject)
        return everybody({"name": asked.name, "password": password})

    @pages.post("/settings/people/<name>/role")
    @needs(Role.ADMIN)
    def role(name: str) -> Response:
        """Give somebody another role."""
        asked = forms.read(RoleAsk)
        accounts.set_role(name, asked.role)
        return forms.done(f"{name} is {asked.role} now.", "/settings/people")

    @pages.post("/settings/people/<name>/disable")
    @needs(Role.ADMIN)
    def disable(name: str) -> Response:
        """Let somebody in no more."""
        forms.confirmed(name)
        forms.read(Nothing)
        accounts.disable(name)
        return forms.done(f"{name} may not sign in any more.", "/settings/people")

    @pages.post("/settings/people/<name>/enable")
    @needs(Role.ADMIN)
    def enable(name: str) -> Response:
        """Let somebody in again."""
        forms.read(Nothing)
        accounts.enable(name)
        return forms.done(f"{name} may sign in again.", "/settings/people")

    @pages.post("/settings/people/<name>/reset")
    @needs(Role.ADMIN)
    def reset(name: str) -> Response:
        """Give somebody a new one-time password, on the page that comes back, once."""
        forms.confirmed(name)
        forms.read(Nothing)
        return everybody({"name": name, "password": accounts.reset(name)})

    return pages


def tokens_pages(tokens: ApiTokens) -> Blueprint:
    """The routes of tokens, and the list of settings."""
    pages = Blueprint("tokens_pages", __name__)

    def listed(secret: str = "") -> Response:
        return page(
            "people/tokens.html",
            Place("settings", [_SETTINGS, Crumb("API tokens")]),
            ("settings",),
            tokens=[token_shown(token) for token in tokens.all(whose())],
            roles=list(Role),
            secret=secret,
        )

    @pages.get("/settings")
    @needs(Role.VIEWER)
    def settings() -> Response:
        """What there is to set."""
        return page("people/settings.html", Place("settings", [Crumb("Settings")]))

    @pages.get("/settings/tokens")
    @needs(Role.VIEWER)
    def mine() -> Response:
        """One's tokens, and the form for another."""
        return listed()

    @pages.post("/settings/tokens")
    @needs(Role.VIEWER)
    def make() -> Response:
        """Make a token; its secret is on the page that comes back, once."""
        return listed(made(tokens, forms.read(TokenMakeAsk)).secret)

    @pages.post("/settings/tokens/<key>/revoke")
    @needs(Role.VIEWER)
    def revoke(key: str) -> Response:
        """Make a token void."""
        forms.read(Nothing)
        revoked = tokens.revoke(key, whose())
        return forms.done(f"The token {revoked.name} is void.", "/settings/tokens")

    return pages


def audit_pages(audit: Audit) -> Blueprint:
    """The route of the audit log."""
    pages = Blueprint("audit_pages", __name__)

    @pages.get("/audit")
    @needs(Role.OPERATOR)
    def log() -> Response:
        """Who did what, the newest first; every entry is checked before."""
        asked = {name: request.args.get(name, "")[:80] for name in ("by", "action", "subject")}
        entries = audit.entries()
        found = [entry for entry in reversed(entries) if entry.is_about(**asked)]
        if exports.asked_format():
            rows = [{name: getattr(entry, name) for name in _COLUMNS} for entry in found]
            return exports.answer("audit", rows, _COLUMNS)
        return page(
            "people/audit.html",
            Place("audit", [Crumb("Audit")]),
            paging=paged(found),
            asked=asked,
            count=len(entries),
            last=entries[-1].hash if entries else "",
            now=time.time(),
        )

    return pages
