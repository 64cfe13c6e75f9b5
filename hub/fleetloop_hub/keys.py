"""The hub's two TUF repositories: one says what exists (image), one what to run (director)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import securesystemslib.signer as s
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

from fleetloop_hub.errors import KeyFileError
from fleetloop_shared.codec import encode_compressed
from fleetloop_shared.durable import Disk, replace
from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.trust import ISSUED_AT, Bundle, fingerprint

ROOT_LIFE_S = 365 * 86_400.0
LIFE_S = 30 * 86_400.0

_ROLES = ("root", "timestamp", "snapshot", "targets")


class Role(StrEnum):
    """What a repository says."""

    IMAGE = "image"
    DIRECTOR = "director"


class Keys:
    """One Ed25519 key a repository, in files that only their owner can read; made at first use."""

    def __init__(self, disk: Disk, folder: Path, now: float) -> None:
        """Load keys and roots, or make them.

        Raises:
            KeyFileError: A key file is there and is not one.
        """
        self._signers = {role: _signer(disk, folder / f"{role}.pem") for role in Role}
        self._roots = {
            role: _root(disk, folder / f"{role}.root.json", signer, now)
            for role, signer in self._signers.items()
        }

    def root(self, role: Role) -> str:
        """The root that a device pins."""
        return self._roots[role]

    def fingerprint(self) -> str:
        """Stands for both roots, inside an enrolment token."""
        return fingerprint(self._roots[Role.IMAGE], self._roots[Role.DIRECTOR])

    def issue(
        self, role: Role, version: int, now: float, files: Mapping[str, bytes], *, carried: bool
    ) -> bytes:
        """A bundle as it is published.

        Args:
            role: Whose.
            version: Of timestamp, snapshot and targets.
            now: When, Unix seconds.
            files: What is listed, by path.
            carried: Whether the files travel along.
        """
        signer, until = self._signers[role], _date(now + LIFE_S)
        targets = Targets(version=version, expires=until)
        for path, data in files.items():
            targets.targets[path] = TargetFile(len(data), {"sha256": sha256_hex(data)}, path)
        targets_text = _signed(targets, signer)
        meta = {"targets.json": _meta(version, targets_text)}
        snapshot_text = _signed(Snapshot(version=version, expires=until, meta=meta), signer)
        timestamp = Timestamp(
            version=version,
            expires=until,
            snapshot_meta=_meta(version, snapshot_text),
            unrecognized_fields={ISSUED_AT: int(now)},
        )
        bundle = Bundle(
            roots=[self._roots[role]],
            timestamp=_signed(timestamp, signer),
            snapshot=snapshot_text,
            targets=targets_text,
            files={path: data.decode() for path, data in files.items()} if carried else {},
        )
        return encode_compressed(bundle)


def _root(disk: Disk, path: Path, signer: s.CryptoSigner, now: float) -> str:
    try:
        return disk.read(path).decode()
    except FileNotFoundError:
        root = Root(version=1, expires=_date(now + ROOT_LIFE_S), consistent_snapshot=False)
        for role in _ROLES:
            root.add_key(signer.public_key, role)
        text = _signed(root, signer)
        replace(disk, path, text.encode())
        return text


def _signed(role: Root | Timestamp | Snapshot | Targets, signer: s.CryptoSigner) -> str:
    metadata: Metadata[Root] = Metadata(role)  # type: ignore[arg-type]  # every role is signed alike
    metadata.sign(signer)
    return metadata.to_bytes().decode()


def _meta(version: int, text: str) -> MetaFile:
    data = text.encode()
    return MetaFile(version, len(data), {"sha256": sha256_hex(data)})


def _date(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC).replace(microsecond=0)


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
