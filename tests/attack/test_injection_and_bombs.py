"""Topic injection and messages built to break who reads them."""

import lzma
import re
import tracemalloc
import zlib
from pathlib import Path

import msgspec
import pytest

from fleetloop_agent.config import AgentConfig
from fleetloop_hub.delivery.enrolment import Enrolment
from fleetloop_hub.errors import EnrolError
from fleetloop_shared.codec import decode, decode_compressed, decompress
from fleetloop_shared.errors import EndlessDataError, UndecodableError
from fleetloop_shared.messages import Ack, EnrolRequest, HubState
from fleetloop_shared.squeeze import expand
from fleetloop_shared.topics import Topic, parse
from fleetloop_shared.trust import Bundle
from support.attacked import Attacked
from support.hubparts import RememberedAccounts, parts

NO_NAMES = [
    "",
    "+",
    "#",
    "a/b",
    "../hub",
    "a/up/state",
    "STATION",
    "sta tion",
    "station\n",
    "station\0",
    "$SYS",
    "é",
    "٣",  # a digit, to Unicode
    "x" * 65,
    "x" * 100_000,
]


@pytest.fixture
def device() -> Attacked:
    return Attacked()


@pytest.mark.parametrize("name", [*NO_NAMES, "hub"], ids=lambda n: ascii(n)[:20])
def test_a_name_that_could_stand_for_other_topics_is_not_enrolled(
    name: str, tmp_path: Path
) -> None:
    with parts(tmp_path) as kept:
        broker = RememberedAccounts()
        enrolment = Enrolment(kept.catalog, broker, kept.trust, "secret")
        token = enrolment.token("plains", 0.0, 60.0)
        request = EnrolRequest(
            token=token.partition(".")[0], device=name, hardware="x", agent="0.1.0"
        )
        with pytest.raises(EnrolError):
            enrolment.enrol(request, 1.0)
        assert [account.username for account in enrolment.accounts()] == ["hub"]
        good = enrolment.enrol(_named(request, "station-1"), 1.0)
        assert good.device == "station-1", "the token was not used up"


def _named(request: EnrolRequest, device: str) -> EnrolRequest:
    return EnrolRequest(token=request.token, device=device, hardware="x", agent="0.1.0")


@pytest.mark.parametrize("name", NO_NAMES, ids=lambda n: ascii(n)[:20])
def test_no_topic_is_read_as_that_of_such_a_name(name: str) -> None:
    for topic in Topic:
        where = re.sub("{[a-z0-9]+}", lambda _: name, topic.row.path)
        if "{" in topic.row.path:
            assert parse(f"fleetloop/v1/{where}") is None


def test_a_device_takes_no_name_of_its_own_that_is_none() -> None:
    for name in NO_NAMES:
        said = {"device": name, "hardware": "x", "state_dir": "s", "hub_url": "http://h"}
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(said, AgentConfig, dec_hook=lambda _, v: Path(v))


@pytest.mark.parametrize(
    "payload",
    [
        b"[" * 500_000,
        b'{"a":' * 150_000,
        b'{"boot":' + b"9" * 900_000 + b',"seqs":[]}',
        b'{"boot":1e999,"seqs":[]}',
        b'{"boot":NaN,"seqs":[]}',
        b'{"boot":1,"seqs":[' + b"1," * 400_000,
        b'{"boot":"1","seqs":[]}',
        b'{"boot":true,"seqs":[]}',
        b"\xff\xfe{",
    ],
    ids=["arrays", "objects", "digits", "infinite", "NaN", "cut", "text", "bool", "no UTF-8"],
)
def test_json_that_is_built_to_break_its_reader_is_refused(
    device: Attacked, payload: bytes
) -> None:
    with pytest.raises(UndecodableError):
        decode(payload, Ack)
    topic = Topic.ACK.at(device="station-1")
    device.attack(payload, topic)
    device.unharmed("undecodable", topic)
    device.follows_its_own_director()


def test_of_a_key_that_stands_twice_the_last_counts_for_everybody() -> None:
    """One decoder on both sides: no reader sees another value than the one that is checked."""
    assert decode(b'{"boot":1,"boot":2,"seqs":[]}', Ack).boot == 2


def test_a_bomb_is_never_held_whole() -> None:
    zeros = zlib.compress(bytes(2**28), 9)
    tracemalloc.start()
    with pytest.raises(EndlessDataError):
        decompress(zeros, 1_000_000)
    with pytest.raises(EndlessDataError):
        decode_compressed(zlib.compress(zeros * 3, 9) and zeros, Bundle)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 8_000_000


def test_a_bomb_in_xz_is_never_held_whole() -> None:
    large = [{"id": lzma.FILTER_LZMA2, "preset": 9, "dict_size": 2**30}]
    greedy = lzma.compress(b"x", lzma.FORMAT_XZ, lzma.CHECK_NONE, filters=large)
    zeros = lzma.compress(bytes(2**26), lzma.FORMAT_XZ, preset=0)
    with pytest.raises(UndecodableError):
        expand("xz", greedy, 1_000_000)
    with pytest.raises(EndlessDataError):
        expand("xz", zeros, 1_000_000)


def test_a_hub_that_is_said_to_be_away_only_slows_reports(device: Attacked) -> None:
    device.attack(b'{"online":false}', Topic.HUB.at())
    assert decode(b'{"online":false}', HubState).online is False
    assert device.refused() == []
    assert device.files() == device.before
    device.follows_its_own_director()
