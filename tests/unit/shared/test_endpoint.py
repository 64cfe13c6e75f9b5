"""A broker's address is understood, or refused without telling its secret."""

import pytest

from fleetloop_shared.endpoint import Endpoint, parse
from fleetloop_shared.errors import AddressError


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("mqtt://broker", Endpoint("broker", 1883, tls=False)),
        ("mqtts://broker/", Endpoint("broker", 8883, tls=True)),
        (" mqtt://10.0.0.1:1884\n", Endpoint("10.0.0.1", 1884, tls=False)),
        ("mqtt://[::1]:1884", Endpoint("::1", 1884, tls=False)),
        ("mqtts://hub:p%40ss@b:1", Endpoint("b", 1, tls=True, username="hub", password="p@ss")),
    ],
)
def test_an_address_is_taken_apart(text: str, endpoint: Endpoint) -> None:
    assert parse(text) == endpoint
    assert parse(parse(text).address).port == endpoint.port


@pytest.mark.parametrize(
    "text",
    [
        "",
        "broker",
        "broker:1883",
        "tcp://broker",
        "mqtt://",
        "mqtt://:1883",
        "mqtt://broker:0",
        "mqtt://broker:65536",
        "mqtt://broker:port",
        "mqtt://broker/topic",
        "mqtt://broker?qos=1",
        "mqtt://[broker",
    ],
)
def test_anything_else_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(AddressError, match="write mqtt://host:port"):
        parse(text)


def test_a_refusal_does_not_tell_the_password() -> None:
    with pytest.raises(AddressError) as caught:
        parse("mqtt://hub:secret@broker/topic")
    assert "secret" not in str(caught.value)
    assert "secret" not in parse("mqtt://hub:secret@broker").address
