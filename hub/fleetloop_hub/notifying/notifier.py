"""Sends what is queued to channels, in threads of its own; nobody waits for it.

Each channel is sent one notice at a time, so that a receiver that never answers holds up its own
notices and no others.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping

from fleetloop_hub.alert_records import Alert, Channel, ChannelKind
from fleetloop_hub.notifying import mail, webhook
from fleetloop_hub.notifying.cloud_event import notice_of
from fleetloop_hub.notifying.delivery import Delivery, DeliveryError, wait_s
from fleetloop_hub.notifying.queue import NoticeQueue
from fleetloop_hub.ports import Catalog
from fleetloop_shared.errors import FleetloopError

_LOG = logging.getLogger("fleetloop.hub")

Send = Callable[[Channel, Delivery], None]
"""Has a channel's receiver take a notice.

Raises:
    DeliveryError: It did not.
"""
SENDERS: Mapping[ChannelKind, Send] = {
    ChannelKind.WEBHOOK: webhook.send,
    ChannelKind.EMAIL: mail.send,
}
"""The bridge to MQTT is no sender: its topics say what stands, see `alert_topics`."""
_AT_ONCE = 4
_IDLE_S = 30.0
_LEAST_S = 0.2
_BUSY_S = 2.0


class Notifier:
    """Threads that send; `step` may also be called by a test."""

    def __init__(
        self,
        catalog: Catalog,
        queue: NoticeQueue,
        senders: Mapping[ChannelKind, Send] = SENDERS,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Nothing is sent before `start`.

        Args:
            catalog: Where the channels are.
            queue: What is to be sent.
            senders: How, by kind of channel.
            now: Unix seconds.
        """
        self._catalog, self._queue, self._senders, self._now = catalog, queue, senders, now
        self._lock, self._busy = threading.Lock(), set[str]()
        self._woken, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="notifier", daemon=True)
        self._draw = random.Random()  # noqa: S311  # spreads tries, guards nothing

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """Begin no more; what is being sent is sent again if it is not finished."""
        self._ended.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join()

    def tell(self, alert: Alert) -> None:
        """Take over that channels are told what an alert owes; durable when it returns.

        Raises:
            DiskFullError: No room; it is to be asked again.
        """
        hearing = [c.key for c in self._catalog.all(Channel) if self._sends(c) and c.hears(alert)]
        if hearing:
            self._queue.put(notice_of(alert), hearing, self._now())
            self._woken.set()

    def wake(self) -> None:
        """Something was put into the queue."""
        self._woken.set()

    def step(self) -> None:
        """Send the first notice that is due of each channel, one after the other."""
        for delivery in self._queue.due(self._now()):
            self._deliver(delivery)

    def attempt(self, channel: Channel, delivery: Delivery) -> None:
        """Send something now, beside the queue.

        Raises:
            DeliveryError: It was not taken.
        """
        self._senders[channel.kind](channel, delivery)

    def _sends(self, channel: Channel) -> bool:
        return channel.kind in self._senders and not channel.gone

    def _deliver(self, delivery: Delivery) -> None:
        channel = self._catalog.find(Channel, delivery.channel)
        if channel is None or not self._sends(channel):
            self._queue.forget(delivery.channel)
            return
        try:
            self.attempt(channel, delivery)
        except DeliveryError as error:
            now = self._now()
            due_at = now + wait_s(delivery.tries + 1, self._draw.random())
            self._queue.failed(delivery, str(error), due_at, now)
            _LOG.warning("channel %s was not told of %s: %s", channel.key, delivery.id, error)
        else:
            self._queue.sent(delivery, self._now())

    def _run(self) -> None:
        while not self._ended.is_set():
            self._woken.clear()
            try:
                self._begin()
            except FleetloopError as error:
                _LOG.error("notices are not sent: %s", error)
            self._woken.wait(self._idle_s())

    def _begin(self) -> None:
        with self._lock:
            busy = {*self._busy}
        for delivery in self._queue.due(self._now(), busy)[: _AT_ONCE - len(busy)]:
            with self._lock:
                self._busy.add(delivery.channel)
            threading.Thread(
                target=self._work, args=(delivery,), name="notifying", daemon=True
            ).start()

    def _work(self, delivery: Delivery) -> None:
        try:
            self._deliver(delivery)
        except Exception:  # noqa: BLE001  # the edge: one notice that fails ends no other
            _LOG.exception("a notice for channel %s failed", delivery.channel)
        finally:
            with self._lock:
                self._busy.discard(delivery.channel)
            self._woken.set()

    def _idle_s(self) -> float:
        """Until the next notice is due; whoever ends one wakes this earlier."""
        try:
            next_at = self._queue.next_at()
        except FleetloopError:
            return _IDLE_S
        left_s = _IDLE_S if next_at is None else next_at - self._now()
        with self._lock:
            least_s = _BUSY_S if self._busy else _LEAST_S
        return min(_IDLE_S, max(least_s, left_s))
