"""API tokens: secrets for programs, kept as hashes, bound to a role and a time."""

import contextlib
import secrets
import threading
from collections.abc import Callable
from typing import NamedTuple

from msgspec.structs import replace

from fleetloop_hub.errors import PeopleError
from fleetloop_hub.people_records import ApiToken, Person, Role
from fleetloop_hub.ports import Catalog
from fleetloop_shared.errors import DiskFullError
from fleetloop_shared.ids import sha256_hex

PREFIX = "flt_"
"""So that whoever finds one in a log or a repository knows what it is."""
MOST = 1_000
_DAY_S = 86_400.0
_NOTED_EVERY_S = 600.0
LONGEST_DAYS = 366


class MadeToken(NamedTuple):
    """A token that was made.

    Attributes:
        secret: To be shown once.
        token: What is kept of it.
    """

    secret: str
    token: ApiToken


class ApiTokens:
    """Tokens by the hashes of their secrets. Safe to be called from many threads."""

    def __init__(self, catalog: Catalog, now: Callable[[], float]) -> None:
        """Keep them in `catalog`, with `now` in Unix seconds."""
        self._catalog, self._now = catalog, now
        self._lock = threading.Lock()

    def make(self, name: str, person: str, role: Role, days: float) -> MadeToken:
        """A new token.

        Args:
            name: What it is for.
            person: Whose it is, "" of a program that an admin lets in.
            role: The most it may do.
            days: How long it is good.

        Raises:
            PeopleError: There are too many, or the time is none.
        """
        if not 0 < days <= LONGEST_DAYS:
            raise PeopleError(f"a token is good for up to {LONGEST_DAYS} days: none was made")
        now = self._now()
        if sum(self._stands(token) for token in self._catalog.all(ApiToken)) >= MOST:
            raise PeopleError(f"{MOST} tokens stand already: revoke some; none was made")
        secret = PREFIX + secrets.token_urlsafe(32)
        digest = sha256_hex(secret.encode())
        made = ApiToken(
            key=digest[:12],
            name=name,
            person=person,
            role=role,
            digest=digest,
            made_at=now,
            expires_at=now + days * _DAY_S,
        )
        self._catalog.put(made)
        return MadeToken(secret, made)

    def find(self, secret: str) -> tuple[ApiToken, Role] | None:
        """The token and what it may do now; None for one that is unknown, over, or whose person is.

        What is looked up is a hash, so that the time it takes says nothing of secrets.
        """
        digest = sha256_hex(secret.encode())
        token = self._catalog.find(ApiToken, digest[:12])
        if token is None or token.digest != digest or not self._stands(token):
            return None
        if not token.person:
            return token, token.role
        person = self._catalog.find(Person, token.person)
        if person is None or person.disabled_at is not None or person.one_time:
            return None
        return token, token.role if person.role.covers(token.role) else person.role

    def note_use(self, token: ApiToken) -> None:
        """Note that a token was used, every ten minutes at most; where the disk is full, do not."""
        now = self._now()
        if token.used_at is not None and now - token.used_at < _NOTED_EVERY_S:
            return
        with self._lock, contextlib.suppress(DiskFullError):
            found = self._catalog.find(ApiToken, token.key)
            if found is not None:
                self._catalog.put(replace(found, used_at=now))

    def all(self, person: str | None = None) -> list[ApiToken]:
        """Those of a person, or all, the newest first."""
        found = [t for t in self._catalog.all(ApiToken) if person is None or t.person == person]
        return sorted(found, key=lambda token: token.made_at, reverse=True)

    def revoke(self, key: str, person: str | None = None) -> ApiToken:
        """Make a token void.

        Args:
            key: Its id.
            person: Whose it must be; None is anybody's.

        Raises:
            PeopleError: There is none.
        """
        with self._lock:
            found = self._catalog.find(ApiToken, key)
            if found is None or (person is not None and found.person != person):
                raise PeopleError(f"there is no token {key[:40]!r} of yours: nothing was revoked")
            revoked = replace(found, revoked_at=found.revoked_at or self._now())
            self._catalog.put(revoked)
            return revoked

    def _stands(self, token: ApiToken) -> bool:
        return token.revoked_at is None and self._now() < token.expires_at
