"""The network of a story: messages take time, get lost, doubled and garbled, and are recorded.

What TCP and MQTT promise is kept: on one connection messages at QoS 1 arrive in order, and one that
is lost takes its connection with it. At QoS 0 anything goes. Of what is signed, or named by its
hash, any bit may flip; anything else is cut short, so that it cannot be taken for another truth.
"""

import dataclasses
import heapq
import random
from collections import Counter
from dataclasses import dataclass, field

from fleetloop_firmware_sim.chaos.trace import Trace
from fleetloop_firmware_sim.crash import flipped
from fleetloop_firmware_sim.network import Packet, SimBroker, SimLink
from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.link import Received
from fleetloop_shared.topics import Topic, parse

DELAY_S = (0.01, 0.15)
LATE_S = (0.5, 6.0)
BROKEN_S = (0.2, 4.0)
"""A connection that has lost a message comes back after so long."""

SIGNED = {Topic.DIRECTOR, Topic.IMAGE, Topic.BLOB}
"""An attacker publishes these on each other's topics as well: signatures and hashes protect them.

All else is protected by who may write where, and is replayed in its own place only.
"""


@dataclass(frozen=True)
class Recorded:
    """A message that an attacker has heard.

    Attributes:
        packet: It.
        retained: Whether the broker was to keep it.
    """

    packet: Packet
    retained: bool


@dataclass(order=True)
class _Flight:
    at_s: float
    number: int
    link: SimLink = field(compare=False)
    conn: int = field(compare=False)
    packet: Packet | None = field(compare=False, default=None)
    retained: bool = field(compare=False, default=False)
    up: bool = field(compare=False, default=False)


class Air(SimBroker):
    """A broker and the ways to it.

    Attributes:
        ratio: Share of messages that meet each kind of bad luck now.
    """

    def __init__(self, seed: int, trace: Trace) -> None:
        """Clear weather.

        Args:
            seed: Decides what is left to chance.
            trace: Is told of every message that arrives.
        """
        super().__init__()
        self.ratio = 0.0
        self._lot = random.Random(f"air {seed}")  # noqa: S311  # to be repeatable
        self._trace = trace
        self._now_s = 0.0
        self._flights: list[_Flight] = []
        self._launched = 0
        self._last: dict[tuple[str, int, bool], float] = {}
        self._blocked: Counter[str] = Counter()
        self._recorded: dict[Recorded, None] = {}

    def reaches(self, link: SimLink) -> bool:
        return self.running and not self._blocked[link.client_id]

    def block(self, client: str) -> None:
        """Take a client's network away, whichever link it uses; as often as it is given back."""
        self._blocked[client] += 1
        for link in list(self._links):
            if link.client_id == client:
                link.cut()

    def unblock(self, client: str) -> None:
        """Give it back."""
        self._blocked[client] -= 1
        if not self._blocked[client]:
            for link in list(self._links):
                if link.client_id == client:
                    link.restore()

    def renew(self) -> None:
        """End every connection and let it come back, as all do sooner or later."""
        for client in sorted({link.client_id for link in self._links}):
            self.block(client)
            self.unblock(client)

    def send(self, link: SimLink, packet: Packet, *, retained: bool) -> None:
        self._recorded[Recorded(packet, retained)] = None
        if self._lot.random() < self.ratio:
            if packet.qos:
                self._break(link)
            return
        if self._unlucky():
            packet = self._garbled(packet)
        self._launch(link, packet, retained=retained, up=True)
        if not retained and self._unlucky():
            self._launch(link, packet, retained=False, up=True)

    def _hand_over(self, link: SimLink, packet: Packet, qos: int, *, retained: bool) -> None:
        if self._lot.random() < self.ratio:
            if qos:
                self._break(link)
            return
        if self._unlucky():
            packet = self._garbled(packet)
        for _ in range(1 + self._unlucky()):
            sent = dataclasses.replace(packet, qos=qos)
            self._launch(link, sent, retained=retained, up=False)

    def deliver(self, now_s: float) -> None:
        """Let everything arrive that does so by now."""
        while self._flights and self._flights[0].at_s <= now_s:
            flight = heapq.heappop(self._flights)
            self._now_s = max(self._now_s, flight.at_s)
            self._land(flight)
        self._now_s = now_s

    def replay(self, lot: random.Random) -> None:
        """Publish something recorded again, as an attacker with all rights does."""
        if not self._recorded or not self.running:
            return
        heard = lot.choice(list(self._recorded))
        packet, retained = heard.packet, lot.random() < 0.5  # noqa: PLR2004  # as likely as not
        if _kind(packet) in SIGNED:
            kind = _kind(packet)
            others = [r.packet.topic for r in self._recorded if _kind(r.packet) is kind]
            topic = lot.choice([packet.topic, *others])
            packet = dataclasses.replace(packet, topic=topic)
        self._trace.note("attacker", f"publishes on {packet.topic}, {_name(packet)}")
        self.publish(packet, retained=retained or heard.retained)

    def _launch(self, link: SimLink, packet: Packet, *, retained: bool, up: bool) -> None:
        delay_s = self._lot.uniform(*(LATE_S if self._unlucky() else DELAY_S))
        at_s = self._now_s + delay_s
        if packet.qos:
            way = (link.client_id, link.conn, up)
            at_s = self._last[way] = max(at_s, self._last.get(way, 0.0))
        self._launched += 1
        flight = _Flight(at_s, self._launched, link, link.conn, packet, retained, up)
        heapq.heappush(self._flights, flight)

    def _land(self, flight: _Flight) -> None:
        link, packet = flight.link, flight.packet
        if packet is None:
            self.unblock(link.client_id)
        elif not link.connected or link.conn != flight.conn:
            return
        elif flight.up:
            self._trace.note(link.client_id, f"says {packet.topic}, {_name(packet)}")
            self.publish(packet, retained=flight.retained)
        else:
            self._trace.note(link.client_id, f"hears {packet.topic}, {_name(packet)}")
            link.take(Received(packet.topic, packet.payload, flight.retained), 0)

    def _break(self, link: SimLink) -> None:
        """What TCP cannot bring ends the connection."""
        self.block(link.client_id)
        at_s = self._now_s + self._lot.uniform(*BROKEN_S)
        self._launched += 1
        heapq.heappush(self._flights, _Flight(at_s, self._launched, link, 0))

    def _garbled(self, packet: Packet) -> Packet:
        payload = packet.payload[: len(packet.payload) // 2]
        if _kind(packet) in SIGNED:
            payload = flipped(packet.payload, self._lot.randrange(2**20))
        return dataclasses.replace(packet, payload=payload)

    def _unlucky(self) -> bool:
        return bool(self.ratio) and self._lot.random() < self.ratio


def _kind(packet: Packet) -> Topic | None:
    address = parse(packet.topic)
    return None if address is None else address.topic


def _name(packet: Packet) -> str:
    return sha256_hex(packet.payload)[:12] if packet.payload else "nothing"
