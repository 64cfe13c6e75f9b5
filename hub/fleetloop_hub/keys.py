"""The hub's signing keys: one says what exists (image), one says what to run (director)."""

from enum import StrEnum
from pathlib import Path

import securesystemslib.signer as s
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from securesystemslib.dsse import Envelope

from fleetloop_hub.errors import KeyFileError
from fleetloop_shared.codec import encode
from fleetloop_shared.durable import Disk, replace
from fleetloop_shared.signing import DESIRED_TYPE, MANIFEST_TYPE, PublicKey, fingerprint


class Role(StrEnum):
    """What a key may say."""

    IMAGE = "image"
    DIRECTOR = "director"


_TYPES = {Role.IMAGE: MANIFEST_TYPE, Role.DIRECTOR: DESIRED_TYPE}


class Keys:
    """Ed25519 keys in files that only their owner can read; made at first use."""

    def __init__(self, disk: Disk, folder: Path) -> None:
        """Load the keys, or make them.

        Raises:
            KeyFileError: A key file is there and is not one.
        """
        self._signers = {role: _signer(disk, folder / f"{role}.pem") for role in Role}

    def sign(self, role: Role, message: object) -> bytes:
        """The DSSE envelope of `message`, signed as the one type that `role` may sign."""
        envelope = Envelope(encode(message), _TYPES[role], {})
        envelope.sign(self._signers[role])
        return encode(envelope.to_dict())

    def public(self, role: Role) -> list[PublicKey]:
        """The keys that a device pins for `role`."""
        key = self._signers[role].public_key
        return [PublicKey(keyid=key.keyid, public=str(key.keyval["public"]))]

    def fingerprint(self) -> str:
        """Stands for all the keys, inside an enrolment token."""
        return fingerprint(self.public(Role.IMAGE) + self.public(Role.DIRECTOR))


def _signer(disk: Disk, path: Path) -> s.CryptoSigner:
    try:
        pem = disk.read(path)
    except FileNotFoundError:
        signer = s.CryptoSigner.generate_ed25519()
        replace(disk, path, signer.private_bytes)
        return signer
    try:
        private = load_pem_private_key(pem, None)
    except (ValueError, TypeError) as error:
        raise KeyFileError(f"{path} is not a private key: restore it from a copy") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise KeyFileError(f"{path} is not an Ed25519 key: restore it from a copy")
    return s.CryptoSigner(private)
