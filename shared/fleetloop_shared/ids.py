"""The names that stand in topics and paths, and what they may be made of."""

import hashlib
import re

from fleetloop_shared.errors import InvalidIdError

NAME = r"[a-z0-9_-]{1,64}"
SHA256 = r"[0-9a-f]{64}"

CHALLENGER_BOOTS = 1_000_000_000
"""Added to the number of a start in the ids of answers that a challenger has given."""

_NAME = re.compile(NAME)
_PHASE_BASE = 10_000


def check_name(name: str, what: str) -> str:
    """Return `name` if it may stand in a topic and a path.

    Args:
        name: The name of a device, cohort, model or rollout.
        what: What it names, for the error's text.

    Raises:
        InvalidIdError: It is not 1 to 64 of `a-z 0-9 _ -`.
    """
    if _NAME.fullmatch(name) is None:
        raise InvalidIdError(f"{what} {name[:80]!r} must be 1 to 64 characters of a-z 0-9 _ -")
    return name


def sha256_hex(data: bytes) -> str:
    """The lower-case hexadecimal SHA-256 of `data`, the name of all content here."""
    return hashlib.sha256(data).hexdigest()


def bucket(device: str, salt: str) -> int:
    """Where a device falls in a rollout: 0 to 9,999, the same on hub and device.

    A device takes the release while `bucket < phase`. Nobody who only writes to the broker
    can aim at one device, and no poll order can fill a phase with always-on devices.

    >>> bucket("station-1", "r1") == bucket("station-1", "r1")
    True
    """
    digest = hashlib.sha256(f"{device}\x00{salt}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % _PHASE_BASE
