"""Envelopes: only what a pinned key has signed as the expected type is opened."""

import msgspec
import pytest
from securesystemslib.dsse import Envelope
from securesystemslib.signer import CryptoSigner

from fleetloop_shared.codec import encode
from fleetloop_shared.errors import SignatureError, UndecodableError
from fleetloop_shared.manifest import Manifest
from fleetloop_shared.messages import DesiredState
from fleetloop_shared.signing import (
    DESIRED_TYPE,
    MANIFEST_TYPE,
    PublicKey,
    fingerprint,
    open_envelope,
)
from support.examples import MANIFEST, MESSAGES


def pinned(signer: CryptoSigner) -> PublicKey:
    key = signer.public_key
    return PublicKey(keyid=key.keyid, public=str(key.keyval["public"]))


def sign(signer: CryptoSigner, message: object, payload_type: str) -> bytes:
    envelope = Envelope(encode(message), payload_type, {})
    envelope.sign(signer)
    return msgspec.json.encode(envelope.to_dict())


SIGNER, STRANGER = CryptoSigner.generate_ed25519(), CryptoSigner.generate_ed25519()
DESIRED = next(m for m in MESSAGES if isinstance(m, DesiredState))


def test_a_signed_manifest_is_opened() -> None:
    payload = sign(SIGNER, MANIFEST, MANIFEST_TYPE)
    assert open_envelope(payload, MANIFEST_TYPE, [pinned(SIGNER)], Manifest) == MANIFEST


def test_a_stranger_s_signature_is_refused() -> None:
    payload = sign(STRANGER, MANIFEST, MANIFEST_TYPE)
    with pytest.raises(SignatureError, match="no pinned key"):
        open_envelope(payload, MANIFEST_TYPE, [pinned(SIGNER)], Manifest)


def test_a_stranger_under_a_pinned_key_s_name_is_refused() -> None:
    stranger = PublicKey(keyid=pinned(STRANGER).keyid, public=pinned(SIGNER).public)
    payload = sign(STRANGER, MANIFEST, MANIFEST_TYPE)
    with pytest.raises(SignatureError):
        open_envelope(payload, MANIFEST_TYPE, [stranger], Manifest)


def test_one_changed_byte_is_refused() -> None:
    payload = sign(SIGNER, MANIFEST, MANIFEST_TYPE)
    envelope = msgspec.json.decode(payload)
    envelope["payload"] = "A" + envelope["payload"][1:]
    changed = msgspec.json.encode(envelope)
    with pytest.raises(SignatureError):
        open_envelope(changed, MANIFEST_TYPE, [pinned(SIGNER)], Manifest)


def test_a_statement_of_another_type_by_the_same_key_is_refused() -> None:
    payload = sign(SIGNER, DESIRED, DESIRED_TYPE)
    with pytest.raises(SignatureError, match="signed as"):
        open_envelope(payload, MANIFEST_TYPE, [pinned(SIGNER)], Manifest)


def test_an_envelope_without_signatures_is_refused() -> None:
    payload = msgspec.json.encode(Envelope(encode(MANIFEST), MANIFEST_TYPE, {}).to_dict())
    with pytest.raises(SignatureError):
        open_envelope(payload, MANIFEST_TYPE, [pinned(SIGNER)], Manifest)


def test_a_signed_message_of_the_wrong_form_is_refused() -> None:
    payload = sign(SIGNER, {"not": "a manifest"}, MANIFEST_TYPE)
    with pytest.raises(UndecodableError, match="Manifest"):
        open_envelope(payload, MANIFEST_TYPE, [pinned(SIGNER)], Manifest)


def test_the_fingerprint_stands_for_the_set_of_keys() -> None:
    a, b = pinned(SIGNER), pinned(STRANGER)
    assert fingerprint([a, b]) == fingerprint([b, a])
    assert fingerprint([a]) != fingerprint([b])
    assert len(fingerprint([a, b])) == 16
