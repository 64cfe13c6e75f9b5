"""Signing in with an OpenID provider, and all that a false one, or a false browser, might try."""

import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from joserfc.jwk import ECKey
from werkzeug.test import TestResponse

from fleetloop_hub.config import OpenIdProvider
from fleetloop_hub.people.accounts import Accounts
from fleetloop_hub.people_records import Role
from fleetloop_hub.web.app import Reached, create_app
from support.hubweb import ADMIN_TOKEN, WebHub, web_hub
from support.openid_provider import CLIENT, SECRET, Provider, running

ROLES = (("ops", Role.OPERATOR), ("bosses", Role.ADMIN))


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with web_hub(tmp_path) as hub:
        yield hub


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running() as provider:
        yield provider


Roles = tuple[tuple[str, Role], ...]


def console(hub: WebHub, provider: Provider, claim: str = "", roles: Roles = ()) -> Flask:
    told = OpenIdProvider(provider.issuer, CLIENT, SECRET, "Example ID", claim, roles)
    return create_app(hub, ADMIN_TOKEN, "127.0.0.1", None, Reached(provider=told))


def by_claims(hub: WebHub, provider: Provider) -> Flask:
    provider.claims |= {"preferred_username": "Ann", "groups": ["ops"]}
    return console(hub, provider, "groups", ROLES)


def left(client: FlaskClient, query: str = "") -> str:
    """Leave for the provider; the path at which its browser comes back."""
    sent = client.get(f"/sign-in/elsewhere{query}")
    assert sent.status_code == 302, sent.text
    there = urlsplit(sent.headers["Location"])
    connection = HTTPConnection(there.netloc, timeout=10)
    connection.request("GET", f"{there.path}?{there.query}")
    back = urlsplit(connection.getresponse().headers["Location"])
    connection.close()
    assert back.netloc == "localhost"
    return f"{back.path}?{back.query}"


def signed_in(client: FlaskClient, query: str = "") -> TestResponse:
    return client.get(left(client, query))


def test_claims_let_somebody_in_by_their_role(hub: WebHub, provider: Provider) -> None:
    client = by_claims(hub, provider).test_client()
    assert "Sign in with Example ID" in client.get("/sign-in").text
    answer = signed_in(client, "?next=/rollouts")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/rollouts")
    assert client.get("/audit").status_code == 200
    assert client.get("/settings/people").status_code == 403
    ann = Accounts(hub.catalog, time.time).find("ann")
    assert ann is not None
    assert (ann.subject, ann.role) == (f"{provider.issuer} ann-1", Role.OPERATOR)
    told = [(entry.by, entry.action, entry.subject) for entry in hub.audit.entries()]
    assert told == [
        ("Example ID", "let somebody in", "ann"),
        ("ann", "sign in", "127.0.0.1"),
    ]


def test_another_role_at_the_provider_is_another_one_here(hub: WebHub, provider: Provider) -> None:
    app = by_claims(hub, provider)
    signed_in(app.test_client())
    provider.claims |= {"groups": ["ops", "bosses"], "preferred_username": "renamed"}
    client = app.test_client()
    assert signed_in(client).status_code == 303
    assert client.get("/settings/people").status_code == 200
    assert [p.key for p in Accounts(hub.catalog, time.time).all()] == ["ann"]
    provider.claims["groups"] = ["cooks"]
    assert "gives you no role here" in signed_in(app.test_client()).text


def test_without_claims_an_admin_lets_people_in(hub: WebHub, provider: Provider) -> None:
    app = console(hub, provider)
    refused = signed_in(app.test_client())
    assert refused.status_code == 403
    assert f"--subject &#39;{provider.issuer} ann-1&#39;" in refused.text
    accounts = Accounts(hub.catalog, time.time)
    accounts.add("root", Role.ADMIN)
    assert accounts.add("ann", Role.APPROVER, f"{provider.issuer} ann-1") == ""
    assert signed_in(app.test_client()).status_code == 303
    accounts.disable("ann")
    assert "may not sign in any more" in signed_in(app.test_client()).text


def test_a_name_that_is_somebody_else_s_is_not_taken_over(hub: WebHub, provider: Provider) -> None:
    app = by_claims(hub, provider)
    accounts = Accounts(hub.catalog, time.time)
    accounts.begin()
    provider.claims |= {"preferred_username": "Admin", "groups": ["bosses"]}
    assert "is somebody else&#39;s here" in signed_in(app.test_client()).text
    assert [person.subject for person in accounts.all()] == [""]


def test_groups_may_be_told_by_userinfo_alone(hub: WebHub, provider: Provider) -> None:
    provider.more = {"sub": "ann-1", "preferred_username": "ann", "groups": ["bosses"]}
    app = console(hub, provider, "groups", ROLES)
    Accounts(hub.catalog, time.time).begin()  # one admin stays, whatever the provider says
    client = app.test_client()
    assert signed_in(client).status_code == 303
    assert client.get("/settings/people").status_code == 200
    provider.claims["groups"] = ["ops"]  # what is signed goes before
    client = app.test_client()
    signed_in(client)
    assert client.get("/settings/people").status_code == 403


Lie = Callable[[Provider], object]
LIES: dict[str, Lie] = {
    "another issuer": lambda p: p.claims.update(iss="https://evil.example"),
    "for another client": lambda p: p.claims.update(aud="another"),
    "for another client, passed on": lambda p: p.claims.update(aud="another", azp=CLIENT),
    "of long ago": lambda p: p.claims.update(exp=int(time.time()) - 3_600),
    "without an end": lambda p: p.claims.update(exp=None),
    "of another sign-in": lambda p: p.claims.update(nonce="old"),
    "of no sign-in": lambda p: p.claims.update(nonce=None),
    "of nobody": lambda p: p.claims.update(sub=None),
    "of something": lambda p: p.claims.update(sub=7),
    "signed by another": lambda p: setattr(p, "key", ECKey.generate_key("P-256", {"kid": "first"})),
    "not signed": lambda p: setattr(p, "algorithm", "none"),
    "signed with what all know": lambda p: setattr(p, "algorithm", "HS256"),
    "with somebody else's groups": lambda p: setattr(
        p, "more", {"sub": "root", "groups": ["bosses"]}
    ),
    "no JSON": lambda p: setattr(p, "garbled", "e30.e30.e30"),
    "no token at all": lambda p: setattr(p, "garbled", "nonsense"),
    "no token": lambda p: setattr(p, "gives", False),
    "a role that is a path": lambda p: p.claims.update(groups={"ops": "ops"}),
}


def test_a_false_token_lets_nobody_in(hub: WebHub) -> None:
    for number, (lie, tell) in enumerate(LIES.items(), 1):
        with running() as provider:
            client = by_claims(hub, provider).test_client()
            tell(provider)
            answer = signed_in(client)
        assert answer.status_code == 403, lie
        assert "Traceback" not in answer.text, lie
        assert client.get("/api/v1/status").status_code == 401, lie
        assert Accounts(hub.catalog, time.time).all() == [], lie
        told = [entry.action for entry in hub.audit.entries()]
        assert told == ["sign in: refused"] * number, lie


def test_a_code_is_good_in_the_browser_that_left_and_once(hub: WebHub, provider: Provider) -> None:
    app = by_claims(hub, provider)
    client = app.test_client()
    back = left(client)
    assert app.test_client().get(back).status_code == 403  # of whoever was lured with it
    assert client.get(back.replace("state=", "state=x")).status_code == 403
    assert client.get(back).status_code == 303
    assert client.get(back).status_code == 403
    assert app.test_client().get("/sign-in/back?error=access_denied").status_code == 403


def test_what_the_browser_brings_leads_to_no_other_site(hub: WebHub, provider: Provider) -> None:
    client = by_claims(hub, provider).test_client()
    assert signed_in(client, "?next=//evil.example").headers["Location"] == "/"


@pytest.mark.parametrize(
    "says",
    [
        {"issuer": "https://evil.example"},
        {"authorization_endpoint": None},
        {"issuer": None},
    ],
)
def test_a_provider_that_is_another_one_is_not_gone_to(
    hub: WebHub, provider: Provider, says: dict[str, Any]
) -> None:
    provider.says = says
    answer = by_claims(hub, provider).test_client().get("/sign-in/elsewhere")
    assert answer.status_code == 502
    assert "nobody was let in" in answer.text


def test_a_provider_that_is_away_keeps_nobody_from_the_form(hub: WebHub) -> None:
    away = OpenIdProvider("http://127.0.0.1:9", CLIENT, SECRET)
    app = create_app(hub, ADMIN_TOKEN, "127.0.0.1", None, Reached(provider=away))
    answer = app.test_client().get("/sign-in/elsewhere")
    assert answer.status_code == 502
    assert 'name="password"' in answer.text


def test_a_session_of_the_provider_s_begins_anew(hub: WebHub, provider: Provider) -> None:
    client = by_claims(hub, provider).test_client()
    back = left(client)
    before = client.get_cookie("fleetloop")
    client.get(back)
    after = client.get_cookie("fleetloop")
    assert before is not None
    assert after is not None
    with client.session_transaction() as kept:
        assert not [name for name in kept if name.startswith("_state") or name == "wanted"]
