"""Every route with every role; forged cookies, foreign forms, guessed passwords and tokens."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from fleetloop_hub.people.accounts import Accounts
from fleetloop_hub.people.tokens import ApiTokens
from fleetloop_hub.people_records import Role
from fleetloop_hub.records import Model
from fleetloop_hub.web import access
from fleetloop_hub.web.app import Reached, create_app
from support.hubrecords import START
from support.hubweb import ADMIN_TOKEN, WebHub, fill, problem, web_hub
from support.learnable import SPEC

PASSWORD = "correct horse battery"
_ENDLESS = "/events/stream"
_REFUSED = {401, 403}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with web_hub(tmp_path) as hub:
        fill(hub)
        text = hub.blobs.put(SPEC.replace('"toy"', '"rain"').encode())
        hub.catalog.put(Model(key="rain", spec=text, floor=0, added_at=START))
        yield hub


@pytest.fixture
def app(hub: WebHub) -> Flask:
    return create_app(hub, ADMIN_TOKEN, "127.0.0.1")


def let_in(hub: WebHub, name: str, role: Role) -> None:
    accounts = Accounts(hub.catalog, time.time)
    accounts.change_password(name, accounts.add(name, role), PASSWORD)


def proof(client: FlaskClient, path: str = "/sign-in") -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(path).text)
    assert found is not None
    return found[1]


def signed_in(app: Flask, name: str, password: str = PASSWORD) -> FlaskClient:
    client = app.test_client()
    form = {"name": name, "password": password, "csrf_token": proof(client)}
    assert client.post("/sign-in", data=form).status_code == 303
    return client


def filled(rule: Rule) -> str:
    return re.sub(r"<(?:int:)?[^>]+>", lambda m: "1" if "int:" in m[0] else "rain", rule.rule)


def test_every_route_lets_in_whoever_may_and_nobody_else(hub: WebHub, app: Flask) -> None:
    tokens = ApiTokens(hub.catalog, time.time)
    client = app.test_client()
    asking: dict[Role | None, dict[str, str]] = {None: {}} | {
        role: {"Authorization": f"Bearer {tokens.make(role, '', role, 1.0).secret}"}
        for role in Role
    }
    walked = 0
    for rule in app.url_map.iter_rules():
        if rule.endpoint == "static" or rule.rule == _ENDLESS:
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


def test_a_token_that_is_over_revoked_or_foreign_opens_nothing(hub: WebHub, app: Flask) -> None:
    tokens = ApiTokens(hub.catalog, time.time)
    over = ApiTokens(hub.catalog, lambda: time.time() - 100_000).make("x", "", Role.ADMIN, 1.0)
    revoked = tokens.make("y", "", Role.ADMIN, 1.0)
    tokens.revoke(revoked.token.key)
    for secret in (over.secret, revoked.secret, "flt_guessed", ADMIN_TOKEN + "x", ""):
        headers = {"Authorization": f"Bearer {secret}"}
        problem(app.test_client().get("/api/v1/status", headers=headers), 401)


def test_whoever_signs_in_is_led_to_the_page_they_wanted(hub: WebHub, app: Flask) -> None:
    let_in(hub, "ann", Role.OPERATOR)
    client = app.test_client()
    asked = client.get("/rollouts?state=done", headers={"Accept": "text/html"})
    assert asked.headers["Location"] == "/sign-in?next=%2Frollouts%3Fstate%3Ddone"
    form = {"name": "ann", "password": PASSWORD, "csrf_token": proof(client)}
    answer = client.post("/sign-in", data=form | {"next": "/rollouts?state=done"})
    assert answer.headers["Location"] == "/rollouts?state=done"
    assert "ann" in client.get("/rollouts").text


@pytest.mark.parametrize(
    "next_",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/a\nb",
        "",
    ],
)
def test_signing_in_leads_to_no_other_site(hub: WebHub, app: Flask, next_: str) -> None:
    let_in(hub, "ann", Role.VIEWER)
    client = app.test_client()
    form = {"name": "ann", "password": PASSWORD, "csrf_token": proof(client), "next": next_}
    assert client.post("/sign-in", data=form).headers["Location"] == "/"


def test_a_one_time_password_is_changed_before_anything_else(hub: WebHub, app: Flask) -> None:
    password = Accounts(hub.catalog, time.time).begin() or ""
    client = signed_in(app, "admin", password)
    assert client.get("/rollouts").headers["Location"] == "/account"
    problem(client.get("/api/v1/status"), 403)
    form = {"old": password, "new": PASSWORD, "again": PASSWORD}
    token = proof(client, "/account")
    assert client.post("/account/password", data=form | {"csrf_token": token}).status_code == 303
    assert client.get("/rollouts").status_code == 200
    assert all(PASSWORD not in entry.details.values() for entry in hub.audit.entries())


def test_a_form_of_another_site_does_nothing(hub: WebHub, app: Flask) -> None:
    let_in(hub, "ann", Role.OPERATOR)
    client = signed_in(app, "ann")
    form = {"reason": "because"}
    for path, body in (("/rollouts/rollout-1/pause", form), ("/sign-out", {})):
        assert client.post(path, data=body).status_code == 400, path
        forged = body | {"csrf_token": "forged"}
        assert client.post(path, data=forged).status_code == 400, path
    foreign = proof(app.test_client())
    answer = client.post("/rollouts/rollout-1/pause", data=form | {"csrf_token": foreign})
    assert answer.status_code == 400
    problem(client.post("/api/v1/runs", json={"model": "rain"}), 400)
    assert hub.actions.asked == []
    ours = form | {"csrf_token": proof(client, "/rollouts/rollout-1")}
    assert client.post("/rollouts/rollout-1/pause", data=ours).status_code == 303
    assert hub.actions.asked[0][2] == "pause by ann: because"


def test_what_is_done_is_done_in_ones_own_name(hub: WebHub, app: Flask) -> None:
    tokens = ApiTokens(hub.catalog, time.time)
    headers = {"Authorization": f"Bearer {tokens.make('ci', '', Role.OPERATOR, 1.0).secret}"}
    body = {"model": "rain", "by": "somebody else", "reason": "new rows"}
    headers["Fleetloop-By"] = "somebody else"
    assert app.test_client().post("/api/v1/runs", json=body, headers=headers).status_code == 201
    assert hub.actions.asked == [("train", "rain", "person", "new rows", "token ci")]
    assert hub.audit.entries()[-1].by == "token ci"


def test_a_cookie_is_hidden_from_scripts_and_bound_to_its_key(hub: WebHub, app: Flask) -> None:
    let_in(hub, "ann", Role.ADMIN)
    client = app.test_client()
    form = {"name": "ann", "password": PASSWORD, "csrf_token": proof(client)}
    told = client.post("/sign-in", data=form).headers["Set-Cookie"]
    assert "HttpOnly" in told
    assert "SameSite=Lax" in told
    cookie = client.get_cookie("fleetloop")
    assert cookie is not None
    elsewhere = create_app(hub, ADMIN_TOKEN, "127.0.0.1").test_client()
    for forged in (cookie.value, cookie.value[:-2] + "xx", "eyJfdXNlcl9pZCI6ImFubiAxIn0.x.y", "x"):
        elsewhere.set_cookie("fleetloop", forged)
        problem(elsewhere.get("/api/v1/status"), 401)


def test_over_tls_the_cookie_goes_over_nothing_else(hub: WebHub) -> None:
    app = create_app(hub, ADMIN_TOKEN, "127.0.0.1", None, Reached(url="https://hub.example"))
    client = app.test_client()
    told = client.get("/sign-in", headers={"Host": "hub.example"}).headers["Set-Cookie"]
    assert told.startswith("__Host-fleetloop=")
    assert "Secure" in told
    assert client.get("/sign-in", headers={"Host": "evil.example"}).status_code == 421


def test_signing_out_ends_the_session_also_for_a_copied_cookie(hub: WebHub, app: Flask) -> None:
    let_in(hub, "ann", Role.ADMIN)
    client, thief = signed_in(app, "ann"), app.test_client()
    cookie = client.get_cookie("fleetloop")
    assert cookie is not None
    thief.set_cookie("fleetloop", cookie.value)
    assert thief.get("/api/v1/status").status_code == 200
    token = proof(client, "/account")
    assert client.post("/sign-out", data={"csrf_token": token}).status_code == 303
    problem(thief.get("/api/v1/status"), 401)


def test_a_session_ends_with_the_role_the_password_or_the_account(hub: WebHub, app: Flask) -> None:
    let_in(hub, "root", Role.ADMIN)
    let_in(hub, "ann", Role.ADMIN)
    accounts = Accounts(hub.catalog, time.time)
    ends: list[Callable[[], object]] = [
        lambda: accounts.set_role("ann", Role.OPERATOR),
        lambda: accounts.change_password("ann", PASSWORD, PASSWORD + "2"),
        lambda: accounts.disable("ann"),
    ]
    for end in ends:
        password = PASSWORD if accounts.sign_in("ann", PASSWORD) else PASSWORD + "2"
        client = signed_in(app, "ann", password)
        assert client.get("/api/v1/status").status_code == 200
        end()
        problem(client.get("/api/v1/status"), 401)


def test_passwords_cannot_be_guessed_at_will(hub: WebHub, app: Flask) -> None:
    let_in(hub, "ann", Role.ADMIN)
    client = app.test_client()
    form = {"name": "ann", "password": "wrong", "csrf_token": proof(client)}
    told = [client.post("/sign-in", data=form).status_code for _ in range(12)]
    assert told == [401] * 10 + [429] * 2
    form["password"] = PASSWORD
    assert client.post("/sign-in", data=form).status_code == 429
    assert [e.action for e in hub.audit.entries()].count("sign in: refused") == 10


def test_somebody_is_let_in_and_their_password_shown_once(hub: WebHub, app: Flask) -> None:
    let_in(hub, "root", Role.ADMIN)
    client = signed_in(app, "root")
    form = {"name": "bob", "role": "viewer", "csrf_token": proof(client, "/settings/people")}
    shown = client.post("/settings/people", data=form).text
    found = re.search(r"([a-z2-9]{5}(?:-[a-z2-9]{5}){3})", shown)
    assert found is not None
    assert found[1] not in client.get("/settings/people").text
    assert Accounts(hub.catalog, time.time).sign_in("bob", found[1]) is not None


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
