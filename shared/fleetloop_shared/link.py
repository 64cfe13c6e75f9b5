"""The port to an MQTT broker, as the stepped cores on both sides see it.

A link owns its threads and sockets. It hands what happens over as events, in order, and keeps
nothing for later: whoever must not lose a thing keeps it and says it again.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass


@dataclass(frozen=True)
class Connected:
    """The broker has accepted us; subscriptions do not outlive a connection: make them now.

    Attributes:
        conn: The connection's number, from 1.
    """

    conn: int


@dataclass(frozen=True)
class Disconnected:
    """The connection has ended, or could not be made; the link tries again by itself.

    Attributes:
        reason: In words.
    """

    reason: str


@dataclass(frozen=True)
class Received:
    """A message.

    Attributes:
        topic: Where.
        payload: Its bytes; empty where a retained message was cleared.
        retained: Whether the broker had kept it.
    """

    topic: str
    payload: bytes
    retained: bool


@dataclass(frozen=True)
class SubscriptionRefused:
    """The broker does not let us read this.

    Attributes:
        filter: The topic filter.
    """

    filter: str


@dataclass(frozen=True)
class Oversized:
    """Somebody sends a packet larger than is read.

    Attributes:
        announced_bytes: How long it says it is.
        limit_bytes: How long one may be.
        topic: Where, of a message that was passed over; None where the connection was ended unread.
    """

    announced_bytes: int
    limit_bytes: int
    topic: str | None = None

    @property
    def text(self) -> str:
        """In words."""
        if self.topic is not None:
            return (
                f"a message of {self.announced_bytes:,} bytes on {self.topic[:120]!r} was passed"
                f" over: {self.limit_bytes:,} bytes are read at most"
            )
        return (
            f"a packet of {self.announced_bytes:,} bytes was announced, where"
            f" {self.limit_bytes:,} are read: the connection was ended"
        )


Event = Connected | Disconnected | Received | SubscriptionRefused | Oversized


@dataclass(frozen=True)
class Will:
    """What the broker says for us when we are gone.

    Attributes:
        topic: Where.
        payload: What; `conn` is not known yet when it is made.
        qos: 0 or 1.
        retained: Whether the broker keeps it.
    """

    topic: str
    payload: bytes
    qos: int = 1
    retained: bool = True


class Link(ABC):
    """A connection to a broker that comes back by itself, with full jitter."""

    @abstractmethod
    def start(self, will: Will | None) -> None:
        """Begin to connect; returns at once, also when there is no broker."""

    @abstractmethod
    def stop(self) -> None:
        """Disconnect in good order, so that the will is not published."""

    @property
    @abstractmethod
    def connected(self) -> bool:
        """Whether messages can be handed over now."""

    @property
    def backlog_bytes(self) -> int:
        """Payload handed over on this connection that is not with the broker yet.

        0 while not connected, and where what is handed over is at the broker at once.
        """
        return 0

    @abstractmethod
    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retained: bool = False) -> bool:
        """Hand a message over.

        Returns:
            False if it was not: not connected, too much in flight, or larger than the broker takes.
        """

    @abstractmethod
    def subscribe(self, filter_: str, qos: int = 1) -> None:
        """Ask for messages; nothing happens while not connected."""

    @abstractmethod
    def unsubscribe(self, filter_: str) -> None:
        """Ask for no more of them."""

    @abstractmethod
    def events(self) -> list[Event]:
        """What has happened since the last call, in order; never blocks."""

    @abstractmethod
    def wait(self, timeout_s: float) -> None:
        """Return when there is an event, or after `timeout_s` seconds."""
