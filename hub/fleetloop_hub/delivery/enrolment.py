"""Taking devices in: one-time tokens, broker accounts, and the roots a device pins."""

import secrets
from collections.abc import Callable
from dataclasses import replace

import msgspec

from fleetloop_hub.broker_port import Broker, BrokerAccount
from fleetloop_hub.errors import EnrolError
from fleetloop_hub.fleet_records import Device, Discovery, LabelSource, Token
from fleetloop_hub.ports import Catalog
from fleetloop_hub.trust.trust import Trust
from fleetloop_shared.errors import InvalidIdError
from fleetloop_shared.ids import check_name, sha256_hex
from fleetloop_shared.messages import EnrolAnswer, EnrolRequest
from fleetloop_shared.trust import fingerprint

HUB = "hub"
"""The hub's own account and client id; no device may be called so."""


class Enrolment:
    """Admits devices, and keeps the broker's accounts equal to the catalog's devices."""

    def __init__(self, catalog: Catalog, broker: Broker, trust: Trust, hub_password: str) -> None:
        """Begin; accounts are made with `accounts`."""
        self._catalog, self._broker, self._trust = catalog, broker, trust
        self._hub = BrokerAccount(username=HUB, password=hub_password, cohort=None)

    def token(self, cohort: str, now: float, expires_s: float) -> str:
        """A one-time token: a secret, and what the hub's roots must look like.

        Raises:
            EnrolError: The cohort's name cannot stand in a topic.
        """
        try:
            check_name(cohort, "cohort")
        except InvalidIdError as error:
            raise EnrolError(str(error)) from error
        secret, roots = secrets.token_urlsafe(18), self._trust.root_versions()
        self._catalog.put(
            Token(
                key=sha256_hex(secret.encode()),
                cohort=cohort,
                created_at=now,
                expires_at=now + expires_s,
                roots=roots,
            )
        )
        return f"{secret}.{fingerprint(*self._trust.pins(roots))}"

    def enrol(self, request: EnrolRequest, now: float) -> EnrolAnswer:
        """Admit a device.

        A device whose answer was lost on the way may ask again with the same token and name.

        Raises:
            EnrolError: The token is unknown, used or expired, or the name is taken or not one.
        """
        device = self._checked_name(request.device, "device")
        if self._catalog.find(LabelSource, device) is not None:
            raise EnrolError(f"a label source is called {device!r}: choose another name")
        existing = self._catalog.find(Device, device)
        secret = sha256_hex(request.token.encode())
        use = _use(device, now, taken=existing is not None)
        token = self._catalog.update(Token, secret, use)
        known = existing or Device(
            key=device,
            cohort=token.cohort,
            hardware=request.hardware,
            password=secrets.token_urlsafe(24),
            enrolled_at=now,
        )
        self._catalog.put(known)
        self._broker.admit(self.accounts())
        image_root, director_root = self._trust.pins(token.roots)
        return EnrolAnswer(
            device=device,
            cohort=known.cohort,
            broker=self._broker.address,
            username=device,
            password=known.password,
            image_root=image_root,
            director_root=director_root,
        )

    def label_source(self, name: str, now: float) -> LabelSource:
        """An account that may tell labels; the same one if it is there already.

        Raises:
            EnrolError: A device is called so, or it is no name.
        """
        if self._catalog.find(Device, self._checked_name(name, "label source")) is not None:
            raise EnrolError(f"a device is called {name!r}: choose another name")
        known = self._catalog.find(LabelSource, name)
        if known is None:
            known = LabelSource(key=name, password=secrets.token_urlsafe(24), made_at=now)
            self._catalog.put(known)
        self._broker.admit(self.accounts())
        return known

    def accounts(self) -> list[BrokerAccount]:
        """Everybody who may connect to the broker."""
        devices, sources = self._catalog.all(Device), self._catalog.all(LabelSource)
        return [
            *self._own_accounts(),
            *(BrokerAccount(username=d.key, password=d.password, cohort=d.cohort) for d in devices),
            *(BrokerAccount(s.key, s.password, None, labels_only=True) for s in sources),
        ]

    def _own_accounts(self) -> list[BrokerAccount]:
        """The hub's, and Home Assistant's where it is told."""
        found = self._catalog.find(Discovery, Discovery.KEY)
        if found is None:
            return [self._hub]
        prefixes = tuple(p for p in (found.prefix, *found.former) if p)
        own = [replace(self._hub, prefixes=prefixes)]
        if found.prefix:
            own.append(
                BrokerAccount(
                    Discovery.KEY, found.password, None, prefixes=(found.prefix,), watches=True
                )
            )
        return own

    def _checked_name(self, name: str, what: str) -> str:
        try:
            check_name(name, what)
        except InvalidIdError as error:
            raise EnrolError(str(error)) from error
        if name in {HUB, Discovery.KEY}:
            raise EnrolError(f"no {what} may be called {HUB!r}")
        return name


def _use(device: str, now: float, *, taken: bool) -> Callable[[Token | None], Token]:
    def change(token: Token | None) -> Token:
        if token is None:
            raise EnrolError("this token is unknown: make a new one with `fleetloop token`")
        if token.device not in {None, device}:
            raise EnrolError("this token is used: every device needs one of its own")
        if taken and token.device is None:
            raise EnrolError(f"there is a device {device!r} already: choose another name")
        if now > token.expires_at:
            raise EnrolError("this token has expired: make a new one with `fleetloop token`")
        return msgspec.structs.replace(token, device=device)

    return change
