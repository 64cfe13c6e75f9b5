"""People and tokens as they are shown: without what they prove themselves by."""

import msgspec

from fleetloop_hub.people_records import ApiToken, Person, Role


class PersonView(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody as they are shown: without what they prove themselves by.

    Attributes:
        name: What they sign in as.
        role: What they may do.
        added_at: Unix seconds.
        seen_at: Unix seconds of the last sign-in, None before the first.
        disabled_at: Unix seconds since which they may not sign in, None while they may.
        one_time: Whether they have a one-time password still.
        subject: Who they are for the OpenID provider, "" for none.
    """

    name: str
    role: Role
    added_at: float
    seen_at: float | None
    disabled_at: float | None
    one_time: bool
    subject: str


class PasswordView(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody with the password that is shown once.

    Attributes:
        name: What they sign in as.
        one_time_password: To be changed at the first sign-in, "" for one who signs in elsewhere.
    """

    name: str
    one_time_password: str


class TokenView(msgspec.Struct, frozen=True, kw_only=True):
    """A token as it is shown: without its secret.

    Attributes:
        key: Its id.
        name: What it is for.
        person: Whose it is, "" of a program that an admin has let in.
        role: The most that it may do.
        made_at: Unix seconds.
        expires_at: Unix seconds.
        revoked_at: Unix seconds, None while it stands.
        used_at: Unix seconds of the last use, within ten minutes; None before the first.
    """

    key: str
    name: str
    person: str
    role: Role
    made_at: float
    expires_at: float
    revoked_at: float | None
    used_at: float | None


class SecretView(TokenView, frozen=True, kw_only=True):
    """A token that was made, with its secret, which is shown once.

    Attributes:
        secret: To be sent as Authorization: Bearer SECRET.
    """

    secret: str


class PeopleAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody.

    Attributes:
        people: By name.
        next: The cursor of what comes behind; null at the end.
    """

    people: list[PersonView]
    next: str | None = None


class TokensAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of whoever asks; of all for an admin.

    Attributes:
        tokens: The newest first.
        next: The cursor of what comes behind; null at the end.
    """

    tokens: list[TokenView]
    next: str | None = None


def shown(person: Person) -> PersonView:
    """Somebody as they are shown."""
    return PersonView(
        name=person.key,
        role=person.role,
        added_at=person.added_at,
        seen_at=person.seen_at,
        disabled_at=person.disabled_at,
        one_time=person.one_time,
        subject=person.subject,
    )


def token_shown(token: ApiToken) -> TokenView:
    """A token as it is shown."""
    return TokenView(
        key=token.key,
        name=token.name,
        person=token.person,
        role=token.role,
        made_at=token.made_at,
        expires_at=token.expires_at,
        revoked_at=token.revoked_at,
        used_at=token.used_at,
    )
