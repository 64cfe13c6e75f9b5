"""Every route with every role and every token; foreign forms, guessed tokens."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from argon2 import PasswordHasher
from flask import Flask

from fleetloop_hub.people import passwords
from fleetloop_hub.people.tokens import ApiTokens
from fleetloop_hub.people_records import Role
from fleetloop_hub.records import Model
from fleetloop_hub.web import access
from fleetloop_hub.web.app import create_app
from fleetloop_hub.web.audited import ACTIONS
from fleetloop_hub.web.server import WebServer
from fleetloop_hub.web.token_door import GUESSES
from support.hubrecords import START
from support.hubweb import ADMIN_TOKEN, WebHub, fill, web_hub
from support.learnable import SPEC
from support.people_page import filled as filled_page
from support.signing_in import ENDLESS, filled, let_in, proof, routes, signed_in

_REFUSED = {401, 403}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with web_hub(tmp_path) as hub:
        yield hub


@pytest.fixture
def app(hub: WebHub) -> Flask:
    return create_app(hub, ADMIN_TOKEN, "127.0.0.1")


@pytest.fixture
def full(hub: WebHub) -> None:
    """Something at every route."""
    fill(hub)
    text = hub.blobs.put(SPEC.replace('"toy"', '"rain"').encode())
    hub.catalog.put(Model(key="rain", spec=text, floor=0, added_at=START))


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes that take no time; test_people.py has the real ones."""
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(1, 8, 1))


@pytest.mark.usefixtures("full")
def test_every_route_lets_in_whoever_may_and_nobody_else(hub: WebHub, app: Flask) -> None:
    tokens = ApiTokens(hub.catalog, time.time)
    client = app.test_client()
    asking: dict[Role | None, dict[str, str]] = {None: {}} | {
        role: {"Authorization": f"Bearer {tokens.make(role, '', role, 1.0).secret}"}
        for role in Role
    }
    walked = 0
    for rule in app.url_map.iter_rules():
        if rule.endpoint == "static" or rule.rule == ENDLESS:
            continue
        wanted = access.needed(app.view_functions[rule.endpoint])
        for method in (rule.methods or set()) & {"GET", "POST", "PUT", "DELETE"}:
            for role, headers in asking.items():
                with client.open(filled(rule), method=method, headers=headers) as answer:
                    refused = answer.status_code in _REFUSED
                may = wanted is access.PUBLIC or (
                    isinstance(wanted, Role) and role is not None and role.covers(wanted)
                )
                named = f"{method} {rule.rule} as {role}"
                if may and rule.endpoint not in {"enrolling.enrol", "sign_in.enter"}:
                    assert not refused, named
                elif not may:
                    assert refused, named
                walked += 1
    assert walked > 300


def test_a_token_that_is_over_revoked_or_foreign_opens_no_route(hub: WebHub, app: Flask) -> None:
    tokens = ApiTokens(hub.catalog, time.time)
    over = ApiTokens(hub.catalog, lambda: time.time() - 100_000).make("x", "", Role.ADMIN, 1.0)
    revoked = tokens.make("y", "", Role.ADMIN, 1.0)
    tokens.revoke(revoked.token.key)
    client = app.test_client()
    wrong = [over.secret, revoked.secret, "flt_guessed", ADMIN_TOKEN + "x", ""]
    for number, (method, rule) in enumerate(routes(app)):
        for secret in wrong:
            answer = client.open(
                filled(rule),
                method=method,
                headers={"Authorization": f"Bearer {secret}"},
                environ_overrides={"REMOTE_ADDR": f"10.0.{number >> 8}.{number & 255}"},
            )
            assert answer.status_code == 401, f"{method} {rule.rule} with {secret!r}"
    assert hub.actions.asked == []


def test_a_post_of_another_site_is_refused_at_every_route(hub: WebHub, app: Flask) -> None:
    let_in(hub, "ann", Role.ADMIN)
    client = signed_in(app, "ann")
    before = len(hub.audit.entries())
    for method, rule in routes(app):
        if method != "GET" and rule.endpoint != "enrolling.enrol":  # devices have no session
            assert client.open(filled(rule), method=method).status_code == 400, rule.rule
    assert client.get("/api/v1/status").status_code == 200  # not signed out either
    assert len(hub.audit.entries()) == before
    assert hub.actions.asked == []


def test_tokens_cannot_be_guessed_at_will(hub: WebHub, app: Flask) -> None:
    tokens = ApiTokens(hub.catalog, time.time)
    good, new = (tokens.make(name, "", Role.VIEWER, 1.0).secret for name in ("good", "new"))

    def asked_with(secret: str, where: str = "10.1.2.3") -> int:
        return (
            app.test_client()
            .get(
                "/api/v1/status",
                headers={"Authorization": f"Bearer {secret}"},
                environ_overrides={"REMOTE_ADDR": where},
            )
            .status_code
        )

    assert asked_with(good) == 200
    told = [asked_with(f"flt_guess{number}") for number in range(GUESSES + 2)]
    assert told == [401] * GUESSES + [429] * 2
    assert asked_with(new) == 429  # although it would be right
    assert asked_with(new, "10.1.2.4") == 200
    assert asked_with(good) == 200  # whoever was let in before goes on


def test_one_network_of_ipv6_is_one_source(hub: WebHub, app: Flask) -> None:
    told = [
        app.test_client()
        .get(
            "/api/v1/status",
            headers={"Authorization": "Bearer x"},
            environ_overrides={"REMOTE_ADDR": f"2001:db8::{number:x}"},
        )
        .status_code
        for number in range(GUESSES + 1)
    ]
    assert told[-1] == 429


def test_only_the_proxy_says_where_somebody_comes_from(hub: WebHub, app: Flask) -> None:
    let_in(hub, "ann", Role.ADMIN)
    for proxy, source in (("127.0.0.1", "203.0.113.9"), ("192.0.2.1", "127.0.0.1")):
        server = WebServer("127.0.0.1", 0)
        server.start(app, proxy)
        try:
            asked = Request(  # noqa: S310  # an address of our own
                f"{server.url}/api/v1/status",
                headers={"X-Forwarded-For": "198.51.100.1, 203.0.113.9", "Authorization": "Bearer"},
            )
            for _ in range(GUESSES):
                with pytest.raises(HTTPError, match="401"):
                    urlopen(asked)  # noqa: S310  # the same
            with pytest.raises(HTTPError) as told:
                urlopen(asked)  # noqa: S310  # the same
            assert f"from {source}" in told.value.read().decode()
        finally:
            server.stop()


def test_what_is_done_is_done_in_ones_own_name(hub: WebHub, app: Flask) -> None:
    tokens = ApiTokens(hub.catalog, time.time)
    headers = {"Authorization": f"Bearer {tokens.make('ci', '', Role.OPERATOR, 1.0).secret}"}
    body = {"model": "rain", "by": "somebody else", "reason": "new rows"}
    headers["Fleetloop-By"] = "somebody else"
    assert app.test_client().post("/api/v1/runs", json=body, headers=headers).status_code == 201
    assert hub.actions.asked == [("train", "rain", "person", "new rows", "token ci")]
    assert hub.audit.entries()[-1].by == "token ci"


def test_a_token_may_do_no_more_than_whoever_makes_it(hub: WebHub, app: Flask) -> None:
    let_in(hub, "ann", Role.OPERATOR)
    client = signed_in(app, "ann")
    form = {"name": "ci", "days": "30", "csrf_token": proof(client, "/settings/tokens")}
    assert client.post("/settings/tokens", data=form | {"role": "admin"}).status_code == 409
    shown = client.post("/settings/tokens", data=form | {"role": "operator"}).text
    found = re.search(r"flt_[\w-]{43}", shown)
    assert found is not None
    headers = {"Authorization": f"Bearer {found[0]}"}
    assert app.test_client().get("/api/v1/status", headers=headers).status_code == 200
    ask = {"name": "more"}
    assert (
        app.test_client().post("/api/v1/api-tokens", json=ask, headers=headers).status_code == 409
    )


def test_the_page_tells_who_may_do_what(app: Flask, request: pytest.FixtureRequest) -> None:
    page = (request.config.rootpath / "docs" / "people.md").read_text("utf-8")
    assert page == filled_page(page, app), "write it anew with `make docs`"


def test_a_page_asks_for_the_same_role_as_the_interface_for_the_same_deed(app: Flask) -> None:
    roles: dict[str, set[object]] = {}
    for endpoint, deed in ACTIONS.items():
        if (view := app.view_functions.get(endpoint)) is not None:
            roles.setdefault(deed, set()).add(access.needed(view))
    assert len(roles) > 20
    assert {deed: found for deed, found in roles.items() if len(found) > 1} == {}
