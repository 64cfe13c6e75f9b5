"""Notices what somebody else writes on the hub's own topics, and has the right content put back.

Whoever may write everything on the broker can replace a retained message, clear it, or acknowledge
reports that the hub does not have. Devices refuse what is not signed; but a device that comes anew
would find nothing to trust, and a forged acknowledgement makes a device forget a report. So the hub
reads its own topics. What it said itself comes back as an echo and is told by its hash.

Not noticed here: chunks, as every one of them would come back too. A device that gets a wrong one
says so, asks again, and the hub replaces it.
"""

import hashlib
import re
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

from fleetloop_hub.ports import Telemetry
from fleetloop_shared.codec import decode
from fleetloop_shared.errors import UndecodableError
from fleetloop_shared.link import Received
from fleetloop_shared.messages import HubState
from fleetloop_shared.topics import ROOT, Address, Topic, parse

FILTERS = [
    f"{ROOT}/+/+",
    f"{ROOT}/cohorts/+/+",
    f"{ROOT}/devices/+/down/+",
    Topic.ALERT.every(),
]
"""What the hub reads besides what devices say; no two of them cover one topic."""

RESTORE_S = 1.0
"""One topic is put right so often at most: who overwrites it all the time does not make the hub
publish all the time."""

CONNECTIONS = 3
WITHIN_S = 60.0
"""A hub that has to connect so often within so long has lost its name to somebody."""

UNKNOWN = "unknown"
"""Stands for every source that is no enrolled device."""

_BY_DEVICE = re.compile(rf"{ROOT}/devices/[^/]*/up(/|\Z)")
_OWN = {Topic.IMAGE, Topic.DIRECTOR, Topic.HUB, Topic.ACK, Topic.ALERT}
_REMEMBERED = 10_000
_AT_ONCE = 1_000


@dataclass(frozen=True)
class Intrusion:
    """Something on a topic of the hub that the hub did not say.

    Attributes:
        name: What it is counted under.
        device: Whom it was aimed at, empty for all.
        topic: Where.
        text: In words.
    """

    name: str
    device: str
    topic: str
    text: str


class Intrusions:
    """Compares what comes with what was said; keeps bounded memory whatever comes."""

    def __init__(
        self,
        telemetry: Telemetry,
        enrolled: Callable[[str], bool],
        ours: Callable[[bytes], bool],
    ) -> None:
        """Nothing was said yet.

        Args:
            telemetry: Where attempts are counted.
            enrolled: Whether there is such a device.
            ours: Whether this hub has made a payload, also before it was last started.
        """
        self._telemetry = telemetry
        self._enrolled = enrolled
        self._ours = ours
        self._standing: dict[str, bytes] = {}
        self._echoes: Counter[bytes] = Counter()
        self._said: OrderedDict[bytes, None] = OrderedDict()
        self._due: dict[str, float] = {}
        self._restored_at: OrderedDict[str, float] = OrderedDict()
        self._own_will = False
        self._connected_at: deque[float] = deque(maxlen=CONNECTIONS)

    def said(self, topic: str, payload: bytes, *, retained: bool) -> None:
        """The hub has handed this over."""
        address = parse(topic)
        if address is None or address.topic not in _OWN:
            return
        name = _name(topic, payload)
        self._echoes[name] += 1
        self._said[name] = None
        self._said.move_to_end(name)
        if len(self._said) > _REMEMBERED:
            oldest, _ = self._said.popitem(last=False)
            self._echoes.pop(oldest, None)
        if retained and payload:
            self._standing[topic] = payload
        elif retained:
            self._standing.pop(topic, None)

    def connected(self, now: float) -> None:
        """What was on its way is lost; the will of the last connection may still come.

        Args:
            now: Seconds of the same clock.
        """
        self._echoes.clear()
        self._own_will = True
        self._connected_at.append(now)
        if len(self._connected_at) == CONNECTIONS and now - self._connected_at[0] <= WITHIN_S:
            self._connected_at.clear()
            text = (
                f"the hub had to connect {CONNECTIONS} times within {WITHIN_S:.0f} s: another "
                "client uses its name at the broker and throws it out; change its password"
            )
            self._telemetry.refuse(UNKNOWN, "second-client", text, Topic.HUB.at())

    def listen(self, messages: list[Received], now: float) -> list[Received]:
        """Count what the hub should have said and has not; returns what devices say.

        Args:
            messages: Everything that has come.
            now: Seconds of any clock.
        """
        told, found = [], dict[tuple[str, str], tuple[int, Intrusion]]()
        for message in messages:
            if _BY_DEVICE.match(message.topic):
                told.append(message)
            elif (intrusion := self.heard(message, now)) is not None:
                device = intrusion.device if self._enrolled(intrusion.device) else ""
                count, _ = found.get((device, intrusion.name), (0, intrusion))
                found[device, intrusion.name] = (count + 1, intrusion)
        for (device, name), (count, last) in found.items():
            self._telemetry.refuse(device or UNKNOWN, name, last.text, last.topic, count)
        return told

    def heard(self, received: Received, now: float) -> Intrusion | None:
        """What is wrong with a message on one of `FILTERS`, if anything.

        Args:
            received: The message.
            now: Seconds of the same clock.
        """
        topic = received.topic
        address = parse(topic)
        if address is None or address.topic not in _OWN:
            return Intrusion("topic-injection", "", topic, "a message on a topic that nobody reads")
        if self._is_own(received, address):
            return None
        self._put_right(topic, now)
        return self._named(received, address) if not self._is_old(received, address) else None

    def due(self, now: float) -> list[tuple[str, bytes]]:
        """What is to be published retained now: (topic, payload), empty where it is to be cleared.

        Args:
            now: Seconds of the same clock.
        """
        due = [topic for topic, at in self._due.items() if at <= now]
        for topic in due:
            del self._due[topic]
            self._restored_at[topic] = now
            self._restored_at.move_to_end(topic)
            if len(self._restored_at) > _AT_ONCE:
                self._restored_at.popitem(last=False)
        return [(topic, self._standing.get(topic, b"")) for topic in due]

    def _is_own(self, received: Received, address: Address) -> bool:
        name = _name(received.topic, received.payload)
        if self._echoes[name] > 0:
            self._echoes[name] -= 1
            return True
        if address.topic is Topic.ACK:
            return name in self._said and not received.retained
        return received.payload == self._standing.get(received.topic, b"")

    def _is_old(self, received: Received, address: Address) -> bool:
        """Whether it may be a word of the hub from before this connection: replaced, no attempt."""
        if address.topic is Topic.HUB:
            return self._is_own_will(received)
        if address.topic is Topic.ALERT:
            return received.retained
        return received.retained and self._ours(received.payload)

    def _is_own_will(self, received: Received) -> bool:
        try:
            online = decode(received.payload, HubState).online
        except UndecodableError:
            return False
        if received.retained:
            return True
        own, self._own_will = self._own_will and not online, False
        return own

    def _put_right(self, topic: str, now: float) -> None:
        if topic not in self._due and len(self._due) < _AT_ONCE:
            self._due[topic] = max(now, self._restored_at.get(topic, now - RESTORE_S) + RESTORE_S)

    def _named(self, received: Received, address: Address) -> Intrusion:
        topic, device = received.topic, address.names.get("device", "")
        if address.topic is Topic.ACK:
            text = "an acknowledgement that this hub has not sent: the device forgets the reports"
            return Intrusion("forged-ack", device, topic, f"{text} it names")
        if not received.payload:
            return Intrusion("cleared", device, topic, "somebody has cleared it; it was put back")
        if _name(topic, received.payload) in self._said or self._ours(received.payload):
            text = "somebody has put an earlier message of this hub in place of the last; it was"
            return Intrusion("replayed", device, topic, f"{text} put back")
        if topic in self._standing:
            text = "somebody has written over what this hub says; it was put back"
            return Intrusion("overwritten", device, topic, text)
        text = "somebody says there what only this hub may say; it was cleared"
        return Intrusion("overwritten", device, topic, text)


def _name(topic: str, payload: bytes) -> bytes:
    return hashlib.sha256(topic.encode() + b"\0" + payload).digest()
