"""Webhooks: signed, bounded in time, to no private address, after no redirect, over checked TLS."""

import base64
import hashlib
import hmac
import ipaddress
import json
import socket
import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from fleetloop_hub.notifying import addresses, webhook
from fleetloop_hub.notifying.delivery import DeliveryError
from support.certificates import make_server
from support.receivers import SECRET, a_delivery, a_webhook, receiver, silent_receiver


def test_a_receiver_gets_a_cloud_event_that_it_can_verify() -> None:
    with receiver() as got_by:
        webhook.send(a_webhook(got_by.url), a_delivery())
    (got,) = got_by.got
    told, id_ = json.loads(got.body), a_delivery().id
    assert got.path == "/hook?team=a"
    assert got.headers["content-type"].startswith("application/cloudevents+json")
    assert told["specversion"] == "1.0"
    assert {"id", "source", "type", "subject", "time", "datacontenttype", "data"} <= set(told)
    assert told["data"]["kind"] == "run-failed"
    assert (told["id"], got.headers["webhook-id"]) == (id_, id_)
    at = got.headers["webhook-timestamp"]
    assert abs(int(at) - time.time()) < 60
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    digest = hmac.new(key, f"{id_}.{at}.".encode() + got.body, hashlib.sha256).digest()
    assert got.headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"


@pytest.mark.parametrize("status", [400, 404, 500, 503])
def test_an_answer_that_is_no_success_is_a_failure(status: int) -> None:
    with receiver(status) as got_by, pytest.raises(DeliveryError, match=str(status)):
        webhook.send(a_webhook(got_by.url), a_delivery())


def test_a_redirect_is_not_followed() -> None:
    with receiver() as inner, receiver(302, location=inner.url) as outer:
        with pytest.raises(DeliveryError, match="redirects are not followed"):
            webhook.send(a_webhook(outer.url), a_delivery())
        assert (len(outer.got), inner.got) == (1, [])


def test_a_receiver_that_never_answers_costs_a_bounded_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(webhook, "ACT_S", 0.1)
    with silent_receiver() as url, pytest.raises(DeliveryError, match="timed out"):
        webhook.send(a_webhook(url), a_delivery())


def test_a_receiver_that_drips_a_byte_at_a_time_costs_a_bounded_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(webhook, "WHOLE_S", 0.2)

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 ")
        while True:
            connection.sendall(b"x")
            time.sleep(0.01)

    with silent_receiver(drip) as url, pytest.raises(DeliveryError):
        webhook.send(a_webhook(url), a_delivery())


def test_an_answer_that_is_no_http_is_a_failure() -> None:
    with (
        silent_receiver(lambda c: c.sendall(b"\x00\xff nonsense\r\n\r\n")) as url,
        pytest.raises(DeliveryError, match="as it should"),
    ):
        webhook.send(a_webhook(url), a_delivery())


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104  # refused
        "224.0.0.1",
        "::1",
        "fe80::1",
        "fd00::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "2002:a00:1::1",
    ],
)
def test_an_address_of_this_machine_or_a_private_network_is_refused(address: str) -> None:
    assert addresses.is_private(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"])
def test_an_address_of_the_open_internet_is_not(address: str) -> None:
    assert not addresses.is_private(ipaddress.ip_address(address))


def test_a_private_receiver_hears_nothing_unless_an_admin_has_allowed_it() -> None:
    with receiver() as got_by:
        with pytest.raises(DeliveryError, match="private network"):
            webhook.send(a_webhook(got_by.url, private=False), a_delivery())
        assert got_by.got == []


def test_a_name_with_one_private_address_among_others_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))
        for address in ("8.8.8.8", "10.0.0.1")
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(DeliveryError, match=r"10\.0\.0\.1"):
        addresses.connect("receiver.example.org", 443, 0.1, private=False)


def test_only_a_receiver_that_can_prove_who_it_is_hears_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, authority = make_server(tmp_path)
    with receiver(context=context) as got_by:
        with pytest.raises(DeliveryError, match="certificate verify failed"):
            webhook.send(a_webhook(got_by.url), a_delivery())
        assert got_by.got == []
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        webhook.send(a_webhook(got_by.url), a_delivery())
        assert len(got_by.got) == 1


def test_no_failure_tells_the_secret_or_the_path_of_an_address() -> None:
    with receiver(500) as got_by:
        channel = replace(a_webhook(got_by.url), url=f"{got_by.url}&token=hidden")
        with pytest.raises(DeliveryError) as failed:
            webhook.send(channel, a_delivery())
    assert "hidden" not in str(failed.value)
    assert SECRET not in str(failed.value)
