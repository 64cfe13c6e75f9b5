"""What stands on a device's own topics: its own words come back, another's are noticed."""

import pytest

from fleetloop_agent.echoes import Echoes
from fleetloop_shared.errors import ImpersonationError
from fleetloop_shared.link import Received

TOPIC = "fleetloop/v1/devices/station-1/up/state"


def heard(payload: bytes, *, retained: bool = False) -> Received:
    return Received(TOPIC, payload, retained)


def test_own_words_come_back_in_any_number() -> None:
    echoes = Echoes()
    for word in (b"one", b"two", b"one"):
        echoes.said(TOPIC, word)
    for word in (b"one", b"two", b"one", b"one"):
        echoes.check(heard(word))


@pytest.mark.parametrize("word", [b"forged", b"", b"one"])
def test_what_is_not_the_last_word_is_noticed(word: bytes) -> None:
    echoes = Echoes()
    for said in (b"one", b"two"):
        echoes.said(TOPIC, said)
        echoes.check(heard(said))
    with pytest.raises(ImpersonationError):
        echoes.check(heard(word))


def test_what_stood_there_before_this_connection_is_no_attack() -> None:
    echoes = Echoes()
    echoes.said(TOPIC, b"old")
    echoes.connected()
    echoes.check(heard(b"a will of the connection before", retained=True))
    echoes.said(TOPIC, b"new")
    echoes.check(heard(b"new"))
