"""Decides, in numbered checks, what a device may be told and what it may install.

Assumed: an attacker who can publish and replay anything on the broker.

Each repository's bundle, in `trust/`:
 1. Its metadata is signed by the thresholds of roots that go back to the pinned one, none has
    expired, no version goes back, all belong together (TUF 1.0.34, section 5), and none leaps.

The desired state in the director's bundle:
 2. The director's targets list it for this device's cohort, with its length and hash.
 3. Its sequence is not below the accepted one; an equal one is the same statement.
 4. Its security floor is not below the accepted one.
    After a newer root of the director, 3 begins anew and 4 goes by the models that are installed: a
    thief of the director's keys must not bind a fleet for ever, and cannot sign a root.
 5. The hashes it names are hashes, its label queries can be read, and a challenger's shares and
    limits can be.

The manifest it names:
 6. The image repository lists it too, under the same path, length and hash; nothing has expired.
 7. Its bytes have that length and that hash.
 8. It is about the model and the version that the statement names.
 9. Its parts agree with each other, and the hashes it names are hashes.
10. It is for this device's hardware.
11. It was released at or above the security floor.
12. Its artifact has not failed on this device.
13. The device has room for it. (No refusal: it is tried again later.)
"""

import math
import re

from fleetloop_agent.trust.trust import Trust, unlisted
from fleetloop_agent.update.journal import Journal
from fleetloop_shared import label_query, membership
from fleetloop_shared.codec import decode
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
from fleetloop_shared.ids import SHA256, sha256_hex
from fleetloop_shared.manifest import Manifest
from fleetloop_shared.manifest_check import check
from fleetloop_shared.messages import DesiredState, Release, Shadow

RESERVE_BYTES = 1_000_000
"""Room that an update leaves for journal and outbox."""

_SHA256 = re.compile(SHA256)


def statement(
    desired: DesiredState, cohort: str, accepted: DesiredState | None, floor: int
) -> None:
    """Check a desired state that the director has signed.

    Args:
        desired: What it says.
        cohort: This device's.
        accepted: The last accepted statement.
        floor: The highest accepted security floor.

    Raises:
        RefusedError: A check has failed; nothing has changed.
    """
    if desired.cohort != cohort:  # 2
        raise WrongCohortError(f"a statement for cohort {desired.cohort}, not {cohort}")
    if accepted is not None:  # 3
        if desired.sequence < accepted.sequence:
            raise RollbackError(
                f"statement {desired.sequence} is older than {accepted.sequence}: a replay"
            )
        if desired.sequence == accepted.sequence and desired != accepted:
            raise MixAndMatchError(f"two different statements are numbered {desired.sequence}")
    if desired.floor < floor:  # 4
        raise BelowFloorError(f"a security floor of {desired.floor}, below the accepted {floor}")
    challenger = [desired.shadow.release] if desired.shadow is not None else []
    for release in [*membership.releases(desired), *challenger]:  # 5
        if not _SHA256.fullmatch(release.manifest_sha256):
            raise UndecodableError(f"{release.manifest_sha256[:80]!r} is no SHA-256")
    for query in membership.queries(desired):
        label_query.parse(query)
    shadow = desired.shadow
    if shadow is not None and not _possible(shadow):
        raise UndecodableError("a challenger's shares or limits that cannot be")


def vouched(release: Release, trust: Trust) -> None:
    """Check 6: both repositories agree on the release, now.

    Raises:
        FreezeError: What they said has expired.
        RefusedError: The image repository does not list it, or another file in its place.
    """
    trust.check_fresh()
    if not trust.lists(release):
        raise unlisted(release)


def manifest(payload: bytes, release: Release, hardware: str, journal: Journal) -> Manifest:
    """The manifest in `payload`, if this device may install what it describes.

    Args:
        payload: Its bytes.
        release: What the accepted statement says about it.
        hardware: This device's hardware type.
        journal: Floor and quarantine.

    Raises:
        RefusedError: A check has failed; nothing has changed.
    """
    name = f"{release.model} {release.version}"
    if len(payload) != release.manifest_bytes or sha256_hex(payload) != release.manifest_sha256:
        raise MixAndMatchError(f"the manifest of {name} is not the one the statement names")  # 7
    found = decode(payload, Manifest)
    if (found.model, found.version) != (release.model, release.version):  # 8
        raise MixAndMatchError(
            f"the statement says {name}, its manifest {found.model} {found.version}"
        )
    check(found)  # 9
    hashes = [found.sha256, found.transport.sha256, *found.transport.chunks]
    if not all(_SHA256.fullmatch(sha256) for sha256 in hashes):
        raise ManifestError(f"manifest of {name}: a hash that is no SHA-256")
    if found.hardware and hardware not in found.hardware:  # 10
        raise WrongHardwareError(
            f"{name} is for {', '.join(found.hardware)}; this device is {hardware}"
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


def _possible(shadow: Shadow) -> bool:
    """Whether shares are shares, and limits leave something."""
    shares = 0 <= shadow.rows_share <= 1 and 0 <= shadow.answer_share <= 1
    limits = 0 < shadow.cpu_share <= 1 and shadow.most_delay_ms > 0 and shadow.memory_bytes > 0
    return shares and limits and 0 <= shadow.most_difference < math.inf
