"""Chunks: cut, checked one by one, put together only if they are the signed bytes."""

import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetloop_shared.chunks import check_chunk, pack, split, unpack
from fleetloop_shared.errors import ChunkError, UndecodableError
from fleetloop_shared.ids import sha256_hex


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
    assert transport.encoding == "zlib"
    assert len(encoded) < 1_000


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
    with pytest.raises(UndecodableError, match="larger than"):
        unpack(transport, encoded, 99_999)


def test_the_transport_is_named_by_what_travels() -> None:
    transport, encoded = pack(b"0" * 1_000)
    assert transport.sha256 == sha256_hex(encoded)
    assert msgspec.structs.asdict(transport)["length_bytes"] == len(encoded)
