"""The API of alerts, silences and channels: what it does, who may, what it never tells."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from msgspec.structs import replace

from fleetloop_hub.alert_records import AlertKind, AlertState, Channel, Silence
from fleetloop_hub.people_records import Role
from fleetloop_hub.web import access
from support.alerted import an_alert
from support.hubweb import ADMIN, WebHub, problem, web_hub
from support.receivers import SECRET, a_notice, a_webhook, receiver

API = "/api/v1"
WORD = {"by": "ann", "reason": "on my way"}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with web_hub(tmp_path) as hub:
        yield hub


@pytest.fixture
def client(hub: WebHub) -> FlaskClient:
    return hub.client()


def get(client: FlaskClient, path: str) -> Any:  # noqa: ANN401  # JSON
    answer = client.get(f"{API}{path}", headers=ADMIN)
    assert answer.status_code == 200, answer.data
    return json.loads(answer.data)


def post(client: FlaskClient, path: str, body: object, status: int = 200) -> Any:  # noqa: ANN401  # JSON
    answer = client.post(f"{API}{path}", json=body, headers=ADMIN)
    assert answer.status_code == status, answer.data
    return json.loads(answer.data)


def test_alerts_are_listed_open_ones_first_and_filtered(hub: WebHub, client: FlaskClient) -> None:
    closed = an_alert("old", state=AlertState.CLOSED)
    hub.catalog.put(closed, an_alert(), an_alert("snow", state=AlertState.ACKNOWLEDGED))
    assert [a["subject"] for a in get(client, "/alerts")["alerts"]] == ["rain", "snow", "old"]
    standing = get(client, "/alerts?state=standing")["alerts"]
    assert [a["subject"] for a in standing] == ["rain", "snow"]
    assert [a["subject"] for a in get(client, "/alerts?subject=old&kind=run-failed")["alerts"]] == [
        "old"
    ]
    assert get(client, "/alerts?kind=drift")["alerts"] == []
    first = get(client, "/alerts?limit=2")
    rest = get(client, f"/alerts?limit=2&cursor={first['next']}")
    assert [a["subject"] for a in rest["alerts"]] == ["old"]
    assert not {"owed", "heard"} & set(standing[0])


def test_a_query_that_means_nothing_is_refused(client: FlaskClient) -> None:
    for query in ("state=odd", "kind=odd", "kind=drift&kind=drift", "x=1"):
        problem(client.get(f"{API}/alerts?{query}"), 400)


def test_an_alert_is_acknowledged_by_name_and_logged(hub: WebHub, client: FlaskClient) -> None:
    hub.catalog.put(an_alert())
    key = an_alert().key
    told = post(client, f"/alerts/{key}/acknowledge", WORD)
    assert (told["state"], told["acknowledged_by"]) == ("acknowledged", "ann")
    (deed,) = hub.audit.entries()
    assert (deed.action, deed.by, deed.reason) == ("acknowledge an alert", "ann", "on my way")
    problem(client.post(f"{API}/alerts/none/acknowledge", json=WORD, headers=ADMIN), 404)
    hub.catalog.put(an_alert(state=AlertState.CLOSED))
    problem(client.post(f"{API}/alerts/{key}/acknowledge", json=WORD, headers=ADMIN), 409)


def test_a_silence_holds_until_it_is_over_or_ended(hub: WebHub, client: FlaskClient) -> None:
    hub.catalog.put(an_alert())
    ask = {"kind": "run-failed", "subject": "rain", "for_s": 60, **WORD}
    made = post(client, "/silences", ask, 201)
    assert made["until"] == pytest.approx(time.time() + 60, abs=30)
    assert get(client, "/alerts")["alerts"][0]["silenced"]
    assert [s["key"] for s in get(client, "/silences")["silences"]] == [made["key"]]
    post(client, f"/silences/{made['key']}/end", WORD)
    assert get(client, "/silences")["silences"] == []
    answer = client.post(f"{API}/silences/{made['key']}/end", json=WORD, headers=ADMIN)
    problem(answer, 404)


def test_a_silence_of_no_time_or_for_ever_is_refused(hub: WebHub, client: FlaskClient) -> None:
    for for_s in (0, -1, 1e12, "soon", None):
        ask = {"for_s": for_s, **WORD}
        problem(client.post(f"{API}/silences", json=ask, headers=ADMIN), 400)
    assert hub.catalog.all(Silence) == []


def test_each_needs_its_role(hub: WebHub, client: FlaskClient) -> None:
    app = client.application
    roles = {
        name: access.needed(view)
        for name, view in app.view_functions.items()
        if "alerts" in name or "channels" in name
    }
    assert roles == roles | {
        "reading_alerts.alerts": Role.VIEWER,
        "reading_alerts.alert": Role.VIEWER,
        "reading_alerts.silences": Role.VIEWER,
        "changing_alerts.acknowledge": Role.OPERATOR,
        "changing_alerts.silence": Role.OPERATOR,
        "changing_alerts.end": Role.OPERATOR,
        "reading_channels.channels": Role.OPERATOR,
        "reading_channels.dead": Role.OPERATOR,
        "changing_channels.again": Role.OPERATOR,
        "changing_channels.add": Role.ADMIN,
        "changing_channels.remove": Role.ADMIN,
        "changing_channels.attempt": Role.ADMIN,
    }


def test_a_channel_shows_its_secret_once_and_the_log_has_none(
    hub: WebHub, client: FlaskClient
) -> None:
    url = "https://example.org/hook/token"
    made = post(client, "/channels", {"name": "ops", "kind": "webhook", "url": url}, 201)
    mail = {"name": "mail", "kind": "email", "host": "mail.example.org", "to": ["ann@example.org"]}
    mail |= {"sender": "hub@example.org", "username": "hub", "password": "secret word"}
    post(client, "/channels", mail, 201)
    assert made["secret"].startswith("whsec_")
    shown = json.dumps(get(client, "/channels"))
    logged = json.dumps([[e.details, e.subject, e.reason] for e in hub.audit.entries()])
    for hidden in (made["secret"], "token", "secret word"):
        assert hidden not in shown
        assert hidden not in logged
    assert [c["name"] for c in get(client, "/channels")["channels"]] == ["mail", "ops"]
    post(client, "/channels/ops/remove", {"by": "ann"})
    assert [c["name"] for c in get(client, "/channels")["channels"]] == ["mail"]


def test_a_channel_that_cannot_work_is_refused_without_its_secret(
    hub: WebHub, client: FlaskClient
) -> None:
    ask = {"name": "ops", "kind": "webhook", "url": "https://h/", "secret": "open sesame"}
    told = problem(client.post(f"{API}/channels", json=ask, headers=ADMIN), 409)
    assert "open sesame" not in told["detail"]
    assert hub.catalog.all(Channel) == []


def test_a_channel_is_tested_and_its_dead_letters_are_sent_again(
    hub: WebHub, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fleetloop_hub.notifying.queue.MOST_TRIES", 1)
    with receiver() as good, receiver(500) as bad:
        hub.catalog.put(a_webhook(good.url), a_webhook(bad.url, "bad"))
        post(client, "/channels/ops/test", {"by": "ann"})
        assert len(good.got) == 1
        refused = client.post(f"{API}/channels/bad/test", json={}, headers=ADMIN)
        assert "500" in problem(refused, 409)["detail"]
        hub.queue.put(a_notice(), ["bad"], time.time())
        hub.notifier.step()
    (letter,) = get(client, "/dead-letters")["letters"]
    assert (letter["channel"], "500" in letter["error"]) == ("bad", True)
    assert post(client, "/channels/bad/again", {"id": letter["id"]}) == {"count": 1}
    assert get(client, "/dead-letters")["letters"] == []


def test_what_strangers_have_said_in_an_alert_is_told_as_it_is(
    hub: WebHub, client: FlaskClient
) -> None:
    hub.catalog.put(replace(an_alert(), text='<script>alert("x")</script>'))
    assert get(client, "/alerts")["alerts"][0]["text"] == '<script>alert("x")</script>'
    assert SECRET not in json.dumps(get(client, f"/alerts?kind={AlertKind.RUN_FAILED}"))
