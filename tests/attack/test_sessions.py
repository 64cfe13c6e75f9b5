"""Sessions attacked: forged cookies, foreign forms, guessed passwords, other sites."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from flask import Flask

from fleetloop_hub.people import passwords
from fleetloop_hub.people.accounts import IDLE_S, Accounts
from fleetloop_hub.people_records import Role
from fleetloop_hub.web.app import Reached, create_app
from support.hubweb import ADMIN_TOKEN, WebHub, fill, problem, web_hub
from support.signing_in import PASSWORD, let_in, proof, signed_in


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with web_hub(tmp_path) as hub:
        yield hub


@pytest.fixture
def app(hub: WebHub) -> Flask:
    return create_app(hub, ADMIN_TOKEN, "127.0.0.1")


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes that take no time; test_people.py has the real ones."""
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(1, 8, 1))


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
    fill(hub)
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
    ours = form | {"csrf_token": proof(client, "/account")}
    assert client.post("/rollouts/rollout-1/pause", data=ours).status_code == 303
    assert hub.actions.asked[0][2] == "pause by ann: because"


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


def test_a_page_that_asks_by_itself_does_not_keep_a_session_alive(
    hub: WebHub, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_in(hub, "ann", Role.ADMIN)
    client = signed_in(app, "ann")
    start = time.time()
    for passed_s, headers, status in (
        (IDLE_S - 60, {"HX-Request": "true"}, 200),
        (IDLE_S - 30, {}, 200),
        (2 * IDLE_S - 60, {"HX-Request": "true"}, 200),
        (2 * IDLE_S - 10, {}, 401),
    ):
        monkeypatch.setattr("fleetloop_hub.web.sessions.time.time", lambda at=start + passed_s: at)
        assert client.get("/api/v1/status", headers=headers).status_code == status, passed_s


def test_a_session_ends_after_half_a_day_whatever_is_done(
    hub: WebHub, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_in(hub, "ann", Role.ADMIN)
    client = signed_in(app, "ann")
    start = time.time()
    for hour in range(1, 13):
        at = start + hour * 3_600 - 60
        monkeypatch.setattr("fleetloop_hub.web.sessions.time.time", lambda at=at: at)
        assert client.get("/api/v1/status").status_code == 200, hour
    monkeypatch.setattr("fleetloop_hub.web.sessions.time.time", lambda: start + 12 * 3_600 + 60)
    assert client.get("/api/v1/status").status_code == 401


def test_the_old_password_cannot_be_guessed_with_a_stolen_session(hub: WebHub, app: Flask) -> None:
    let_in(hub, "ann", Role.ADMIN)
    client = signed_in(app, "ann")
    form = {"old": "wrong", "new": PASSWORD + "2", "again": PASSWORD + "2"}
    form["csrf_token"] = proof(client, "/account")
    told = [client.post("/account/password", data=form).status_code for _ in range(11)]
    assert told == [409] * 10 + [429]


def test_the_audit_log_is_filtered_and_exported_without_formulas(hub: WebHub, app: Flask) -> None:
    let_in(hub, "ann", Role.OPERATOR)
    client = app.test_client()
    form = {"name": "=cmd|1", "password": "wrong", "csrf_token": proof(client)}
    assert client.post("/sign-in", data=form).status_code == 401
    client = signed_in(app, "ann")
    told = client.get("/audit?action=refused&format=csv").text.splitlines()
    assert told[0].startswith("number,at,by,action,subject,reason,details,hash")
    assert [line.split(",")[2] for line in told[1:]] == ["'=cmd|1"]
    for query, count in (("action=REFUSED", 1), ("by=ann", 1), ("by=ann&action=refused", 0)):
        assert len(client.get(f"/api/v1/audit?{query}").json["entries"]) == count, query  # type: ignore[index]  # it is JSON


def test_a_damaged_audit_log_is_told_not_shown(hub: WebHub, app: Flask, tmp_path: Path) -> None:
    let_in(hub, "ann", Role.OPERATOR)
    client = signed_in(app, "ann")
    [log] = tmp_path.rglob("audit.jsonl")
    log.write_bytes(log.read_bytes().replace(b'"ann"', b'"bob"'))
    answer = client.get("/audit", headers={"Accept": "text/html"})
    assert answer.status_code == 500
    assert "changed or damaged" in answer.text
    assert "bob" not in answer.text
