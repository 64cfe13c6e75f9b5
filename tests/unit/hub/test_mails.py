"""E-mail about alerts: over TLS, with a login, and no line of an alert becomes a header."""

from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from fleetloop_hub.alert_records import AlertEvent, Mail
from fleetloop_hub.notifying import mail
from fleetloop_hub.notifying.cloud_event import notice_of
from fleetloop_hub.notifying.delivery import Delivery, DeliveryError
from support.alerted import an_alert
from support.certificates import make_server
from support.hubrecords import START
from support.receivers import a_delivery, an_email, mail_server, silent_receiver


def test_a_letter_says_what_stands() -> None:
    with mail_server() as server:
        mail.send(an_email(server.port), a_delivery("mail"))
    (letter,) = server.letters
    assert letter["To"] == "ann@example.org, bob@example.org"
    assert "run-failed rain (warn)" in letter["Subject"]
    text = letter.get_payload()
    assert isinstance(text, str)
    assert "run run-1 has failed: no room" in text
    assert letter["Message-ID"] == f"<{a_delivery().id}@fleetloop>"


def test_name_and_password_go_over_starttls_to_a_server_that_proves_who_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, authority = make_server(tmp_path)
    with mail_server(context, login=("hub", "secret word")) as server:
        channel = an_email(server.port, "starttls", "hub", "secret word")
        with pytest.raises(DeliveryError, match="certificate verify failed"):
            mail.send(channel, a_delivery("mail"))
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        mail.send(channel, a_delivery("mail"))
        assert len(server.letters) == 1
        wrong = an_email(server.port, "starttls", "hub", "another word")
        with pytest.raises(DeliveryError, match="name and password") as failed:
            mail.send(wrong, a_delivery("mail"))
        assert "another word" not in str(failed.value)
        with pytest.raises(DeliveryError):
            mail.send(an_email(server.port), a_delivery("mail"))  # it demands TLS
        assert len(server.letters) == 1


def test_what_an_alert_says_cannot_become_a_header_or_another_letter() -> None:
    evil = "rain\r\nBcc: mallory@example.org\r\n\r\nhello\u2028\u202e"
    alert = replace(an_alert(), subject=evil, text=evil, owed=AlertEvent.OPENED)
    notice = notice_of(alert)
    told = Delivery(notice.id, "mail", notice.event, notice.body, START, START)
    channel = an_email(25)
    assert channel.mail is not None
    letter = mail.compose(channel.mail, told)
    assert letter["Bcc"] is None
    assert {"Subject", "From", "To"} < set(letter.keys())
    raw = letter.as_bytes()
    assert raw.count(b"\r\n\r\n") == 2  # behind the headers, and behind the first line
    assert b"\nBcc" not in raw
    assert b"\nhello" not in raw


def test_a_mail_server_that_never_answers_costs_a_bounded_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mail, "ACT_S", 0.1)
    with silent_receiver() as url, pytest.raises(DeliveryError, match="timed out"):
        mail.send(an_email(int(url.rpartition(":")[2].strip("/"))), a_delivery("mail"))


def test_a_mail_server_in_a_private_network_hears_nothing_unless_it_is_allowed() -> None:
    with mail_server() as server:
        channel = replace(an_email(server.port), private=False)
        with pytest.raises(DeliveryError, match="private network"):
            mail.send(channel, a_delivery("mail"))
        assert server.letters == []


def test_mail_is_written_and_read_back_by_the_catalog() -> None:
    told = an_email(25, "tls", "a", "b").mail
    assert msgspec.json.decode(msgspec.json.encode(told), type=Mail) == told
