"""Passwords: kept as argon2id hashes, and made where one is to be used once.

Source: RFC 9106 (argon2); parameters as OWASP's Password Storage Cheat Sheet has them (19 MiB, two
passes, one lane). NIST SP 800-63B on lengths: no rules on the kinds of characters.
"""

import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from fleetloop_hub.errors import PeopleError

SHORTEST = 12
LONGEST = 256
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is taken for something else
_PARTS, _PART = 4, 5
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_NOBODYS = _HASHER.hash("nobody")


def hashed(password: str, name: str = "") -> str:
    """The hash of a password that is allowed.

    Args:
        password: In clear.
        name: Whose it is; it must be another word.

    Raises:
        PeopleError: Too short, too long, or the name.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise PeopleError(f"a password has {SHORTEST} to {LONGEST} characters: nothing was changed")
    if name and password.casefold() in {name.casefold(), name.casefold() * 2}:
        raise PeopleError("a password is not the name: nothing was changed")
    return _HASHER.hash(password)


def is_right(password: str, kept: str) -> bool:
    """Whether a password is the one that was hashed; as slow for nobody's as for somebody's."""
    try:
        _HASHER.verify(kept or _NOBODYS, password[: LONGEST + 1])
    except (VerificationError, InvalidHashError):
        return False
    return bool(kept)


def one_time() -> str:
    """A password to be used once: 20 drawn characters, 99 bits.

    >>> len(one_time())
    23
    """
    parts = ("".join(secrets.choice(_ALPHABET) for _ in range(_PART)) for _ in range(_PARTS))
    return "-".join(parts)
