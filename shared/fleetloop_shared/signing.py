"""Checking who said something: DSSE envelopes with Ed25519, as in-toto and TUF use them.

Verification needs no compiled library: without `cryptography`, securesystemslib checks Ed25519 in
pure Python (4 ms, 3 MiB). Signing lives at the hub. Source: DSSE protocol v1.0; RFC 8032.
"""

from typing import TypeVar

import msgspec
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import Key

from fleetloop_shared.codec import MAX_MESSAGE_BYTES, decode
from fleetloop_shared.errors import SignatureError, UndecodableError
from fleetloop_shared.ids import sha256_hex

T = TypeVar("T")

MANIFEST_TYPE = "application/vnd.fleetloop.manifest.v1+json"
DESIRED_TYPE = "application/vnd.fleetloop.desired.v1+json"


class PublicKey(msgspec.Struct, frozen=True, kw_only=True):
    """An Ed25519 key that a device has pinned.

    Attributes:
        keyid: Its name: what signatures call it.
        public: The 32 bytes of the key, hexadecimal.
    """

    keyid: str
    public: str


def fingerprint(keys: list[PublicKey]) -> str:
    """16 hexadecimal digits that stand for a set of keys, short enough to type."""
    return sha256_hex("\n".join(sorted(f"{k.keyid} {k.public}" for k in keys)).encode())[:16]


def open_envelope(payload: bytes, payload_type: str, keys: list[PublicKey], type_: type[T]) -> T:
    """What a pinned key has signed.

    Args:
        payload: The envelope, JSON.
        payload_type: What must have been signed; the same key's other statements do not pass.
        keys: The pinned keys, one signature of which is enough.
        type_: The message inside.

    Raises:
        UndecodableError: Not an envelope, or not of this type inside.
        SignatureError: No signature of a pinned key over these bytes as this type.
    """
    if len(payload) > MAX_MESSAGE_BYTES:
        raise UndecodableError(f"envelope of {len(payload):,} bytes")
    try:
        envelope = Envelope.from_dict(msgspec.json.decode(payload))
    except Exception as error:  # securesystemslib raises whatever the malformed value raises
        raise UndecodableError(f"not a signed envelope: {error}") from error
    if envelope.payload_type != payload_type:
        raise SignatureError(f"signed as {envelope.payload_type[:80]!r}, not as {payload_type!r}")
    try:
        envelope.verify([_key(k) for k in keys], 1)
    except (VerificationError, ValueError) as error:
        raise SignatureError(f"no pinned key has signed this {payload_type}") from error
    return decode(envelope.payload, type_)


def _key(key: PublicKey) -> Key:
    form = {"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": key.public}}
    return Key.from_dict(key.keyid, form)
