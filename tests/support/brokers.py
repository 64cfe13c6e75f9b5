"""Real brokers and links for tests: started quickly, ended surely."""

import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from fleetloop_hub.broker.choose import choose_broker
from fleetloop_hub.broker.mosquitto import find_program
from fleetloop_hub.broker_port import Broker, BrokerAccount
from fleetloop_hub.errors import BrokerError
from fleetloop_shared.event_attributes import Describe
from fleetloop_shared.link import Connected, Event, Link, Received, Will
from fleetloop_shared.paho_link import PahoLink

E = TypeVar("E", bound=Event)

KINDS = ("nats", "mosquitto")
HUB = BrokerAccount(username="hub", password=secrets.token_urlsafe(24), cohort=None)
STATION_1 = BrokerAccount("station-1", secrets.token_urlsafe(24), cohort="plains")
STATION_2 = BrokerAccount("station-2", secrets.token_urlsafe(24), cohort="hills")
ACCOUNTS = [HUB, STATION_1, STATION_2]

PATIENCE_S = 10.0
"""How long a test waits for what must come; a loaded machine is slow, not wrong."""

QUIET_S = 0.2
"""How long a test waits for what must not come."""


def mosquitto_is_missing() -> bool:
    try:
        find_program()
    except BrokerError:
        return True
    return False


def start_broker(kind: str, folder: Path, accounts: list[BrokerAccount] | None = None) -> Broker:
    """A child broker of this kind, on a free port of loopback, with the accounts above."""
    broker = choose_broker(kind, folder)
    broker.start(ACCOUNTS if accounts is None else accounts)
    return broker


def link_to(broker: Broker, account: BrokerAccount, describe: Describe | None = None) -> PahoLink:
    """A link for an account, not started; its client id is the account's name."""
    name = account.username
    return PahoLink(broker.address, name, name, account.password, describe=describe)


class Listener:
    """Collects a link's events, and waits for the ones a test needs."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.seen: list[Event] = []

    def pump(self) -> None:
        self.seen += self.link.events()

    def until(self, condition: Callable[[], bool], what: str = "it") -> None:
        deadline = time.monotonic() + PATIENCE_S
        self.pump()
        while not condition():
            assert time.monotonic() < deadline, f"waited for {what}; saw {self.seen[-10:]}"
            self.link.wait(0.02)
            self.pump()

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.seen if isinstance(event, kind)]

    def connected(self, times: int = 1) -> None:
        self.until(lambda: len(self.of(Connected)) >= times, f"connection {times}")

    def message(self, topic: str, payload: bytes | None = None) -> Received:
        """The first message there (with this payload); waits for it."""

        def matching() -> list[Received]:
            return [
                event
                for event in self.of(Received)
                if event.topic == topic and payload in {None, event.payload}
            ]

        self.until(lambda: bool(matching()), f"{topic} {payload!r}")
        return matching()[0]

    def payloads(self, topic: str) -> list[bytes]:
        return [event.payload for event in self.of(Received) if event.topic == topic]


class Links:
    """Makes started links with their listeners, and stops all of them in the end."""

    def __init__(self) -> None:
        self._links: list[Link] = []

    def add(self, link: Link, will: Will | None = None, *, wait: bool = True) -> Listener:
        """Start a link; returns its listener once it is connected."""
        link.start(will)
        listener = self.add_started(link)
        if wait:
            listener.connected()
        return listener

    def add_started(self, link: Link) -> Listener:
        self._links.append(link)
        return Listener(link)

    def to(self, broker: Broker, account: BrokerAccount, will: Will | None = None) -> Listener:
        return self.add(link_to(broker, account), will)

    def close(self) -> None:
        for link in self._links:
            link.stop()
