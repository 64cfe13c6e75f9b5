"""Brings reports to the hub: into the outbox, out to the broker, again until acknowledged."""

import math
from collections import deque
from collections.abc import Callable

from fleetloop_agent.clock_offset import OffsetMeter
from fleetloop_agent.ports import Clock, Outbox
from fleetloop_agent.serving.reports import Draft
from fleetloop_shared.errors import DiskFullError
from fleetloop_shared.messages import Ack
from fleetloop_shared.system import ClockOffset
from fleetloop_shared.topics import Topic

IN_FLIGHT = 64
"""Reports that are sent and not acknowledged at the same time."""

HUB_AWAY_FACTOR = 12
"""Reports are re-sent so many times more slowly while the hub says it is away."""

UNKEPT_REPORTS = 1_000
"""Reports that wait in memory while the disk is full; then the oldest are lost."""

Publish = Callable[[Topic, bytes], bool]
"""Hands a payload to the broker; False where it cannot be taken now."""


class Sending:
    """One device's reports on their way."""

    def __init__(self, outbox: Outbox, clock: Clock, resend_s: float) -> None:
        """Nothing is on its way yet.

        Args:
            outbox: Keeps what the hub does not have.
            clock: When it is.
            resend_s: Seconds until an unacknowledged report is sent again.
        """
        self._outbox = outbox
        self._clock = clock
        self._resend_s = resend_s
        self._unkept: deque[Draft] = deque(maxlen=UNKEPT_REPORTS)
        self._sent: dict[tuple[int, int], float] = {}
        self._offset = OffsetMeter()
        self._hub_online: bool | None = None

    @property
    def unkept(self) -> int:
        """Reports that wait in memory for room on the disk."""
        return len(self._unkept)

    def say(self, *drafts: Draft) -> None:
        """Take reports."""
        self._unkept.extend(drafts)

    def keep(self) -> str | None:
        """Move reports from memory to the outbox; while the disk is full they wait.

        Returns:
            What is in the way, in words.
        """
        while self._unkept:
            try:
                self._outbox.append(*self._unkept[0])
            except DiskFullError as error:
                return str(error)
            self._unkept.popleft()
        return None

    def send(self, now: float, publish: Publish) -> None:
        """Send what the hub has not acknowledged, a bounded number at a time.

        Args:
            now: Monotonic seconds.
            publish: Hands it to the broker.
        """
        away = self._hub_online is False
        resend_s = self._resend_s * (HUB_AWAY_FACTOR if away else 1)
        sent: dict[tuple[int, int], float] = {}
        for pending in self._outbox.pending(IN_FLIGHT):
            key = (pending.boot, pending.seq)
            at = self._sent.get(key, -math.inf)
            if now - at >= resend_s and publish(pending.topic, pending.payload):
                at = now
                self._offset.sent(key, now)
            sent[key] = at
        self._sent = sent
        self._offset.keep(sent)

    def again(self) -> None:
        """Nothing that was sent is on its way any more."""
        self._sent.clear()

    def hub(self, *, online: bool) -> None:
        """The hub has come or gone; one that has come may have lost what was sent."""
        self._hub_online = online
        if online:
            self.again()

    def acknowledged(self, ack: Ack) -> None:
        """The hub has these reports.

        Raises:
            DiskFullError: No room to note it; they are sent again.
        """
        if ack.at is not None:
            keys = [(ack.boot, seq) for seq in ack.seqs]
            self._offset.acknowledged(keys, ack.at, self._clock.monotonic(), self._clock.now())
        self._outbox.acknowledge(ack.boot, ack.seqs)

    def clock_offset(self) -> ClockOffset | None:
        """The surest comparison with the hub's clock since the last call."""
        return self._offset.take()
