"""Keys that people hold: made and used on their own machines; the hub never sees a private half."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from securesystemslib.signer import CryptoSigner, Key, SSlibKey
from tuf.api.metadata import Root, Targets

from fleetloop_hub.errors import SigningError
from fleetloop_hub.trust import documents as d
from fleetloop_hub.trust.keyring import key_name, read_key
from fleetloop_hub.trust.shown import PersonSignature, Waiting
from fleetloop_hub.trust.terms import Repository, Role
from fleetloop_shared.durable import RealDisk, replace

_MOST_FILES_SHOWN = 40


def check_threshold(threshold: int, many: int) -> None:
    """See that so many keys can reach a threshold.

    Raises:
        SigningError: They cannot.
    """
    if not 1 <= threshold <= many:
        raise SigningError(
            f"{threshold} of {many} keys cannot be asked for: write --threshold 2 --of 3"
        )


def make_keys(repository: Repository, many: int, out: Path) -> dict[str, CryptoSigner]:
    """New keys, one file each in a folder, by name.

    Raises:
        SigningError: The folder is not empty.
        DiskFullError: No room.
    """
    if out.is_dir() and any(out.iterdir()):
        raise SigningError(f"{out} is not empty: name a new folder, so that no key is lost")
    disk, made = RealDisk(out), {}
    for number in range(1, many + 1):
        signer = CryptoSigner.generate_ed25519()
        name = key_name(f"{repository}-person-{number}", signer)
        replace(disk, Path(f"{name}.pem"), signer.private_bytes)
        made[name] = signer
    return made


def public_halves(signers: Mapping[str, CryptoSigner]) -> dict[str, str]:
    """What the hub may know of keys: hexadecimal public halves, by name."""
    return {name: str(signer.public_key.keyval["public"]) for name, signer in signers.items()}


def public_keys(people: Mapping[str, str]) -> dict[str, Key]:
    """Keys by name, from their public halves.

    Raises:
        SigningError: One is no Ed25519 key.
    """
    keys: dict[str, Key] = {}
    for name, public in people.items():
        try:
            keys[name] = SSlibKey.from_crypto(
                Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
            )
        except (ValueError, UnsupportedAlgorithm) as error:
            raise SigningError(f"{name}: {public[:80]!r} is no public Ed25519 key") from error
    return keys


def pin(folder: Path, repository: Repository, root: str) -> None:
    """Keep beside people's keys the root from which they follow all later ones."""
    replace(RealDisk(folder), Path(f"{repository}.root.json"), root.encode())


def pinned(key_file: Path, repository: Repository) -> str:
    """The root that is kept beside a key, "" if none is."""
    file = key_file.parent / f"{repository}.root.json"
    return file.read_text("utf-8") if file.is_file() else ""


def check(waiting: Waiting, pinned_root: str) -> None:
    """See that what the hub calls published follows from the root that is kept beside the key.

    Otherwise a stolen hub could slip something in among what seems to be there already.

    Raises:
        SigningError: It does not follow; nothing should be signed.
        KeyFileError: Something is no metadata.
    """
    if pinned_root not in waiting.roots:
        raise _untrue(waiting, "its roots do not follow from the one beside the key file")
    later = waiting.roots[waiting.roots.index(pinned_root) :]
    before = d.read(later[0], Root).signed
    for text in later[1:]:
        root = d.read(text, Root)
        if not d.follows(root, before):
            raise _untrue(waiting, f"root {root.signed.version} is not signed as it should be")
        before = root.signed
    if waiting.role is Role.ROOT:
        good = waiting.before == later[-1]
    else:
        good = d.is_signed(before, Role.TARGETS, d.read(waiting.before, Targets))
    if not good:
        raise _untrue(waiting, "what it calls published was never signed")


def _untrue(waiting: Waiting, why: str) -> SigningError:
    return SigningError(
        f"what the hub says about {waiting.repository} {waiting.role} is not true: {why}. Nothing "
        "was signed; the hub may be in foreign hands"
    )


def read_key_file(path: Path) -> CryptoSigner:
    """The signer in a person's key file.

    Raises:
        KeyFileError: There is none in it.
        SigningError: It cannot be read.
    """
    try:
        return read_key(path.read_bytes(), str(path))
    except OSError as error:
        raise SigningError(f"{path}: {os.strerror(error.errno or 0)}: name the key file") from error


def sign(waiting: Waiting, signer: CryptoSigner) -> PersonSignature:
    """A person's signature over exactly what was shown."""
    root = waiting.role is Role.ROOT
    metadata = d.read(waiting.text, Root) if root else d.read(waiting.text, Targets)
    made = signer.sign(metadata.signed_bytes)
    return PersonSignature(
        repository=waiting.repository,
        role=waiting.role,
        version=waiting.version,
        keyid=made.keyid,
        signature=made.signature,
    )


def describe(waiting: Waiting, *, checked: bool = True) -> list[str]:
    """What would be signed, in words made from its bytes on the person's own machine.

    Args:
        waiting: What the hub says.
        checked: Whether `check` has found true what it calls published; else all counts as new.

    Raises:
        KeyFileError: It is no metadata.
    """
    if waiting.role is Role.ROOT:
        return _describe_root(waiting)
    return _describe_targets(waiting, checked=checked)


def _describe_root(waiting: Waiting) -> list[str]:
    after = d.read(waiting.text, Root).signed
    before = d.read(waiting.before, Root).signed
    lines = [
        f"{waiting.repository} root, version {after.version}, until {_day(d.expires_at(after))}:"
    ]
    for role in Role:
        old, new = before.roles[role], after.roles[role]
        if old == new:
            continue
        lines.append(f"  {role}: {new.threshold} of {len(new.keyids)} keys must sign")
        lines += [f"    + {keyid}" for keyid in new.keyids if keyid not in old.keyids]
        lines += [f"    - {keyid}" for keyid in old.keyids if keyid not in new.keyids]
    if len(lines) == 1:
        lines.append("  the same keys as before, only for longer")
    return lines


def _describe_targets(waiting: Waiting, *, checked: bool) -> list[str]:
    after = d.read(waiting.text, Targets).signed
    before = d.read(waiting.before, Targets).signed.targets if checked else {}
    until, many = _day(d.expires_at(after)), len(after.targets)
    head = f"{waiting.repository} targets, version {after.version}, until {until}: {many:,} files"
    changed = []
    for path, (length, sha256) in d.listed_in(after).items():
        if path not in before or before[path].hashes != {"sha256": sha256}:
            changed.append(f"    + {path}, {length:,} bytes, SHA-256 {sha256}")
    changed += [f"    - {path}" for path in before if path not in after.targets]
    if len(changed) > _MOST_FILES_SHOWN:
        changed = [*changed[:_MOST_FILES_SHOWN], f"    and {len(changed):,} in all"]
    return [head] + (changed or ["  the same versions as before, signed anew"])


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).date().isoformat()
