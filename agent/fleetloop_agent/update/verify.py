"""Decides, in numbered checks, what a device may be told and what it may install.

Assumed: an attacker who can publish and replay anything on the broker.

The desired state:
 1. A pinned director key has signed it, as a desired state.
 2. It is for this device's cohort.
 3. Its sequence is not below the accepted one; an equal one is the same statement.
 4. Its security floor is not below the accepted one.
 5. The hashes it names are hashes.

The manifest it names:
 6. Its bytes have the length and the hash that the statement gives.
 7. A pinned image key has signed it, as a manifest.
 8. It is about the model and the version that the statement names.
 9. Its parts agree with each other, and the hashes it names are hashes.
10. It is for this device's hardware.
11. It was released at or above the security floor.
12. Its artifact has not failed on this device.
13. The device has room for it. (No refusal: it is tried again later.)

Not checked here: expiry. A statement has none yet, so a frozen device is seen only at the hub.
"""

import re
from dataclasses import dataclass

from fleetloop_agent.update.journal import Journal
from fleetloop_shared.errors import (
    BelowFloorError,
    DiskFullError,
    ManifestError,
    MixAndMatchError,
    QuarantinedError,
    RollbackError,
    UndecodableError,
    WrongCohortError,
    WrongHardwareError,
)
from fleetloop_shared.ids import SHA256, bucket, sha256_hex
from fleetloop_shared.manifest import Manifest, check
from fleetloop_shared.messages import DesiredState, Release
from fleetloop_shared.signing import DESIRED_TYPE, MANIFEST_TYPE, PublicKey, open_envelope

RESERVE_BYTES = 1_000_000
"""Room that an update leaves for journal and outbox."""

_SHA256 = re.compile(SHA256)


@dataclass(frozen=True)
class Identity:
    """Who a device is, and whom it believes.

    Attributes:
        device: Its name.
        cohort: The cohort it belongs to.
        hardware: Its hardware type.
        image_keys: Who may say what exists.
        director_keys: Who may say what to run.
    """

    device: str
    cohort: str
    hardware: str
    image_keys: list[PublicKey]
    director_keys: list[PublicKey]


def statement(
    payload: bytes, who: Identity, accepted: DesiredState | None, floor: int
) -> DesiredState:
    """The desired state in `payload`, if this device may follow it.

    Args:
        payload: The envelope.
        who: This device.
        accepted: The last accepted statement.
        floor: The highest accepted security floor.

    Raises:
        RefusedError: A check has failed; nothing has changed.
    """
    desired = open_envelope(payload, DESIRED_TYPE, who.director_keys, DesiredState)  # 1
    if desired.cohort != who.cohort:  # 2
        raise WrongCohortError(f"a statement for cohort {desired.cohort}, not {who.cohort}")
    if accepted is not None:  # 3
        if desired.sequence < accepted.sequence:
            raise RollbackError(
                f"statement {desired.sequence} is older than {accepted.sequence}: a replay"
            )
        if desired.sequence == accepted.sequence and desired != accepted:
            raise MixAndMatchError(f"two different statements are numbered {desired.sequence}")
    if desired.floor < floor:  # 4
        raise BelowFloorError(f"a security floor of {desired.floor}, below the accepted {floor}")
    for release in (desired.release, desired.control):  # 5
        if release is not None and not _SHA256.fullmatch(release.manifest_sha256):
            raise UndecodableError(f"{release.manifest_sha256[:80]!r} is no SHA-256")
    return desired


def manifest(payload: bytes, release: Release, who: Identity, journal: Journal) -> Manifest:
    """The manifest in `payload`, if this device may install what it describes.

    Args:
        payload: The envelope.
        release: What the accepted statement says about it.
        who: This device.
        journal: Floor and quarantine.

    Raises:
        RefusedError: A check has failed; nothing has changed.
    """
    name = f"{release.model} {release.version}"
    if len(payload) != release.manifest_bytes or sha256_hex(payload) != release.manifest_sha256:
        raise MixAndMatchError(f"the manifest of {name} is not the one the statement names")  # 6
    found = open_envelope(payload, MANIFEST_TYPE, who.image_keys, Manifest)  # 7
    if (found.model, found.version) != (release.model, release.version):  # 8
        raise MixAndMatchError(
            f"the statement says {name}, its manifest {found.model} {found.version}"
        )
    check(found)  # 9
    hashes = [found.sha256, found.transport.sha256, *found.transport.chunks]
    if not all(_SHA256.fullmatch(sha256) for sha256 in hashes):
        raise ManifestError(f"manifest of {name}: a hash that is no SHA-256")
    if found.hardware and who.hardware not in found.hardware:  # 10
        raise WrongHardwareError(
            f"{name} is for {', '.join(found.hardware)}; this device is {who.hardware}"
        )
    if found.floor < journal.floor:  # 11
        raise BelowFloorError(
            f"{name} was released at security floor {found.floor}, below {journal.floor}"
        )
    if any(found.sha256 == slot.artifact for slot in journal.quarantine):  # 12
        raise QuarantinedError(f"{name} has failed on this device; release a new version")
    return found


def room(found: Manifest, free_bytes: int) -> None:
    """Check 13: the part, the artifact and a reserve must fit.

    Raises:
        DiskFullError: They do not.
    """
    needed = found.transport.length_bytes + found.length_bytes + RESERVE_BYTES
    if free_bytes < needed:
        raise DiskFullError(
            f"{found.model} {found.version} needs {needed:,} bytes and {free_bytes:,} are free:"
            " free some space; the update waits, and serving goes on"
        )


def choose(desired: DesiredState, device: str) -> Release | None:
    """What a statement means for one device; None: keep what is there."""
    chosen = bucket(device, desired.salt) < desired.phase
    return desired.release if chosen else desired.control
