"""`fleetloop alerts` and `fleetloop channels`, against a hub that listens."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetloop_hub.alert_records import Alert, AlertState, Channel, Silence
from support.alerted import an_alert
from support.commands import Run, listening_hub, runner
from support.hubrecords import START
from support.hubweb import WebHub
from support.receivers import a_notice, a_webhook, an_email, mail_server, receiver

KEY = an_alert().key


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with listening_hub(tmp_path) as hub:
        yield hub


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    return runner(monkeypatch, capsys, tmp_path)


def test_alerts_are_listed_shown_and_acknowledged(hub: WebHub, run: Run) -> None:
    assert "Nothing wants attention" in run("alerts", "list").out
    hub.catalog.put(an_alert(), an_alert("old", state=AlertState.CLOSED))
    said = run("alerts", "list").out
    assert KEY in said
    assert "run run-1 has failed" in said
    assert "old" not in said
    assert "old" in run("alerts", "list", "--all").out
    assert "Nothing" in run("alerts", "list", "--kind", "drift").out
    said = run("alerts", "acknowledge", KEY, "--reason", "on my way", "--by", "ann").out
    assert f"{KEY} is acknowledged by ann." in said
    assert "seen to   by ann: on my way" in run("alerts", "show", KEY).out
    told = json.loads(run("alerts", "list", "--json").out)
    assert told["alerts"][0]["state"] == "acknowledged"
    found = hub.catalog.find(Alert, KEY)
    assert found is not None
    assert found.acknowledged_by == "ann"


def test_an_alert_that_is_not_there_is_said_so(hub: WebHub, run: Run) -> None:
    said = run("alerts", "show", "none")
    assert (said.code, "no alert 'none'" in said.err) == (1, True)


def test_alerts_are_silenced_and_heard_again(hub: WebHub, run: Run) -> None:
    hub.catalog.put(an_alert())
    said = run("alerts", "silence", "2h", "--kind", "run-failed", "--reason", "works").out
    (made,) = hub.catalog.all(Silence)
    assert made.until - made.made_at == 7_200
    assert f"fleetloop alerts unsilence {made.key}" in said
    assert "silenced" in run("alerts", "list").out
    assert "is over" in run("alerts", "unsilence", made.key, "--reason", "done").out
    assert "silenced" not in run("alerts", "list").out


def test_a_duration_that_is_none_silences_nothing(hub: WebHub, run: Run) -> None:
    for duration in ("2", "h", "-1h", "1w", "999999999d", "10000d"):
        said = run("alerts", "silence", "--reason", "works", "--", duration)
        assert said.code != 0, duration
    assert hub.catalog.all(Silence) == []


def test_a_webhook_is_made_tried_and_removed(hub: WebHub, run: Run) -> None:
    with receiver() as got_by:
        said = run("channels", "webhook", "ops", got_by.url, "--private", "--kind", "drift").out
        found = hub.catalog.find(Channel, "ops")
        assert found is not None
        assert found.secret in said
        assert "has taken a test" in run("channels", "test", "ops").out
        assert len(got_by.got) == 1
    listed = run("channels", "list")
    assert found.secret not in listed.out
    assert "warn: drift" in listed.out
    assert "told nothing any more" in run("channels", "remove", "ops").out
    assert "told nowhere" in run("channels", "list").out


def test_a_receiver_in_a_private_network_is_refused_with_a_reason(hub: WebHub, run: Run) -> None:
    said = run("channels", "webhook", "ops", "http://127.0.0.1:1/")
    assert (said.code, "https://HOST/PATH" in said.err) == (1, True)
    run("channels", "webhook", "ops", "https://127.0.0.1:1/")
    said = run("channels", "test", "ops")
    assert (said.code, "private network" in said.err) == (1, True)


def test_an_email_channel_takes_its_password_from_a_file_or_the_environment(
    hub: WebHub, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "word").write_text("secret word\n")
    options = ["--server", "mail.example.org:587", "--from", "hub@example.org", "--user", "hub"]
    run("channels", "email", "one", "a@example.org", *options, "--password-file", "word")
    monkeypatch.setenv("FLEETLOOP_SMTP_PASSWORD", "another word")
    run("channels", "email", "two", "a@example.org", "b@example.org", *options)
    mails = [c.mail for c in hub.catalog.all(Channel)]
    assert [m.password for m in mails if m] == ["secret word", "another word"]
    assert [m.to for m in mails if m][1] == ["a@example.org", "b@example.org"]
    missing = run("channels", "email", "x", "a@example.org", *options, "--password-file", "no")
    assert (missing.code, "cannot be read" in missing.err) == (1, True)
    bad = run("channels", "email", "x", "a@b.c", "--server", "mail", "--from", "a@b.c")
    assert (bad.code, "HOST:PORT" in bad.err) == (1, True)


def test_mail_really_goes_out(hub: WebHub, run: Run) -> None:
    with mail_server() as server:
        hub.catalog.put(an_email(server.port))
        run("channels", "test", "mail")
    assert "test" in server.letters[0]["Subject"]


def test_the_bridge_is_switched_off_and_on(hub: WebHub, run: Run) -> None:
    assert "fleetloop/v1/alerts" in run("channels", "mqtt", "--level", "bad").out
    assert "broker" in run("channels", "list").out
    run("channels", "remove", "broker")
    assert "told nowhere" in run("channels", "list").out


def test_dead_letters_are_listed_and_sent_again(
    hub: WebHub, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fleetloop_hub.notifying.queue.MOST_TRIES", 1)
    assert "no dead letter" in run("channels", "dead").out
    with receiver(500) as got_by:
        hub.catalog.put(a_webhook(got_by.url))
        hub.queue.put(a_notice(), ["ops"], START)
        hub.notifier.step()
    said = run("channels", "dead").out
    assert a_notice().id in said
    assert "answers 500" in said
    assert "1 dead letters of ops" in run("channels", "again", "ops").out
    assert json.loads(run("channels", "dead", "--json").out) == []
