"""Chunks: cut, checked one by one, put together only if they are the signed bytes."""

import lzma
import random
import sys
import tracemalloc
import zlib
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetloop_shared.chunks import check_chunk, pack, split, unpack
from fleetloop_shared.errors import ChunkError, UndecodableError
from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.manifest import Transport

ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "identity": bytes,
    "zlib": lambda data: zlib.compress(data, 9),
    "xz": lambda data: lzma.compress(data, lzma.FORMAT_XZ),
}


def way(encoding: str, encoded: bytes) -> Transport:
    """Bytes as they travel, in an encoding that was not chosen."""
    return Transport(
        encoding=encoding,
        sha256=sha256_hex(encoded),
        length_bytes=len(encoded),
        chunk_bytes=len(encoded),
        chunks=[sha256_hex(encoded)],
    )


@given(artifact=st.binary(min_size=1, max_size=5_000), chunk_bytes=st.integers(1, 600))
def test_what_is_packed_is_unpacked_whole(artifact: bytes, chunk_bytes: int) -> None:
    transport, encoded = pack(artifact, chunk_bytes)
    parts = split(encoded, chunk_bytes)
    for index, part in enumerate(parts):
        check_chunk(transport, index, part)
    assert len(parts) == len(transport.chunks)
    assert unpack(transport, b"".join(parts), len(artifact)) == artifact


def test_compression_is_used_only_where_it_pays() -> None:
    noise = random.Random(1).randbytes(5_000)
    assert pack(noise)[0].encoding == "identity"
    transport, encoded = pack(b"tree " * 1_000)
    assert transport.encoding in {"zlib", "xz"}
    assert len(encoded) < 1_000


def test_xz_is_used_where_it_saves_a_twentieth_more_than_zlib() -> None:
    draw = random.Random(2)
    words = [draw.randbytes(40) for _ in range(400)]
    far_apart = b"".join(draw.choice(words) for _ in range(6_000))
    transport, encoded = pack(far_apart)
    assert transport.encoding == "xz"
    assert len(encoded) < 0.95 * len(zlib.compress(far_apart, 9))
    assert unpack(transport, encoded, len(far_apart)) == far_apart


@pytest.mark.parametrize("encoding", ["identity", "zlib", "xz"])
@pytest.mark.parametrize("artifact", [b"a", b"leaf " * 1_000])
def test_every_encoding_is_made_whole_at_exactly_its_length(encoding: str, artifact: bytes) -> None:
    encoded = ENCODERS[encoding](artifact)
    assert unpack(way(encoding, encoded), encoded, len(artifact)) == artifact


@pytest.mark.parametrize("encoding", ["zlib", "xz"])
def test_a_bomb_is_stopped_one_byte_over_its_signed_length(encoding: str) -> None:
    bomb = ENCODERS[encoding](b"0" * 20_000_000)
    assert len(bomb) < 50_000
    with pytest.raises(UndecodableError, match="grows to more than"):
        unpack(way(encoding, bomb), bomb, 19_999_999)


@pytest.mark.parametrize("encoding", ["zlib", "xz"])
def test_a_bomb_is_never_held_in_memory(encoding: str) -> None:
    bomb = ENCODERS[encoding](b"0" * 50_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(UndecodableError):
            unpack(way(encoding, bomb), bomb, 100_000)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_xz_that_wants_more_memory_than_a_device_gives_is_refused() -> None:
    chain = [{"id": lzma.FILTER_LZMA2, "preset": 1, "dict_size": 64 * 1024 * 1024}]
    greedy = lzma.compress(b"0" * 1_000, lzma.FORMAT_XZ, filters=chain)
    with pytest.raises(UndecodableError, match="not xz data within"):
        unpack(way("xz", greedy), greedy, 1_000)


@pytest.mark.parametrize("encoding", ["zlib", "xz"])
def test_encoded_bytes_that_are_cut_short_are_refused(encoding: str) -> None:
    cut = ENCODERS[encoding](random.Random(1).randbytes(1_000))[:-20]
    with pytest.raises(UndecodableError, match="cut short"):
        unpack(way(encoding, cut), cut, 1_000)


def test_an_unknown_encoding_is_refused() -> None:
    with pytest.raises(UndecodableError, match="not known here: 'br'"):
        unpack(way("br", b"abc"), b"abc", 3)


def test_a_python_without_lzma_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    encoded = ENCODERS["xz"](b"abc")
    monkeypatch.setitem(sys.modules, "lzma", None)
    with pytest.raises(UndecodableError, match="built without lzma"):
        unpack(way("xz", encoded), encoded, 3)


def test_a_corrupt_chunk_is_named() -> None:
    transport, encoded = pack(b"abc" * 100, 100)
    chunk = split(encoded, 100)[0]
    with pytest.raises(ChunkError, match="chunk 0 of"):
        check_chunk(transport, 0, chunk[:-1] + b"\x00")


@pytest.mark.parametrize("index", [-1, 1, 1_000_000])
def test_a_chunk_that_is_not_in_the_manifest_is_refused(index: int) -> None:
    transport, encoded = pack(b"abc" * 100, 1_000)
    with pytest.raises(ChunkError, match="no such chunk"):
        check_chunk(transport, index, encoded)


def test_chunks_in_another_order_are_not_the_artifact() -> None:
    noise = random.Random(1).randbytes(300)
    transport, encoded = pack(noise, 100)
    parts = split(encoded, 100)
    with pytest.raises(ChunkError, match="not the signed bytes"):
        unpack(transport, parts[1] + parts[0] + parts[2], 300)


def test_an_artifact_that_grows_beyond_its_signed_length_is_stopped() -> None:
    transport, encoded = pack(b"0" * 100_000)
    with pytest.raises(UndecodableError, match="grows to more than"):
        unpack(transport, encoded, 99_999)


def test_the_transport_is_named_by_what_travels() -> None:
    transport, encoded = pack(b"0" * 1_000)
    assert transport.sha256 == sha256_hex(encoded)
    assert msgspec.structs.asdict(transport)["length_bytes"] == len(encoded)
