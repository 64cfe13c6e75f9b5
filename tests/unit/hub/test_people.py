"""People and tokens: who is let in, who rules, and what is kept of secrets."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from argon2 import PasswordHasher

from fleetloop_hub.errors import PeopleError
from fleetloop_hub.people import passwords
from fleetloop_hub.people.accounts import Accounts
from fleetloop_hub.people.tokens import ApiTokens
from fleetloop_hub.people_records import ApiToken, Person, Role
from fleetloop_hub.ports import Catalog
from fleetloop_hub.storage.catalog import TinyDbCatalog

GOOD = "correct horse battery"


class _Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = TinyDbCatalog(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes that take no time."""
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(1, 8, 1))


def test_the_first_start_makes_an_admin_whose_password_is_told_once(
    catalog: Catalog, clock: _Clock
) -> None:
    accounts = Accounts(catalog, clock)
    password = accounts.begin()
    assert password is not None
    assert accounts.begin() is None
    signed_in = accounts.sign_in("Admin", password)
    assert signed_in is not None
    assert (signed_in.role, signed_in.one_time) == (Role.ADMIN, True)
    kept = msgspec.json.encode(catalog.all(Person)).decode()
    assert password not in kept
    assert "$argon2id$v=19$m=19456,t=2,p=1$" in kept


def test_a_password_is_changed_by_whoever_knows_the_old_one(
    catalog: Catalog, clock: _Clock
) -> None:
    accounts = Accounts(catalog, clock)
    old = accounts.begin() or ""
    for wrong in (("nonsense", GOOD), (old, "short"), (old, old), (old, "x" * 257)):
        with pytest.raises(PeopleError, match="nothing was changed"):
            accounts.change_password("admin", *wrong)
    changed = accounts.change_password("admin", old, GOOD)
    assert (changed.one_time, changed.generation) == (False, 2)
    assert accounts.sign_in("admin", old) is None
    assert accounts.sign_in("admin", GOOD) is not None


def test_whoever_is_nobody_takes_as_long_as_whoever_is_somebody() -> None:
    assert not passwords.is_right(GOOD, "")
    assert not passwords.is_right("nobody", "")  # the hash it is compared with lets nobody in
    assert not passwords.is_right(GOOD, "no hash")


@pytest.mark.usefixtures("cheap")
def test_the_last_admin_stays_one(catalog: Catalog, clock: _Clock) -> None:
    accounts = Accounts(catalog, clock)
    accounts.begin()
    with pytest.raises(PeopleError, match="last admin"):
        accounts.disable("admin")
    with pytest.raises(PeopleError, match="last admin"):
        accounts.set_role("admin", Role.VIEWER)
    accounts.add("ann", Role.ADMIN)
    accounts.disable("admin")
    with pytest.raises(PeopleError, match="last admin"):
        accounts.disable("ann")


@pytest.mark.usefixtures("cheap")
def test_whoever_is_disabled_is_not_let_in_until_enabled(catalog: Catalog, clock: _Clock) -> None:
    accounts = Accounts(catalog, clock)
    accounts.begin()
    password = accounts.add("ann", Role.VIEWER)
    accounts.disable("ann")
    assert accounts.sign_in("ann", password) is None
    accounts.enable("ann")
    assert accounts.sign_in("ann", password) is not None
    again = accounts.reset("ann")
    assert accounts.sign_in("ann", password) is None
    assert accounts.sign_in("ann", again) is not None


@pytest.mark.parametrize("name", ["", "Ann", "a b", "-a", "a" * 65, "../x", "<script>", "ann\n"])
def test_what_is_no_name_lets_nobody_in(catalog: Catalog, clock: _Clock, name: str) -> None:
    with pytest.raises(PeopleError, match="is no name"):
        Accounts(catalog, clock).add(name, Role.VIEWER)
    assert catalog.all(Person) == []


@pytest.mark.usefixtures("cheap")
def test_too_many_ended_sessions_end_all(catalog: Catalog, clock: _Clock) -> None:
    accounts = Accounts(catalog, clock)
    accounts.begin()
    for number in range(51):
        accounts.end_session("admin", f"session {number}")
    person = accounts.find("admin")
    assert person is not None
    assert (person.generation, person.ended) == (2, {})


def test_a_token_is_known_by_its_secret_until_its_time_is_over(
    catalog: Catalog, clock: _Clock
) -> None:
    tokens = ApiTokens(catalog, clock)
    secret, token = tokens.make("grafana", "", Role.VIEWER, 1.0)
    assert secret.startswith("flt_")
    assert secret not in msgspec.json.encode(catalog.all(ApiToken)).decode()
    assert tokens.find(secret) == (token, Role.VIEWER)
    for wrong in ("", secret[:-1], f"{secret}x", token.key, token.digest):
        assert tokens.find(wrong) is None
    clock.now += 86_400.0
    assert tokens.find(secret) is None


@pytest.mark.usefixtures("cheap")
def test_a_token_is_void_with_its_person_and_never_more_than_they_are(
    catalog: Catalog, clock: _Clock
) -> None:
    accounts, tokens = Accounts(catalog, clock), ApiTokens(catalog, clock)
    accounts.begin()
    password = accounts.add("ann", Role.APPROVER)
    secret, token = tokens.make("ci", "ann", Role.APPROVER, 1.0)
    assert tokens.find(secret) is None  # she has not changed her one-time password
    accounts.change_password("ann", password, GOOD)
    assert tokens.find(secret) == (token, Role.APPROVER)
    accounts.set_role("ann", Role.VIEWER)
    assert tokens.find(secret) == (token, Role.VIEWER)
    accounts.disable("ann")
    assert tokens.find(secret) is None
    accounts.enable("ann")
    with pytest.raises(PeopleError, match="of yours"):
        tokens.revoke(token.key, "bob")
    tokens.revoke(token.key, "ann")
    assert tokens.find(secret) is None


@pytest.mark.parametrize("days", [0.0, -1.0, 367.0, float("nan"), float("inf")])
def test_a_token_is_good_for_a_year_at_most(catalog: Catalog, clock: _Clock, days: float) -> None:
    with pytest.raises(PeopleError, match="none was made"):
        ApiTokens(catalog, clock).make("x", "", Role.VIEWER, days)


def test_the_last_use_of_a_token_is_noted_now_and_then(catalog: Catalog, clock: _Clock) -> None:
    tokens = ApiTokens(catalog, clock)
    token = tokens.make("x", "", Role.VIEWER, 1.0).token
    used = []
    for at in (2_000.0, 2_300.0, 2_700.0):
        clock.now = at
        tokens.note_use(tokens.all()[0])
        used.append(tokens.all()[0].used_at)
    assert used == [2_000.0, 2_000.0, 2_700.0]
    tokens.revoke(token.key)
    clock.now += 1_000
    tokens.note_use(token)  # a request that was let in a moment before
    assert tokens.all()[0].revoked_at == 2_700.0
