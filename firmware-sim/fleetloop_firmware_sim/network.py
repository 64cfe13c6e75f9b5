"""A broker and links in memory: retained messages, wills and lost networks, the same every time.

There are no threads and no clock. What a link publishes is with its readers when `publish` returns,
unless the weather says otherwise; cuts happen when a test or a scenario makes them happen.
"""

import random
from collections import deque
from dataclasses import dataclass, field

from fleetloop_shared.link import Connected, Disconnected, Event, Link, Received, Will

MAX_PAYLOAD_BYTES = 1_000_000


@dataclass(frozen=True)
class Weather:
    """What happens to messages on the way to a reader that takes them at QoS 0.

    Attributes:
        seed: Decides which ones.
        drop_ratio: Share of them that is lost.
        delay_ratio: Share of the others that come late, so that later ones overtake them.
        delay_polls: How late: after so many of the reader's calls of `events`, at most.
    """

    seed: int = 0
    drop_ratio: float = 0.0
    delay_ratio: float = 0.0
    delay_polls: int = 3


@dataclass(frozen=True)
class Packet:
    """A message on its way, or kept.

    Attributes:
        topic: Where.
        payload: What.
        qos: Of its publisher.
    """

    topic: str
    payload: bytes
    qos: int


@dataclass
class _Session:
    """What the broker knows of one connected client; it dies with the connection."""

    link: "SimLink"
    will: Will | None
    filters: dict[str, int] = field(default_factory=dict)


class SimBroker:
    """The broker: as real ones behave, and empty after a restart."""

    def __init__(self, weather: Weather | None = None) -> None:
        """Run.

        Args:
            weather: None for clear weather.
        """
        self._weather = weather or Weather()
        self._chance = random.Random(self._weather.seed)  # noqa: S311 - to be repeatable
        self._sessions: dict[str, _Session] = {}
        self._retained: dict[str, Packet] = {}
        self._links: list[SimLink] = []
        self._running = True

    @property
    def running(self) -> bool:
        """Whether it takes connections."""
        return self._running

    def stop(self) -> None:
        """Die: nothing is remembered, and no wills are published."""
        self._running = False
        self._retained.clear()
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            session.link.lose("the broker has gone")

    def start(self) -> None:
        """Run again; links that want to be connected come back, in the order they were made."""
        self._running = True
        for link in list(self._links):
            link.retry()

    def retained(self) -> dict[str, bytes]:
        """What the broker keeps, by topic."""
        return {topic: packet.payload for topic, packet in self._retained.items()}

    def attach(self, link: "SimLink") -> None:
        """Know a link, to bring it back after a restart."""
        if link not in self._links:
            self._links.append(link)

    def detach(self, link: "SimLink") -> None:
        """Know it no more."""
        if link in self._links:
            self._links.remove(link)

    def reaches(self, link: "SimLink") -> bool:
        """Whether there is a way to a client now."""
        return self._running

    def send(self, link: "SimLink", packet: Packet, *, retained: bool) -> None:
        """Take a message from a connected client."""
        self.publish(packet, retained=retained)

    def open(self, link: "SimLink", will: Will | None) -> None:
        """Accept a client; an older one with the same id is thrown out."""
        if (older := self._sessions.get(link.client_id)) is not None:
            self.close(older.link, publish_will=True)
            older.link.lose("another client has taken the id")
        self._sessions[link.client_id] = _Session(link, will)

    def close(self, link: "SimLink", *, publish_will: bool) -> None:
        """Forget a client, and say its will if it went without a word."""
        session = self._sessions.get(link.client_id)
        if session is None or session.link is not link:
            return
        del self._sessions[link.client_id]
        if publish_will and (will := session.will) is not None:
            self.publish(Packet(will.topic, will.payload, will.qos), retained=will.retained)

    def subscribe(self, link: "SimLink", filter_: str, qos: int) -> None:
        """Note a subscription and hand over what is retained."""
        self._sessions[link.client_id].filters[filter_] = qos
        for packet in list(self._retained.values()):
            if matches(filter_, packet.topic):
                self._hand_over(link, packet, min(qos, packet.qos), retained=True)

    def unsubscribe(self, link: "SimLink", filter_: str) -> None:
        """Forget a subscription."""
        self._sessions[link.client_id].filters.pop(filter_, None)

    def publish(self, packet: Packet, *, retained: bool) -> None:
        """Keep a message if it is to be kept, and hand it to everyone who asked for it, once."""
        if retained and packet.payload:
            self._retained[packet.topic] = packet
        elif retained:
            self._retained.pop(packet.topic, None)
        for session in list(self._sessions.values()):
            granted = [
                qos for filter_, qos in session.filters.items() if matches(filter_, packet.topic)
            ]
            if granted:
                qos = min(max(granted), packet.qos)
                self._hand_over(session.link, packet, qos, retained=False)

    def _hand_over(self, link: "SimLink", packet: Packet, qos: int, *, retained: bool) -> None:
        """Bring a message on its way to one reader."""
        polls = 0
        if qos == 0:
            if self._chance.random() < self._weather.drop_ratio:
                return
            if self._chance.random() < self._weather.delay_ratio:
                polls = self._chance.randint(1, self._weather.delay_polls)
        link.take(Received(packet.topic, packet.payload, retained), polls)


class SimLink(Link):
    """A device's link to the simulated broker.

    It comes back as soon as it can. `cut` and `restore` are the network's, not the device's.
    """

    def __init__(
        self, broker: SimBroker, client_id: str, *, max_payload_bytes: int = MAX_PAYLOAD_BYTES
    ) -> None:
        """Know the broker; nothing happens before `start`.

        Args:
            broker: Where to connect.
            client_id: Unique at the broker.
            max_payload_bytes: The largest payload that is taken.
        """
        self.client_id = client_id
        self._broker = broker
        self._max_payload_bytes = max_payload_bytes
        self._events: deque[Event] = deque()
        self._late: list[tuple[int, Received]] = []
        self._will: Will | None = None
        self._wanted = self._connected = False
        self._reachable = True
        self._conn = self._polls = 0

    def start(self, will: Will | None) -> None:
        self._will = will
        self._wanted = True
        self._broker.attach(self)
        self.retry()

    def stop(self) -> None:
        self._wanted = self._connected = False
        self._broker.close(self, publish_will=False)
        self._broker.detach(self)

    @property
    def connected(self) -> bool:
        return self._connected

    @property
    def conn(self) -> int:
        """The number of the last connection, 0 before the first."""
        return self._conn

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retained: bool = False) -> bool:
        if not self._connected or len(payload) > self._max_payload_bytes:
            return False
        self._broker.send(self, Packet(topic, payload, qos), retained=retained)
        return True

    def subscribe(self, filter_: str, qos: int = 1) -> None:
        if self._connected:
            self._broker.subscribe(self, filter_, qos)

    def unsubscribe(self, filter_: str) -> None:
        if self._connected:
            self._broker.unsubscribe(self, filter_)

    def events(self) -> list[Event]:
        self._polls += 1
        due = [event for polls, event in self._late if polls <= self._polls]
        self._late = [(polls, event) for polls, event in self._late if polls > self._polls]
        events = [*self._events, *due]
        self._events.clear()
        return events

    def waiting(self) -> list[Event]:
        """What the next `events` will have, left where it is."""
        return list(self._events)

    def wait(self, timeout_s: float) -> None:
        """Return at once: nothing comes while one waits where nothing else runs."""

    def cut(self, reason: str = "the network has gone") -> None:
        """Take the network away in the middle of whatever there is; the broker says the will."""
        self._reachable = False
        self._broker.close(self, publish_will=True)
        if self._connected:
            self.lose(reason)

    def restore(self) -> None:
        """Give the network back."""
        self._reachable = True
        self.retry()

    def retry(self) -> None:
        """Connect if that is wanted and can be done; called for the link by whoever restores."""
        if not self._wanted or self._connected:
            return
        if not (self._reachable and self._broker.reaches(self)):
            self._events.append(Disconnected("no way to the broker"))
            return
        self._broker.open(self, self._will)
        self._connected = True
        self._conn += 1
        self._events.append(Connected(self._conn))

    def lose(self, reason: str) -> None:
        """The connection is no more; called by the broker."""
        self._connected = False
        self._late.clear()
        self._events.append(Disconnected(reason))

    def take(self, event: Received, polls: int) -> None:
        """A message comes in, at once or after some more polls; called by the broker."""
        if polls:
            self._late.append((self._polls + polls, event))
        else:
            self._events.append(event)


def matches(filter_: str, topic: str) -> bool:
    """Whether an MQTT filter covers a topic (MQTT 3.1.1, section 4.7).

    >>> matches("a/+/#", "a/b")
    True
    """
    if topic.startswith("$") and filter_[:1] in {"+", "#"}:
        return False
    parts, levels = filter_.split("/"), topic.split("/")
    for index, part in enumerate(parts):
        if part == "#":
            return True
        if index >= len(levels) or part not in {"+", levels[index]}:
            return False
    return len(parts) == len(levels)
