"""Signed metadata as texts: making, reading, signing and counting signatures; pure.

Source: The Update Framework specification 1.0.34, sections 4 (formats) and 5.3.4 (a root is
verified by the root before it and by itself).
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TypeVar

from securesystemslib.signer import CryptoSigner, Key, Signature
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import (
    Metadata,
    MetaFile,
    Root,
    Signed,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)
from tuf.api.serialization.json import JSONSerializer

from fleetloop_hub.errors import KeyFileError
from fleetloop_hub.trust.terms import Role
from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.trust import ISSUED_AT

S = TypeVar("S", Root, Timestamp, Snapshot, Targets)

Signers = Mapping[str, CryptoSigner]
"""Private keys by key id."""

Listed = Mapping[str, tuple[int, str]]
"""Length and SHA-256 of files, by path."""


def text_of(metadata: Metadata[S]) -> str:
    """The metadata as it is kept and sent; reading it gives the same bytes to be signed."""
    return metadata.to_bytes(JSONSerializer(compact=True)).decode()


def read(text: str, kind: type[S]) -> Metadata[S]:
    """The metadata in a text; its signatures are not looked at.

    Raises:
        KeyFileError: It is not of this kind.
    """
    try:
        metadata: Metadata[S] = Metadata[S].from_bytes(text.encode())
    except (RepositoryError, ValueError) as error:
        raise KeyFileError(f"signed metadata that is none ({error!s:.120})") from error
    if not isinstance(metadata.signed, kind):
        raise KeyFileError(f"signed metadata of role {metadata.signed.type}, not {kind.type}")
    return metadata


def date(at: float) -> datetime:
    """A moment as metadata write it: whole seconds, UTC."""
    return datetime.fromtimestamp(at, UTC).replace(microsecond=0)


def expires_at(signed: Signed) -> float:
    """Until when it holds, Unix seconds."""
    return signed.expires.timestamp()


def with_signatures(metadata: Metadata[S], signers: Iterable[CryptoSigner]) -> Metadata[S]:
    """The metadata, signed by these as well where they have not yet."""
    for signer in signers:
        if signer.public_key.keyid not in metadata.signatures:
            metadata.sign(signer, append=True)
    return metadata


def signers_of(root: Root, role: Role, signers: Signers) -> list[CryptoSigner]:
    """Those of `signers` that may sign `role`."""
    return [signers[keyid] for keyid in root.roles[role].keyids if keyid in signers]


def keys_of(root: Root, role: Role) -> list[Key]:
    """The keys that may sign `role`."""
    return [root.keys[keyid] for keyid in root.roles[role].keyids]


def signed_by(root: Root, role: Role, metadata: Metadata[S]) -> set[str]:
    """Ids of those keys of `role` whose signature stands, and verifies."""
    result = root.get_verification_result(role, metadata.signed_bytes, metadata.signatures)
    return set(result.signed)


def is_signed(root: Root, role: Role, metadata: Metadata[S]) -> bool:
    """Whether as many keys of `role` have signed as must."""
    return len(signed_by(root, role, metadata)) >= root.roles[role].threshold


def follows(root: Metadata[Root], before: Root | None) -> bool:
    """Whether a root is the next, signed as the root before it asks and as itself asks."""
    if root.signed.version != (1 if before is None else before.version + 1):
        return False
    signatures = root.signatures
    return root.signed.get_root_verification_result(before, root.signed_bytes, signatures).verified


def verifies(key: Key, signature: Signature, metadata: Metadata[S]) -> bool:
    """Whether this signature is this key's, over these metadata."""
    try:
        key.verify_signature(signature, metadata.signed_bytes)
    except Exception:  # noqa: BLE001  # the library meets whatever the sender wrote
        return False
    return True


def make_targets(version: int, until: float, listed: Listed) -> Metadata[Targets]:
    """A list of files, unsigned."""
    targets = Targets(version=version, expires=date(until))
    for path, (length, sha256) in sorted(listed.items()):
        targets.targets[path] = TargetFile(length, {"sha256": sha256}, path)
    return Metadata(targets)


def listed_in(targets: Targets) -> dict[str, tuple[int, str]]:
    """The files that targets list."""
    return {
        path: (file.length, file.hashes.get("sha256", "")) for path, file in targets.targets.items()
    }


def make_snapshot(version: int, until: float, targets: str) -> Metadata[Snapshot]:
    """Says which targets are the newest, unsigned."""
    number = read(targets, Targets).signed.version
    meta = {"targets.json": _meta(number, targets)}
    return Metadata(Snapshot(version=version, expires=date(until), meta=meta))


def make_timestamp(version: int, until: float, snapshot: str, now: float) -> Metadata[Timestamp]:
    """Says which snapshot is the newest and when that was said, unsigned."""
    number = read(snapshot, Snapshot).signed.version
    return Metadata(
        Timestamp(
            version=version,
            expires=date(until),
            snapshot_meta=_meta(number, snapshot),
            unrecognized_fields={ISSUED_AT: int(now)},
        )
    )


def _meta(version: int, text: str) -> MetaFile:
    data = text.encode()
    return MetaFile(version, len(data), {"sha256": sha256_hex(data)})
