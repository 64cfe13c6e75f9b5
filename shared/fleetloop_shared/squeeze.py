"""How an artifact's bytes are made fewer for the journey, and how they are made whole again.

"zlib" is RFC 1950; "xz" is the .xz format with LZMA2, a fifth smaller on trees. Its dictionary is
no longer than the artifact needs, so that a device decompresses in at most `XZ_MEMORY_BYTES`.
"""

import zlib
from typing import Final

from fleetloop_shared.codec import decompress
from fleetloop_shared.errors import EndlessDataError, UndecodableError

IDENTITY: Final = "identity"
ZLIB: Final = "zlib"
XZ: Final = "xz"
ENCODINGS: Final = frozenset({IDENTITY, ZLIB, XZ})

XZ_MEMORY_BYTES = 12 * 1024 * 1024
"""The most that decompressing xz may hold besides the artifact."""

_LARGEST_DICTIONARY_BYTES = 8 * 1024 * 1024
_SMALLEST_DICTIONARY_BYTES = 4096
_WORTH = 0.9
_WORTH_MORE = 0.95


def squeeze(artifact: bytes) -> tuple[str, bytes]:
    """The encoding that pays, and the encoded bytes.

    Compressed if that saves a tenth; with xz if it saves another twentieth of that, as it takes a
    device more time and memory.
    """
    deflated, other = zlib.compress(artifact, 9), _to_xz(artifact)
    if len(other) < _WORTH_MORE * min(len(deflated), _WORTH * len(artifact)):
        return XZ, other
    return (ZLIB, deflated) if len(deflated) < _WORTH * len(artifact) else (IDENTITY, artifact)


def expand(encoding: str, encoded: bytes, limit_bytes: int) -> bytes:
    """The artifact, of which never more than `limit_bytes` is held.

    Raises:
        UndecodableError: Not of this encoding, cut short, or this Python was built without it.
        EndlessDataError: Larger than the limit.
    """
    match encoding:
        case "identity":
            return encoded
        case "zlib":
            return decompress(encoded, limit_bytes)
        case "xz":
            return _from_xz(encoded, limit_bytes)
        case _:
            raise UndecodableError(f"an encoding that is not known here: {encoding[:20]!r}")


def _to_xz(artifact: bytes) -> bytes:
    import lzma  # noqa: PLC0415  # as below

    needed = 1 << max(0, len(artifact) - 1).bit_length()
    dictionary = min(max(needed, _SMALLEST_DICTIONARY_BYTES), _LARGEST_DICTIONARY_BYTES)
    chain = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": dictionary}]
    return lzma.compress(artifact, lzma.FORMAT_XZ, lzma.CHECK_NONE, filters=chain)


def _from_xz(encoded: bytes, limit_bytes: int) -> bytes:
    try:
        import lzma  # noqa: PLC0415  # a Python without it must be able to do everything else
    except ImportError as error:
        raise UndecodableError(
            "this Python was built without lzma, so it cannot read xz"
        ) from error
    try:
        decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY_BYTES)
        data = decoder.decompress(encoded, max_length=limit_bytes + 1)
    except lzma.LZMAError as error:
        raise UndecodableError(f"not xz data within {XZ_MEMORY_BYTES:,} bytes: {error}") from error
    if len(data) > limit_bytes:
        raise EndlessDataError(f"xz data that grows to more than {limit_bytes:,} bytes")
    if not decoder.eof:
        raise UndecodableError("xz data cut short")
    return data
