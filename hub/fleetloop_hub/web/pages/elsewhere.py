"""The pages on which people leave for an OpenID provider, and come back signed in."""

import time
from http import HTTPStatus
from typing import cast

from flask import Blueprint, Response, redirect, request, session

from fleetloop_hub.audit_records import Deed
from fleetloop_hub.config import OpenIdProvider
from fleetloop_hub.errors import PeopleError, ProviderError
from fleetloop_hub.people.accounts import Accounts
from fleetloop_hub.people.provider import enter
from fleetloop_hub.ports import Audit
from fleetloop_hub.web import guard, openid, sessions
from fleetloop_hub.web.access import PUBLIC, needs
from fleetloop_hub.web.guard import Attempts
from fleetloop_hub.web.pages.sign_in import again, wanted

_FROM_ONE_PLACE = (30, 60.0)
_NEXT = "wanted"  # "next" is Flask-Login's own, and goes with a session


def elsewhere_pages(
    accounts: Accounts, audit: Audit, provider: OpenIdProvider, url: str
) -> Blueprint:
    """The routes of signing in elsewhere.

    Args:
        accounts: Whom it lets in.
        audit: Where that is noted.
        provider: Where people sign in.
        url: The address of this application from outside, "" for the one that is asked.
    """
    pages = Blueprint("elsewhere", __name__)
    sources = Attempts(*_FROM_ONE_PLACE, time.monotonic)

    @pages.app_context_processor
    def name() -> dict[str, str]:
        return {"elsewhere": provider.name}

    @pages.get("/sign-in/elsewhere")
    @needs(PUBLIC)
    def leave() -> Response:
        """Go to the provider."""
        source = guard.source()
        sources.check(source)
        sources.failed(source)  # whether it was one shows only later, if ever
        session[_NEXT] = wanted()
        back = f"{(url or request.host_url).rstrip('/')}/sign-in/back"
        try:
            return openid.begin(provider, back)
        except ProviderError as error:
            return again(str(error), HTTPStatus.BAD_GATEWAY)

    @pages.get("/sign-in/back")
    @needs(PUBLIC)
    def back() -> Response:
        """Come back from the provider, and in."""
        source, to = guard.source(), session.get(_NEXT, "/")
        sources.check(source)
        try:
            said = openid.claims(provider)
            person = enter(accounts, provider, said, lambda deed: audit.record(deed, time.time()))
        except (ProviderError, PeopleError) as error:
            sources.failed(source)
            told = {"with": provider.name, "why": str(error)[:200]}
            refused = Deed(by="nobody", action="sign in: refused", subject=source, details=told)
            audit.record(refused, time.time())
            return again(str(error), HTTPStatus.FORBIDDEN)
        sessions.begin(person)
        told = {"with": provider.name}
        audit.record(
            Deed(by=person.key, action="sign in", subject=source, details=told), time.time()
        )
        return cast("Response", redirect(to, HTTPStatus.SEE_OTHER))

    return pages
