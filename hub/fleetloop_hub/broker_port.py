"""What the hub needs from a broker, as a promise."""

from abc import ABC, abstractmethod
from dataclasses import dataclass


@dataclass(frozen=True)
class BrokerAccount:
    """Who may connect to the broker, and as what.

    Attributes:
        username: The device's id, or the hub's name.
        password: In clear; hashing is the broker's business.
        cohort: The device's cohort, None for the hub, which may do everything below the root.
        labels_only: Whether it is a label source, which tells labels and reads their receipts.
        prefixes: Of Home Assistant: the hub may write below them; who only watches reads there.
        watches: Whether it is Home Assistant's account, which reads.
    """

    username: str
    password: str
    cohort: str | None
    labels_only: bool = False
    prefixes: tuple[str, ...] = ()
    watches: bool = False


class Broker(ABC):
    """The broker that this hub uses: a child of its own, or one that exists."""

    @abstractmethod
    def start(self, accounts: list[BrokerAccount]) -> None:
        """Have it run; returns when it accepts connections.

        Raises:
            BrokerError: It cannot be started, with what to do.
        """

    @abstractmethod
    def admit(self, accounts: list[BrokerAccount]) -> None:
        """Make exactly these accounts valid, without dropping those who stay."""

    @abstractmethod
    def hub_account(self, own: BrokerAccount) -> BrokerAccount:
        """Who the hub is there: `own` where the accounts are ours, else the one it was given."""

    @property
    def kind(self) -> str:
        """What it is, in words for people."""
        return "a broker of somebody else"

    @property
    @abstractmethod
    def address(self) -> str:
        """Where it listens: `mqtt://host:port`."""

    @property
    @abstractmethod
    def max_payload_bytes(self) -> int:
        """The largest payload it takes."""

    @property
    def retains(self) -> bool:
        """Whether it keeps retained messages; known once it was started. Ours do."""
        return True

    @abstractmethod
    def check(self) -> None:
        """Restart the child if it has ended; called every second or so."""

    @abstractmethod
    def stop(self) -> None:
        """End the child, if it is ours."""
