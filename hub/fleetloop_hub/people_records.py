"""Who may sign in at the hub, and what they may do."""

from enum import StrEnum

import msgspec

from fleetloop_hub.records import Record


class Role(StrEnum):
    """What somebody may do; whoever has a role may do all that stands before it.

    VIEWER reads; OPERATOR trains, labels, enrols and rolls out; APPROVER lets versions, runs and
    rollouts pass and lifts quarantines; ADMIN rules over people, keys and what is given up.
    """

    VIEWER = "viewer"
    OPERATOR = "operator"
    APPROVER = "approver"
    ADMIN = "admin"

    def covers(self, needed: "Role") -> bool:
        """Whether this role may do what another may.

        >>> Role.OPERATOR.covers(Role.VIEWER), Role.OPERATOR.covers(Role.ADMIN)
        (True, False)
        """
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(needed)


class Person(Record, frozen=True, kw_only=True):
    """Somebody who may sign in; `key` is their name.

    Attributes:
        role: What they may do.
        password: Its argon2id hash, "" for one who signs in elsewhere.
        one_time: Whether that password is to be changed before anything else.
        generation: Goes up with each change of password, role or standing; ends their sessions.
        subject: Who they are for the OpenID provider, "ISSUER SUBJECT"; "" for none.
        added_at: Unix seconds.
        seen_at: Unix seconds of the last sign-in, None before the first.
        disabled_at: Unix seconds since which they may not sign in, None while they may.
        ended: Sessions that were signed out of, whose cookies would be good still: the SHA-256 of
            their ids, and when they would have ended.
    """

    role: Role
    password: str = ""
    one_time: bool = False
    generation: int = 1
    subject: str = ""
    added_at: float
    seen_at: float | None = None
    disabled_at: float | None = None
    ended: dict[str, float] = msgspec.field(default_factory=dict)


class ApiToken(Record, frozen=True, kw_only=True):
    """A secret with which a program asks in somebody's name; `key` is a short id.

    Attributes:
        name: What it is for.
        person: Whose it is, "" of a program that an admin has let in.
        role: The most that it may do; never more than the person.
        digest: SHA-256 of the secret.
        made_at: Unix seconds.
        expires_at: Unix seconds.
        revoked_at: Unix seconds, None while it stands.
        used_at: Unix seconds of the last use, within ten minutes; None before the first.
    """

    name: str
    person: str
    role: Role
    digest: str
    made_at: float
    expires_at: float
    revoked_at: float | None = None
    used_at: float | None = None
