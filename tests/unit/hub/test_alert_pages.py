"""The pages of alerts and channels: what they show, what they do, what they never show."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from msgspec.structs import replace

from fleetloop_hub.alert_records import Alert, AlertState, Channel, Silence
from fleetloop_hub.alerting import changes
from fleetloop_hub.people_records import Role
from fleetloop_hub.web.app import create_app
from support.alerted import an_alert
from support.hubrecords import START
from support.hubweb import ADMIN_TOKEN, WebHub, web_hub
from support.receivers import SECRET, a_notice, a_webhook, an_email, receiver

KEY = an_alert().key
WHY = {"reason": "on my way"}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with web_hub(tmp_path) as hub:
        yield hub


@pytest.fixture
def admin(hub: WebHub) -> FlaskClient:
    return create_app(hub, ADMIN_TOKEN, "127.0.0.1", Role.ADMIN).test_client()


def text(client: FlaskClient, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, answer.text
    return answer.text


def test_what_stands_is_shown_first_and_filters_stand_in_the_address(
    hub: WebHub, admin: FlaskClient
) -> None:
    assert "Nothing wants attention" in text(admin, "/alerts")
    hub.catalog.put(an_alert(), an_alert("old", state=AlertState.CLOSED))
    shown = text(admin, "/alerts")
    assert f"/alerts/{KEY}" in shown
    assert "Run failed: old" not in shown
    assert "Run failed: old" in text(admin, "/alerts?state=")
    assert "Run failed: old" in text(admin, "/alerts?state=closed&kind=run-failed")
    assert "No alert is as asked for; 1 stand" in text(admin, "/alerts?kind=drift")
    assert f"/alerts/{KEY}" in text(admin, "/alerts?state=odd&kind=odd")


def test_an_alert_is_acknowledged_and_silenced_on_its_page(hub: WebHub, admin: FlaskClient) -> None:
    hub.catalog.put(an_alert())
    assert "I see to it" in text(admin, f"/alerts/{KEY}")
    answer = admin.post(f"/alerts/{KEY}/acknowledge", data=WHY)
    assert (answer.status_code, answer.location) == (303, f"/alerts/{KEY}")
    shown = text(admin, f"/alerts/{KEY}")
    assert "on my way" in shown
    assert "I see to it" not in shown
    silence = {"kind": "run-failed", "subject": "rain", "hours": "2", **WHY}
    assert admin.post("/silences", data=silence).status_code == 303
    (made,) = hub.catalog.all(Silence)
    assert (made.until - made.made_at, made.subject) == (7_200, "rain")
    assert "Silenced" in text(admin, f"/alerts/{KEY}")
    assert admin.post(f"/silences/{made.key}/end", data=WHY).status_code == 303
    assert "Channels are told of every alert" in text(admin, "/alerts")
    actions = [entry.action for entry in hub.audit.entries()]
    assert actions == ["acknowledge an alert", "silence alerts", "end a silence"]


def test_a_silence_of_no_time_or_for_ever_is_refused(hub: WebHub, admin: FlaskClient) -> None:
    for hours in ("0", "-1", "1e9", "nan", "soon", ""):
        answer = admin.post("/silences", data={"hours": hours, **WHY})
        assert answer.status_code in {409, 422}, hours
    assert hub.catalog.all(Silence) == []


def test_an_alert_that_is_not_there_is_said_so(admin: FlaskClient) -> None:
    text(admin, "/alerts/none", 404)


def test_who_may_only_read_is_offered_nothing_to_do(hub: WebHub) -> None:
    hub.catalog.put(an_alert())
    viewer = hub.client()
    for path in ("/alerts", f"/alerts/{KEY}"):
        assert '<form method="post"' not in text(viewer, path)
    assert viewer.get("/settings/channels").status_code in {401, 403}


def test_what_strangers_say_is_shown_and_not_run(hub: WebHub, admin: FlaskClient) -> None:
    evil = "<script>alert(1)</script>"
    hub.catalog.put(replace(an_alert(), text=evil, subject=evil, names=[evil]))
    for path in ("/alerts", f"/alerts/{KEY}"):
        shown = text(admin, path)
        assert evil not in shown
        assert "&lt;script&gt;" in shown


def test_alerts_are_exported_and_no_cell_is_a_formula(hub: WebHub, admin: FlaskClient) -> None:
    hub.catalog.put(replace(an_alert(), text="=HYPERLINK(1)"))
    exported = text(admin, "/alerts?format=csv")
    assert exported.splitlines()[0].startswith("key,kind,subject,level,state")
    assert "'=HYPERLINK(1)" in exported
    told = admin.get("/alerts?format=json").get_json()
    assert told["alerts"][0]["text"] == "=HYPERLINK(1)"


def test_a_page_follows_alerts_as_they_change(hub: WebHub, admin: FlaskClient) -> None:
    hub.catalog.put(an_alert())
    part = admin.get("/alerts", headers={"HX-Request": "true"}).text
    assert KEY in part
    assert "<html" not in part
    assert 'data-topics="alerts"' in text(admin, "/alerts")


def test_a_webhook_is_added_and_its_secret_is_on_one_answer_only(
    hub: WebHub, admin: FlaskClient
) -> None:
    form = {"kind": "webhook", "name": "ops", "url": "https://example.org/hook/token"}
    answer = admin.post("/settings/channels", data=form | {"only": "drift", "level": "bad"})
    found = hub.catalog.find(Channel, "ops")
    assert found is not None
    assert (found.kinds, found.level, found.private) == (["drift"], "bad", False)
    assert found.secret in answer.text
    shown = text(admin, "/settings/channels")
    assert found.secret not in shown
    assert "token" not in shown.replace("csrf_token", "").replace("/settings/tokens", "")
    assert "https://example.org" in shown
    assert found.secret not in str(hub.audit.entries())
    refused = admin.post("/settings/channels/ops/remove", data={"confirm": "other"})
    assert refused.status_code == 422
    assert admin.post("/settings/channels/ops/remove", data={"confirm": "ops"}).status_code == 303
    assert "Alerts are told nowhere" in text(admin, "/settings/channels")


def test_e_mail_is_added_with_a_password_that_is_never_shown(
    hub: WebHub, admin: FlaskClient
) -> None:
    form = {"kind": "email", "name": "people", "to": "a@example.org, b@example.org"}
    form |= {"sender": "hub@example.org", "host": "mail.example.org", "port": "465"}
    form |= {"security": "tls", "username": "hub", "password": "secret word", "private": "true"}
    assert admin.post("/settings/channels", data=form).status_code == 303
    found = hub.catalog.find(Channel, "people")
    assert found is not None
    assert found.mail is not None
    assert (found.mail.to, found.mail.port) == (["a@example.org", "b@example.org"], 465)
    shown = text(admin, "/settings/channels")
    assert "a@example.org, b@example.org by mail.example.org:465" in shown
    assert "secret word" not in shown + str(hub.audit.entries())


def test_a_channel_that_cannot_work_is_refused_with_a_page(hub: WebHub, admin: FlaskClient) -> None:
    form = {"kind": "webhook", "name": "ops", "url": "http://10.0.0.1/"}
    answer = admin.post("/settings/channels", data=form, headers={"Accept": "text/html"})
    assert (answer.status_code, "https://HOST/PATH" in answer.text) == (409, True)
    assert hub.catalog.all(Channel) == []


def test_a_channel_is_tested_and_dead_letters_are_sent_again(
    hub: WebHub, admin: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fleetloop_hub.notifying.queue.MOST_TRIES", 1)
    with receiver() as good, receiver(500) as bad:
        hub.catalog.put(a_webhook(good.url), a_webhook(bad.url, "bad"), an_email(25))
        assert admin.post("/settings/channels/ops/test").status_code == 303
        assert len(good.got) == 1
        assert admin.post("/settings/channels/bad/test").status_code == 409
        hub.queue.put(a_notice(), ["bad"], time.time())
        hub.notifier.step()
    shown = text(admin, "/settings/channels")
    assert "answers 500" in shown
    assert "Send 1 dead letter again" in shown
    assert SECRET not in shown
    assert admin.post("/settings/channels/bad/again").status_code == 303
    assert "Every notice was taken" in text(admin, "/settings/channels")


def test_a_closed_alert_tells_when_it_stood(hub: WebHub, admin: FlaskClient) -> None:
    hub.catalog.put(changes.closed(an_alert(), START + 90))
    shown = text(admin, f"/alerts/{KEY}")
    assert "When it stood before" in shown
    assert hub.catalog.all(Alert)[0].past[0].text in shown
    assert "What you can do" not in shown
