"""Cutting an artifact into chunks, and putting it together again from any subset's rest."""

from fleetloop_shared.errors import ChunkError, EndlessDataError
from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.manifest import Transport
from fleetloop_shared.squeeze import expand, squeeze

CHUNK_BYTES = 61_440
"""60 KiB: the packet fits the 64 KiB that ThingsBoard and Netty take, and every other default."""


def pack(artifact: bytes, chunk_bytes: int = CHUNK_BYTES) -> tuple[Transport, bytes]:
    """How `artifact` travels, and the encoded bytes: compressed where that pays."""
    encoding, encoded = squeeze(artifact)
    return (
        Transport(
            encoding=encoding,
            sha256=sha256_hex(encoded),
            length_bytes=len(encoded),
            chunk_bytes=chunk_bytes,
            chunks=[sha256_hex(part) for part in split(encoded, chunk_bytes)],
        ),
        encoded,
    )


def split(encoded: bytes, chunk_bytes: int) -> list[bytes]:
    """The chunks of `encoded`, in order.

    >>> split(b"abcdefg", 3)
    [b'abc', b'def', b'g']
    """
    return [encoded[i : i + chunk_bytes] for i in range(0, len(encoded), chunk_bytes)]


def check_chunk(transport: Transport, index: int, chunk: bytes) -> None:
    """Accept the bytes of one chunk.

    Raises:
        ChunkError: There is no such chunk, or its bytes are others.
        EndlessDataError: It is longer than a chunk can be.
    """
    if not 0 <= index < len(transport.chunks):
        raise ChunkError(f"chunk {index} of {len(transport.chunks)}: there is no such chunk")
    if len(chunk) > transport.chunk_bytes:
        raise EndlessDataError(
            f"chunk {index} of {transport.sha256[:12]}: {len(chunk):,} bytes, where"
            f" {transport.chunk_bytes:,} are signed; it is fetched again"
        )
    if sha256_hex(chunk) != transport.chunks[index]:
        raise ChunkError(
            f"chunk {index} of {transport.sha256[:12]}: {len(chunk):,} bytes that are not the"
            " signed ones; it is fetched again"
        )


def unpack(transport: Transport, encoded: bytes, limit_bytes: int) -> bytes:
    """The artifact from its encoded bytes, never longer than `limit_bytes`.

    Raises:
        ChunkError: The encoded bytes are not the signed ones.
        UndecodableError: They do not decompress within the limit.
    """
    if sha256_hex(encoded) != transport.sha256:
        raise ChunkError(f"{transport.sha256[:12]}: the chunks together are not the signed bytes")
    return expand(transport.encoding, encoded, limit_bytes)
