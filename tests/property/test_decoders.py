"""Whatever bytes arrive: a message, or a refusal that says why. Never anything else."""

import zlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetloop_agent.trust.belief import Belief
from fleetloop_agent.trust.refresh import refresh
from fleetloop_shared.codec import MAX_MESSAGE_BYTES, decode, decode_compressed, decompress, encode
from fleetloop_shared.errors import RefusedError, UndecodableError
from fleetloop_shared.manifest import Manifest
from fleetloop_shared.topics import parse
from fleetloop_shared.trust import Bundle
from support.examples import MANIFEST, MESSAGES
from support.hubside import Hubside

TYPES = [type(m) for m in MESSAGES] + [Manifest]
PINNED = Hubside().image.roots[0]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(payload=st.binary(max_size=400), type_=st.sampled_from(TYPES))
def test_arbitrary_bytes_are_a_message_or_refused(payload: bytes, type_: type) -> None:
    try:
        assert isinstance(decode(payload, type_), type_)
    except UndecodableError as error:
        assert type_.__name__ in str(error)  # noqa: PT017  # either outcome is right


@pytest.mark.parametrize("type_", TYPES)
@pytest.mark.parametrize("payload", [b"", b"\0", b"[]", b"null", b'{"', b"\xff\xfe{}", b"{}x"])
def test_bytes_that_are_no_message_are_refused(payload: bytes, type_: type) -> None:
    with pytest.raises(UndecodableError):
        decode(payload, type_)


@given(value=json_values, type_=st.sampled_from(TYPES))
def test_arbitrary_json_is_a_message_or_refused(value: object, type_: type) -> None:
    payload = msgspec.json.encode(value)
    try:
        assert isinstance(decode(payload, type_), type_)
    except UndecodableError as error:
        assert type_.__name__ in str(error)  # noqa: PT017  # either outcome is right


@given(message=st.sampled_from([*MESSAGES, MANIFEST]), data=st.data())
def test_a_message_cut_short_or_with_a_flipped_byte_never_crashes(
    message: object, data: st.DataObject
) -> None:
    payload = bytearray(encode(message))
    at = data.draw(st.integers(0, len(payload) - 1))
    payload[at] ^= data.draw(st.integers(1, 255))
    cut = data.draw(st.integers(0, len(payload)))
    for damaged in (bytes(payload), encode(message)[:cut]):
        try:
            decode(damaged, type(message))
        except UndecodableError:
            continue


@given(payload=st.binary(max_size=400), type_=st.sampled_from(TYPES))
def test_arbitrary_bytes_are_not_compressed_messages(payload: bytes, type_: type) -> None:
    with pytest.raises(UndecodableError):
        decode_compressed(payload, type_)


@given(texts=st.lists(json_values.map(encode) | st.binary(max_size=200), min_size=3, max_size=5))
def test_a_bundle_that_nobody_signed_is_refused(texts: list[bytes]) -> None:
    timestamp, snapshot, targets, *roots = (text.decode("utf-8", "replace") for text in texts)
    bundle = Bundle(roots=[PINNED, *roots], timestamp=timestamp, snapshot=snapshot, targets=targets)
    with pytest.raises(RefusedError):
        refresh(Belief(), PINNED, bundle, 1_700_000_000.0)


@given(topic=st.text(max_size=200))
def test_an_arbitrary_topic_is_none_of_ours(topic: str) -> None:
    assert parse(topic) is None


def test_a_decompression_bomb_is_stopped_at_its_limit() -> None:
    bomb = zlib.compress(b"0" * 50_000_000, 9)
    assert len(bomb) < MAX_MESSAGE_BYTES
    with pytest.raises(UndecodableError, match="grows to more than"):
        decompress(bomb, MAX_MESSAGE_BYTES)


def test_deeply_nested_json_is_refused() -> None:
    with pytest.raises(UndecodableError):
        decode(b'{"boot":' + b"[" * 100_000, MESSAGES[0].__class__)


def test_a_message_larger_than_the_limit_is_refused_unread() -> None:
    with pytest.raises(UndecodableError, match="more than"):
        decode(b" " * (MAX_MESSAGE_BYTES + 1), MESSAGES[0].__class__)
