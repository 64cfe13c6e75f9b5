"""Makes the signed metadata of one TUF repository, as a hub does, with keys in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    Key,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

from fleetloop_shared.codec import encode_compressed
from fleetloop_shared.trust import ISSUED_AT, Bundle

LIFE_S = 30 * 86_400.0
"""How long metadata is good, unless told otherwise."""

ROLES = ("root", "timestamp", "snapshot", "targets")


def new_keys() -> dict[str, list[CryptoSigner]]:
    """One key a role."""
    return {role: [CryptoSigner.generate_ed25519()] for role in ROLES}


@dataclass(frozen=True)
class Issue:
    """How a bundle is signed.

    Attributes:
        version: Of timestamp, snapshot and targets.
        now: When, Unix seconds.
        life_s: How long it is good.
    """

    version: int
    now: float
    life_s: float = LIFE_S


@dataclass
class Repository:
    """The keys and the roots of one repository.

    Attributes:
        began: When its first root was signed, Unix seconds.
        keys: Who signs for each role; every one of them signs, and that many must.
        root_life_s: How long a root is good.
        roots: Every root, from version 1 on.
    """

    began: float
    keys: dict[str, list[CryptoSigner]] = field(default_factory=new_keys)
    root_life_s: float = 365 * 86_400.0
    roots: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Sign the first root."""
        if not self.roots:
            self.rotate({}, self.began)

    def rotate(self, keys: Mapping[str, list[CryptoSigner]], now: float) -> None:
        """Sign a new root that gives roles other keys; the old root's keys sign it as well.

        Args:
            keys: The roles that change.
            now: When, Unix seconds.
        """
        signers = list(self.keys["root"])
        self.keys = {**self.keys, **keys}
        signers += [key for key in self.keys["root"] if key not in signers]
        root = Root(
            version=len(self.roots) + 1,
            expires=_date(now + self.root_life_s),
            consistent_snapshot=False,
        )
        for role in ROLES:
            root.roles[role].threshold = len(self.keys[role])
            for signer in self.keys[role]:
                root.add_key(_public(signer), role)
        self.roots.append(signed(root, signers))

    def issue(self, how: Issue, files: Mapping[str, bytes], carried: bool = True) -> Bundle:  # noqa: FBT001, FBT002  # an adverb, not a switch between two jobs
        """A bundle of current metadata.

        Args:
            how: Its version and times.
            files: What `targets` lists, by path.
            carried: Whether the files travel along.
        """
        until = _date(how.now + how.life_s)
        targets = Targets(version=how.version, expires=until)
        for path, data in files.items():
            targets.targets[path] = TargetFile.from_data(path, data, ["sha256"])
        targets_text = signed(targets, self.keys["targets"])
        snapshot = Snapshot(
            version=how.version, expires=until, meta={"targets.json": _meta(how, targets_text)}
        )
        snapshot_text = signed(snapshot, self.keys["snapshot"])
        timestamp = Timestamp(
            version=how.version,
            expires=until,
            snapshot_meta=_meta(how, snapshot_text),
            unrecognized_fields={ISSUED_AT: int(how.now)},
        )
        return Bundle(
            roots=list(self.roots),
            timestamp=signed(timestamp, self.keys["timestamp"]),
            snapshot=snapshot_text,
            targets=targets_text,
            files={path: data.decode() for path, data in files.items()} if carried else {},
        )


def payload(bundle: Bundle) -> bytes:
    """A bundle as it is published."""
    return encode_compressed(bundle)


def signed(role: Root | Timestamp | Snapshot | Targets, signers: list[CryptoSigner]) -> str:
    """The text of a role's metadata with these signatures."""
    metadata: Metadata[Root] = Metadata(role)  # type: ignore[arg-type]  # every role is signed alike
    for signer in signers:
        metadata.sign(signer, append=True)
    return metadata.to_bytes().decode()


def _meta(how: Issue, text: str) -> MetaFile:
    return MetaFile.from_data(how.version, text.encode(), ["sha256"])


def _public(signer: CryptoSigner) -> Key:
    return signer.public_key


def _date(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC).replace(microsecond=0)
