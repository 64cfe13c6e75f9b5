"""How signed metadata travels: one bundle a repository, and what its files are called.

There are two TUF repositories, after Uptane: *image* says what exists, *director* says what a
cohort should run. A bundle holds all current metadata of one of them, so that a device needs one
retained message and no conversation. Source: The Update Framework specification 1.0.34; Uptane
standard 2.1.0.
"""

import msgspec

from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.messages import Message


class Bundle(Message, frozen=True, kw_only=True):
    """All current metadata of one repository, each file as the text that was signed.

    Attributes:
        roots: Every root, from version 1 on.
        timestamp: The timestamp role.
        snapshot: The snapshot role.
        targets: The targets role.
        files: Target files that travel along, by their path in `targets`.
    """

    roots: list[str]
    timestamp: str
    snapshot: str
    targets: str
    files: dict[str, str] = msgspec.field(default_factory=dict)


ISSUED_AT = "x-fleetloop-issued-at"
"""Extra field of a signed timestamp: when it was signed, whole Unix seconds; devices take no
earlier time for true afterwards."""


def manifest_target(model: str, version: int) -> str:
    """Where the image repository lists a version's manifest.

    >>> manifest_target("rain", 3)
    'models/rain/3.json'
    """
    return f"models/{model}/{version}.json"


def desired_target(cohort: str) -> str:
    """Where the director repository lists a cohort's desired state.

    >>> desired_target("default")
    'cohorts/default.json'
    """
    return f"cohorts/{cohort}.json"


def fingerprint(image_root: str, director_root: str) -> str:
    """16 hexadecimal digits that stand for both pinned roots, short enough to type.

    >>> fingerprint("a", "b") == fingerprint("b", "a")
    False
    """
    return sha256_hex(f"{sha256_hex(image_root.encode())} {director_root}".encode())[:16]
