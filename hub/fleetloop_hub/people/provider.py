"""Whoever an OpenID provider has signed in: who they are here, and what they may do by its claims.

Source: OpenID Connect Core 1.0, sections 2 and 5.1: only issuer and subject together name somebody
for good; names and addresses of e-mail may pass to others, and let nobody in here.
"""

import re
from collections.abc import Callable, Mapping

from fleetloop_hub.audit_records import Deed
from fleetloop_hub.config import OpenIdProvider
from fleetloop_hub.errors import PeopleError
from fleetloop_hub.people.accounts import Accounts
from fleetloop_hub.people_records import Person, Role

Claims = Mapping[str, object]
_LONGEST_SUBJECT = 255
_LONGEST_NAME = 64
_FOREIGN = re.compile(r"[^a-z0-9._@-]+")


def enter(
    accounts: Accounts, provider: OpenIdProvider, claims: Claims, note: Callable[[Deed], object]
) -> Person:
    """Let in whoever the provider has signed in.

    Args:
        accounts: The people here.
        provider: Who vouches for them.
        claims: What its ID token says, already verified.
        note: Told what is done by the claims alone, before it is done.

    Raises:
        PeopleError: They may not come in; the text says who can change that.
    """
    subject, role = _subject(provider, claims), role_of(provider, claims)
    if provider.roles and role is None:
        raise PeopleError(
            f"{provider.name} gives you no role here ({provider.claim} names none of those that "
            "the hub was told): ask whoever rules it. Nobody was let in"
        )
    found = accounts.by_subject(subject)
    if found is None:
        return accounts.seen(_added(accounts, provider, (subject, name_of(claims), role), note))
    if found.disabled_at is not None:
        raise PeopleError(f"{found.key} may not sign in any more: ask an admin")
    if role not in {None, found.role}:
        assert role is not None  # noqa: S101  # for the type checker, which does not see it above
        note(_deed(provider, "give a role", found.key, role))
        accounts.set_role(found.key, role)
    return accounts.seen(found.key)


def role_of(provider: OpenIdProvider, claims: Claims) -> Role | None:
    """The most that the claims let somebody do, None for nothing.

    >>> provider = OpenIdProvider("https://id.example", "fleet", "s", claim="realm.roles",
    ...     roles=(("ops", Role.OPERATOR), ("boss", Role.ADMIN)))
    >>> role_of(provider, {"realm": {"roles": ["ops", "boss", "else"]}})
    <Role.ADMIN: 'admin'>
    >>> role_of(provider, {"realm": "boss"})
    """
    told: object = claims
    for part in provider.claim.split("."):
        told = told.get(part) if isinstance(told, Mapping) else None
    values = told if isinstance(told, list) else [told]
    found = {role for value, role in provider.roles if value in values}
    return next((role for role in reversed(Role) if role in found), None)


def name_of(claims: Claims) -> str:
    """What somebody is to be called here: as there, in the letters of names.

    >>> name_of({"preferred_username": "Ann O'Hara", "email": "ann@example.org"})
    'ann-o-hara'
    >>> name_of({"email": "Ann@Example.org"})
    'ann@example.org'
    """
    told = next((claims[n] for n in ("preferred_username", "email", "name") if claims.get(n)), "")
    plain = _FOREIGN.sub("-", str(told).lower())[:_LONGEST_NAME]
    return plain.lstrip("._@-").rstrip("-")


def _added(
    accounts: Accounts,
    provider: OpenIdProvider,
    told: tuple[str, str, Role | None],
    note: Callable[[Deed], object],
) -> str:
    subject, name, role = told
    command = f"fleetloop people add NAME --role ROLE --subject '{subject}'"
    if role is None:
        raise PeopleError(
            f"{provider.name} knows you, this hub does not yet: an admin runs {command}"
        )
    if not name or any(person.key == name for person in accounts.all()):
        raise PeopleError(
            f"the name {name!r} that {provider.name} gives you is somebody else's here, or none: "
            f"an admin lets you in under another with {command}"
        )
    note(_deed(provider, "let somebody in", name, role))
    accounts.add(name, role, subject)
    return name


def _subject(provider: OpenIdProvider, claims: Claims) -> str:
    sub = claims.get("sub")
    if not isinstance(sub, str) or not 0 < len(sub) <= _LONGEST_SUBJECT or not sub.isprintable():
        raise PeopleError(f"{provider.name} does not say who you are: nobody was let in")
    return f"{provider.issuer} {sub}"


def _deed(provider: OpenIdProvider, action: str, name: str, role: Role) -> Deed:
    return Deed(by=provider.name, action=action, subject=name, details={"role": str(role)})
