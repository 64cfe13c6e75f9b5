"""Messages to bytes and back; bytes that are no message are refused, never fatal."""

import zlib
from typing import TypeVar

import msgspec

from fleetloop_shared.errors import EndlessDataError, UndecodableError

MAX_MESSAGE_BYTES = 1_000_000
"""The largest message either side decodes, also after decompression."""

T = TypeVar("T")

_encoder = msgspec.json.Encoder(order="deterministic")
_decoders: dict[object, msgspec.json.Decoder[object]] = {}


def encode(message: object) -> bytes:
    """The JSON of `message`; equal messages give equal bytes, as signing needs."""
    return _encoder.encode(message)


def decode(payload: bytes, type_: type[T]) -> T:
    """The message in `payload`.

    Raises:
        UndecodableError: Not JSON, or not of this type.
        EndlessDataError: Over `MAX_MESSAGE_BYTES`.
    """
    if len(payload) > MAX_MESSAGE_BYTES:
        raise EndlessDataError(
            f"{type_.__name__}: {len(payload):,} bytes, more than {MAX_MESSAGE_BYTES:,}"
        )
    decoder = _decoders.get(type_)
    if decoder is None:
        decoder = _decoders[type_] = msgspec.json.Decoder(type_)
    try:
        return decoder.decode(payload)  # type: ignore[return-value]  # the decoder is of type_
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise UndecodableError(f"{type_.__name__}: {error}") from error


def encode_compressed(message: object) -> bytes:
    """The zlib-compressed JSON of `message` (RFC 1950)."""
    return zlib.compress(encode(message), 9)


def decode_compressed(payload: bytes, type_: type[T]) -> T:
    """The message in zlib-compressed JSON.

    Raises:
        UndecodableError: Not zlib, grows beyond `MAX_MESSAGE_BYTES`, or not of this type.
    """
    return decode(decompress(payload, MAX_MESSAGE_BYTES), type_)


def decompress(payload: bytes, limit_bytes: int) -> bytes:
    """Decompress zlib data without ever holding more than `limit_bytes` of it.

    Raises:
        UndecodableError: Not zlib, or cut short.
        EndlessDataError: Larger than the limit; no more than that was ever held.
    """
    inflate = zlib.decompressobj()
    try:
        data = inflate.decompress(payload, limit_bytes)
    except zlib.error as error:
        raise UndecodableError(f"not zlib data: {error}") from error
    if not inflate.eof and len(data) >= limit_bytes:
        raise EndlessDataError(f"zlib data that grows to more than {limit_bytes:,} bytes")
    if not inflate.eof:
        raise UndecodableError("zlib data cut short")
    return data
