"""The people of a hub: the first admin, those who are let in, and what becomes of them."""

import re
import threading
from collections.abc import Callable

from msgspec.structs import replace

from fleetloop_hub.errors import PeopleError
from fleetloop_hub.people import passwords
from fleetloop_hub.people_records import Person, Role
from fleetloop_hub.ports import Catalog
from fleetloop_shared.ids import sha256_hex

FIRST = "admin"
LONGEST_S = 12 * 3_600.0
"""A session is over after so long, whatever was done in it."""
IDLE_S = 2 * 3_600.0
"""It is over after so long in which nothing was done."""
_MOST_ENDED = 50
_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}", re.ASCII)


class Accounts:
    """People by their names. Safe to be called from many threads."""

    def __init__(self, catalog: Catalog, now: Callable[[], float]) -> None:
        """Keep them in `catalog`, with `now` in Unix seconds."""
        self._catalog, self._now = catalog, now
        self._lock = threading.Lock()

    def begin(self) -> str | None:
        """Make the first admin where there is nobody yet; returns the one-time password then."""
        with self._lock:
            if self._catalog.all(Person):
                return None
            password = passwords.one_time()
            self._catalog.put(self._made(FIRST, Role.ADMIN, password))
            return password

    def all(self) -> list[Person]:
        """Everybody, in the order in which they were let in."""
        return self._catalog.all(Person)

    def find(self, name: str) -> Person | None:
        """Somebody who may sign in, None if they are not there or may not."""
        found = self._catalog.find(Person, name)
        return None if found is None or found.disabled_at is not None else found

    def sign_in(self, name: str, password: str) -> Person | None:
        """Whoever has this name and password, None if nobody has."""
        found = self.find(name.strip().lower())
        if not passwords.is_right(password, "" if found is None else found.password):
            return None
        return None if found is None else self.seen(found.key)

    def seen(self, name: str) -> Person:
        """Note that somebody has signed in."""
        return self._change(name, seen_at=self._now())

    def end_session(self, name: str, session: str) -> None:
        """Note that a session was signed out of; of too many at a time all are ended."""
        now = self._now()
        found = self._catalog.find(Person, name)
        if found is None:
            return
        ended = {digest: until for digest, until in found.ended.items() if until > now}
        ended[sha256_hex(session.encode())] = now + LONGEST_S
        if len(ended) > _MOST_ENDED:
            self._change(name, ended={}, ends_sessions=True)
        else:
            self._change(name, ended=ended)

    def by_subject(self, subject: str) -> Person | None:
        """Whoever is this for the OpenID provider, also one who may not sign in any more."""
        return next((person for person in self.all() if person.subject == subject), None)

    def add(self, name: str, role: Role, subject: str = "") -> str:
        """Let somebody in; returns their one-time password, "" for one who signs in elsewhere.

        Raises:
            PeopleError: No name, or taken.
        """
        if not _NAME.fullmatch(name):
            raise PeopleError(
                f"{name[:80]!r} is no name: a to z, 0 to 9 and . _ @ - up to 64, beginning with a "
                "letter or digit. Nobody was let in"
            )
        password = "" if subject else passwords.one_time()
        with self._lock:
            if self._catalog.find(Person, name) is not None:
                raise PeopleError(f"{name} is there already: nobody was let in")
            if subject and self.by_subject(subject) is not None:
                raise PeopleError(
                    f"{subject} is let in already, by another name: nobody was let in"
                )
            self._catalog.put(self._made(name, role, password, subject))
        return password

    def set_role(self, name: str, role: Role) -> Person:
        """Give somebody another role; their sessions end.

        Raises:
            PeopleError: Nobody has the name, or no admin would be left.
        """
        return self._change(name, role=role, ends_sessions=True)

    def disable(self, name: str) -> Person:
        """Let somebody in no more; sessions and tokens end.

        Raises:
            PeopleError: Nobody has the name, or no admin would be left.
        """
        return self._change(name, disabled_at=self._now(), ends_sessions=True)

    def enable(self, name: str) -> Person:
        """Let somebody in again.

        Raises:
            PeopleError: Nobody has the name.
        """
        return self._change(name, disabled_at=None)

    def reset(self, name: str) -> str:
        """Give somebody a new one-time password; returns it.

        Raises:
            PeopleError: Nobody has the name, or they sign in elsewhere.
        """
        found = self._catalog.find(Person, name)
        if found is not None and found.subject:
            raise PeopleError(f"{name} signs in elsewhere, without a password: nothing was changed")
        password = passwords.one_time()
        kept = passwords.hashed(password)
        self._change(name, password=kept, one_time=True, ends_sessions=True)
        return password

    def change_password(self, name: str, old: str, new: str) -> Person:
        """Give oneself another password; all other sessions end.

        Raises:
            PeopleError: The old one is wrong, or the new one is not allowed.
        """
        found = self.find(name)
        if found is None or not passwords.is_right(old, found.password):
            raise PeopleError("the old password is not right: nothing was changed")
        if old == new:
            raise PeopleError("the new password is the old one: nothing was changed")
        kept = passwords.hashed(new, name)
        return self._change(name, password=kept, one_time=False, ends_sessions=True)

    def _made(self, name: str, role: Role, password: str, subject: str = "") -> Person:
        kept = passwords.hashed(password) if password else ""
        return Person(
            key=name,
            role=role,
            password=kept,
            one_time=bool(password),
            subject=subject,
            added_at=self._now(),
        )

    def _change(self, name: str, *, ends_sessions: bool = False, **changes: object) -> Person:
        with self._lock:
            found = self._catalog.find(Person, name)
            if found is None:
                raise PeopleError(f"nobody here is called {name[:80]!r}: nothing was changed")
            if ends_sessions:
                changes["generation"] = found.generation + 1
            changed = replace(found, **changes)
            if _rules(found) and not _rules(changed) and not self._others_rule(name):
                raise PeopleError(f"{name} is the last admin: make another one first")
            self._catalog.put(changed)
            return changed

    def _others_rule(self, name: str) -> bool:
        return any(_rules(person) for person in self.all() if person.key != name)


def _rules(person: Person) -> bool:
    return person.role is Role.ADMIN and person.disabled_at is None
