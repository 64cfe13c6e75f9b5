"""What people see of the repositories, as the API tells it."""

import msgspec

from fleetloop_hub.trust.terms import Repository, Role


class KeyView(msgspec.Struct, frozen=True, kw_only=True):
    """One key in one repository.

    Attributes:
        repository: Where it signs.
        roles: What it signs.
        keyid: Its id.
        name: What its file is called, without the ending.
        where: Where its private half is.
        standing: "in use", "comes with the next root", "goes with the next root".
    """

    repository: Repository
    roles: list[Role]
    keyid: str
    name: str
    where: str
    standing: str


class Threshold(msgspec.Struct, frozen=True, kw_only=True):
    """How many keys of a role must sign, and until when what they have signed holds.

    Attributes:
        repository: Where.
        role: Which role.
        threshold: How many must sign.
        keys: Of how many.
        by_people: Whether the hub cannot do it alone.
        expires_at: Unix seconds; None where it is signed for each cohort.
    """

    repository: Repository
    role: Role
    threshold: int
    keys: int
    by_people: bool
    expires_at: float | None


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """Metadata that wait for signatures.

    Attributes:
        repository: Of which repository.
        role: "root" or "targets".
        version: Its version.
        text: As it is, with the signatures that it has.
        before: What is published now; "" if nothing is.
        roots: Every root that is published.
        progress: How many signatures it has, in words.
        missing: Names of keys that have not signed and may.
        missing_ids: Their ids.
    """

    repository: Repository
    role: Role
    version: int
    text: str
    before: str
    roots: list[str]
    progress: str
    missing: list[str]
    missing_ids: list[str]


class TrustView(msgspec.Struct, frozen=True, kw_only=True):
    """Both repositories.

    Attributes:
        keys: Every key that is or will be in use.
        thresholds: Every role.
        waiting: What waits for signatures.
        notices: What a person has to do, in words.
    """

    keys: list[KeyView]
    thresholds: list[Threshold]
    waiting: list[Waiting]
    notices: list[str]


class PersonSignature(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What comes back from a person's machine.

    Attributes:
        repository: Of which repository.
        role: What was signed.
        version: Its version.
        keyid: By which key.
        signature: Hexadecimal.
    """

    repository: Repository
    role: Role
    version: int
    keyid: str
    signature: str
