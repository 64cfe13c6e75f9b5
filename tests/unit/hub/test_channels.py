"""Channels: what is refused, and that no secret ever comes out again."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from fleetloop_hub.alert_records import Channel, ChannelKind
from fleetloop_hub.errors import AbsentError, AlertError
from fleetloop_hub.notifying.channels import ChannelDesk
from fleetloop_hub.notifying.notifier import Notifier
from fleetloop_hub.notifying.queue import NoticeQueue
from fleetloop_hub.storage.catalog import TinyDbCatalog
from fleetloop_shared.errors import InvalidIdError
from support.hubrecords import START
from support.receivers import SECRET, a_notice, a_webhook, an_email, receiver


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[ChannelDesk]:
    catalog = TinyDbCatalog(tmp_path / "catalog")
    queue = NoticeQueue(tmp_path / "notices.sqlite")
    yield ChannelDesk(catalog, queue, Notifier(catalog, queue), lambda: START)
    queue.close()
    catalog.close()


def test_a_webhook_gets_a_secret_that_is_shown_once(desk: ChannelDesk) -> None:
    view, secret = desk.add(replace(a_webhook("https://example.org/hook/token"), secret=""))
    assert secret.startswith("whsec_")
    told = msgspec.json.encode([view, desk.shown(), desk.remove("ops")])
    for hidden in (secret, "token"):
        assert hidden.encode() not in told
    assert view.where == "https://example.org"


def test_no_secret_of_a_channel_comes_out_and_none_is_left_when_it_is_removed(
    desk: ChannelDesk,
) -> None:
    desk.add(a_webhook("https://example.org/"))
    desk.add(an_email(587, "tls", "hub", "secret word"))
    shown = msgspec.json.encode(desk.shown())
    assert SECRET.encode() not in shown
    assert b"secret word" not in shown
    desk.remove("ops")
    desk.remove("mail")
    kept = msgspec.json.encode(desk._catalog.all(Channel))
    assert SECRET.encode() not in kept
    assert b"secret word" not in kept
    assert desk.shown() == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://example.org/",
        "file:///etc/passwd",
        "http://example.org/",
        "https://",
        "https:///path",
        "https://user:word@example.org/",
        "https://example.org/#part",
        "https://example.org/\r\nX: y",
        "https://example.org:99999/",
        "https://example.org:0/",
        "https://exämple.org/",
        "https://[::1",
        "https://example.org/" + "x" * 2_000,
    ],
)
def test_an_address_that_is_none_or_not_secured_is_refused(desk: ChannelDesk, url: str) -> None:
    with pytest.raises(AlertError):
        desk.add(a_webhook(url, private=False))
    assert desk.shown() == []


@pytest.mark.parametrize("secret", ["word", "whsec_", "whsec_AAAA", "whsec_!!", "x" * 5_000])
def test_a_secret_that_is_none_is_refused_and_not_repeated(desk: ChannelDesk, secret: str) -> None:
    with pytest.raises(AlertError) as refused:
        desk.add(replace(a_webhook("https://example.org/"), secret=secret))
    assert secret not in str(refused.value) or secret == "whsec_"


@pytest.mark.parametrize(
    "change",
    [
        {"host": "mail host"},
        {"host": ""},
        {"port": 0},
        {"port": 70_000},
        {"security": "ssl"},
        {"sender": "hub"},
        {"sender": "hub@example.org\r\nBcc: x@y.z"},
        {"to": []},
        {"to": ["a@b.c"] * 21},
        {"to": ["ann@example.org, mallory@example.org"]},
        {"security": "none", "username": "hub", "password": "word"},
    ],
)
def test_a_mail_server_or_address_that_cannot_be_is_refused(
    desk: ChannelDesk, change: dict[str, object]
) -> None:
    channel = an_email(587, "tls")
    assert channel.mail is not None
    with pytest.raises(AlertError):
        desk.add(replace(channel, mail=replace(channel.mail, **change)))
    assert desk.shown() == []


def test_a_name_is_used_once_and_is_a_name(desk: ChannelDesk) -> None:
    desk.add(a_webhook("https://example.org/"))
    with pytest.raises(AlertError, match="another name"):
        desk.add(a_webhook("https://example.org/"))
    with pytest.raises(InvalidIdError):
        desk.add(a_webhook("https://example.org/", "Ops Team"))
    desk.remove("ops")
    desk.add(a_webhook("https://example.org/"))


def test_the_bridge_to_mqtt_is_the_one_channel_of_its_name_and_kind(desk: ChannelDesk) -> None:
    bridge = Channel(key="broker", kind=ChannelKind.MQTT, made_at=0.0, by="ann")
    desk.add(bridge)
    with pytest.raises(AlertError, match="one bridge"):
        desk.add(replace(bridge, key="other"))
    with pytest.raises(AlertError, match="one bridge"):
        desk.add(a_webhook("https://example.org/", "broker"))
    with pytest.raises(AlertError, match="subscribe"):
        desk.attempt("broker", "ann")


def test_a_test_is_sent_at_once_and_its_failure_is_said(desk: ChannelDesk) -> None:
    with receiver() as got_by, receiver(500) as broken:
        desk.add(a_webhook(got_by.url))
        desk.add(a_webhook(broken.url, "broken"))
        desk.attempt("ops", "ann")
        assert b"fleetloop.alert.test" in got_by.got[0].body
        with pytest.raises(AlertError, match="500"):
            desk.attempt("broken", "ann")
    with pytest.raises(AbsentError):
        desk.attempt("nobody", "ann")


def test_dead_letters_are_shown_and_sent_again(
    desk: ChannelDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fleetloop_hub.notifying.queue.MOST_TRIES", 1)
    with receiver(500) as got_by:
        desk.add(a_webhook(got_by.url))
        desk._queue.put(a_notice(), ["ops"], START)
        desk._notifier.step()
    (dead,) = desk.dead()
    assert (dead.channel, "500" in dead.error, desk.shown()[0].dead) == ("ops", True, 1)
    with pytest.raises(AbsentError, match="no dead letter"):
        desk.again("ops", "another")
    assert desk.again("ops", dead.id) == 1
    assert (desk.dead(), desk.shown()[0].waiting) == ([], 1)
