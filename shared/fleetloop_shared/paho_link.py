"""The link that hub, agent and simulator use: it comes back by itself and never blocks.

One thread of our own makes one connection after another (`paho_connection`, where paho lives) and
puts what happens into a queue. Full jitter before each attempt, also after a connect that ended at
once: the bound on the wait doubles until a connection has been steady for half a minute.
"""

import random
import threading
import time
from collections import deque

from fleetloop_shared import endpoint
from fleetloop_shared.broker_access import Access
from fleetloop_shared.event_attributes import Describe
from fleetloop_shared.link import (
    Connected,
    Disconnected,
    Event,
    Link,
    Received,
    Will,
)
from fleetloop_shared.mqtt_level import Level
from fleetloop_shared.paho_connection import Connection

MAX_PAYLOAD_BYTES = 1_000_000
"""What every broker of ours takes: their limit of 1 MiB less room for headers."""

MAX_PACKET_BYTES = 1024 * 1024
"""The longest packet that is read: what our brokers' limit is."""

_UNREAD_EVENTS = 10_000
_UNREAD_BYTES = 4 * 1024 * 1024
_FIRST_WAIT_S = 0.25
_LONGEST_WAIT_S = 30.0
_STEADY_S = 30.0

_jitter = random.SystemRandom()


def wait_before(attempt: int) -> float:
    """Seconds to wait before the `attempt`-th try, from 1: anywhere up to a bound that doubles."""
    return _jitter.uniform(0.0, min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2.0 ** min(attempt, 16)))


class PahoLink(Link):
    """A link to a real broker.

    Events wait in a queue; while 10,000 of them, or 4 MiB, are unread nothing more is read from the
    network, so that a reader that has stopped slows the broker down instead of filling memory. A
    packet that says it is longer than 1 MiB ends the connection before it is read, unless it is to
    be passed over. `publish` answers False while 1,000 messages or 8 MiB are on their way.

    Args:
        address: `mqtt://host:port` or `mqtts://host:port`.
        client_id: Unique at the broker; of two clients with one id the older is thrown out.
        username: The broker account's name, "" to come without one.
        password: Its password.
        ca_file: PEM file that the broker's certificate is checked against instead of the system's.
        max_payload_bytes: The largest payload the broker takes.
        max_packet_bytes: The longest packet that is read.
        passes_over: Read past a message that is longer and keep nothing of it, so that others go
            on coming; where many may publish what they like.
        describe: The attributes of a message, which MQTT 5 carries; the link then speaks MQTT 5
            where the broker takes it. Without, it speaks 3.1.1.

    Raises:
        AddressError: The address is not one.
    """

    def __init__(  # noqa: PLR0913 - what a connection needs, said once
        self,
        address: str,
        client_id: str,
        username: str,
        password: str,
        ca_file: str | None = None,
        *,
        max_payload_bytes: int = MAX_PAYLOAD_BYTES,
        max_packet_bytes: int = MAX_PACKET_BYTES,
        passes_over: bool = False,
        describe: Describe | None = None,
    ) -> None:
        self._access = Access(
            endpoint.parse(address),
            client_id,
            username,
            password,
            ca_file,
            max_packet_bytes,
            passes_over,
            describe,
        )
        self._level = Level(wants_five=describe is not None)
        self._max_payload_bytes = max_payload_bytes
        self._events: deque[Event] = deque()
        self._unread_bytes = 0
        self._news = threading.Condition()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._connection: Connection | None = None
        self._accepted = self._handed_out = 0
        self._will: Will | None = None

    def start(self, will: Will | None) -> None:
        self._will = will
        self._stopping.clear()
        self._begin()

    def stop(self) -> None:
        self._stopping.set()
        with self._news:
            self._news.notify_all()
        if (connection := self._connection) is not None:
            connection.wake()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    @property
    def connected(self) -> bool:
        return self._usable() is not None

    @property
    def backlog_bytes(self) -> int:
        connection = self._connection
        return 0 if connection is None else connection.backlog_bytes

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retained: bool = False) -> bool:
        connection = self._usable()
        if connection is None or len(payload) > self._max_payload_bytes:
            return False
        return connection.publish(topic, payload, qos, retained)

    def subscribe(self, filter_: str, qos: int = 1) -> None:
        if (connection := self._usable()) is not None:
            connection.subscribe(filter_, qos)

    def unsubscribe(self, filter_: str) -> None:
        if (connection := self._usable()) is not None:
            connection.unsubscribe(filter_)

    def _usable(self) -> Connection | None:
        """The connection, once its `Connected` has been handed out.

        Whoever is told of a connection says and asks everything anew; what he had said and asked on
        it before he knew would go out twice.
        """
        connection = self._connection
        if connection is None or not connection.accepted or connection.number != self._handed_out:
            return None
        return connection

    def events(self) -> list[Event]:
        self._watch()
        with self._news:
            drained = list(self._events)
            self._events.clear()
            self._unread_bytes = 0
            self._news.notify_all()
        for event in drained:
            if isinstance(event, Connected):
                self._handed_out = event.conn
        return drained

    def wait(self, timeout_s: float) -> None:
        self._watch()
        with self._news:
            self._news.wait_for(lambda: self._events, timeout_s)

    def _begin(self) -> None:
        name = f"link-{self._access.client_id}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        """Begin anew if the thread has died, which nothing known can make it do."""
        if self._thread is None or self._thread.is_alive() or self._stopping.is_set():
            return
        self._connection = None
        self._note(Disconnected("the network thread had died"))
        self._begin()

    def _run(self) -> None:
        attempt = 0
        while not self._stopping.is_set():
            accepted, began = self._accepted, time.monotonic()
            reason = self._serve()
            if self._stopping.is_set():
                break
            self._note(Disconnected(reason))
            steady = self._accepted > accepted and time.monotonic() - began > _STEADY_S
            attempt = 1 if steady else attempt + 1
            self._stopping.wait(wait_before(attempt))

    def _serve(self) -> str:
        """Make one connection and stay until it ends; returns why it did.

        A broker that refuses MQTT 5 is asked again at once, with 3.1.1.
        """
        reason, tries_lower = self._serve_once()
        return self._serve_once()[0] if tries_lower and not self._stopping.is_set() else reason

    def _serve_once(self) -> tuple[str, bool]:
        connection = None
        try:
            connection = Connection(self._access, self._level, self._will, self._note, self._count)
            self._connection = connection
            reason = connection.serve(self._stopping)
        except Exception as error:  # noqa: BLE001 - the thread must outlive whatever happened
            reason = str(error) or type(error).__name__
        finally:
            self._connection = None
        refused = connection is not None and connection.refused_level and self._level.five
        if refused:
            self._level.refused()
        elif connection is not None and connection.opened and not connection.answered:
            self._level.unanswered()
        return reason, refused

    def _count(self) -> int:
        self._accepted += 1
        return self._accepted

    def _note(self, event: Event) -> None:
        with self._news:
            while self._full() and not self._stopping.is_set():
                self._news.wait(0.1)
            self._events.append(event)
            if isinstance(event, Received):
                self._unread_bytes += len(event.payload)
            self._news.notify_all()

    def _full(self) -> bool:
        return len(self._events) >= _UNREAD_EVENTS or self._unread_bytes >= _UNREAD_BYTES
