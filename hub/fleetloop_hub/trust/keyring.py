"""The private keys that lie on the hub: Ed25519, one file a key, readable by its owner alone."""

from collections.abc import Callable, Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from securesystemslib.signer import CryptoSigner

from fleetloop_hub.errors import KeyFileError
from fleetloop_shared.durable import Disk, discard, replace

FOLDER = Path("keys")

NewKey = Callable[[], CryptoSigner]


class Keyring:
    """Signers by key id; each is durable before it signs anything."""

    def __init__(self, disk: Disk, new_key: NewKey = CryptoSigner.generate_ed25519) -> None:
        """Nothing is read yet.

        Args:
            disk: The hub's state folder.
            new_key: Where keys come from; a simulated hub's come from a seed.
        """
        self._disk, self._new_key = disk, new_key
        self.signers: dict[str, CryptoSigner] = {}

    def load(self, names: Mapping[str, str]) -> None:
        """Read keys.

        Args:
            names: The name of each, by key id.

        Raises:
            KeyFileError: One is gone, is none, or is another one; the text says what to do.
        """
        for keyid, name in names.items():
            path = FOLDER / f"{name}.pem"
            try:
                signer = read_key(self._disk.read(path), str(path))
            except FileNotFoundError as error:
                raise KeyFileError(
                    f"the signing key {path} is gone, and devices trust what it signs: restore it "
                    "from a copy of the state folder. Without one, these devices can be told "
                    "nothing new until they enrol anew at a new state folder; they go on serving"
                ) from error
            if signer.public_key.keyid != keyid:
                raise KeyFileError(
                    f"{path} is another key than the one that devices trust: restore it from a copy"
                )
            self.signers[keyid] = signer

    def make(self, label: str) -> tuple[CryptoSigner, str]:
        """A new key, durable already, and its name.

        Args:
            label: What it is for, as "image-root".

        Raises:
            DiskFullError: No room; there is no such key.
        """
        signer = self._new_key()
        name = key_name(label, signer)
        replace(self._disk, FOLDER / f"{name}.pem", signer.private_bytes)
        self.signers[signer.public_key.keyid] = signer
        return signer, name

    def drop(self, keyid: str, name: str) -> None:
        """Take a key away for good; nothing happens where it is gone already."""
        self.signers.pop(keyid, None)
        discard(self._disk, FOLDER / f"{name}.pem")


def key_name(label: str, signer: CryptoSigner) -> str:
    """What a key's file is called: what it is for, and how its id begins."""
    return f"{label}-{signer.public_key.keyid[:8]}"


def read_key(pem: bytes, path: str) -> CryptoSigner:
    """The signer in a key file.

    Raises:
        KeyFileError: There is none in it.
    """
    try:
        private = load_pem_private_key(pem, None)
    except (ValueError, TypeError) as error:
        raise KeyFileError(f"{path} is not a private key: restore it from a copy") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise KeyFileError(f"{path} is not an Ed25519 key: restore it from a copy")
    return CryptoSigner(private)
