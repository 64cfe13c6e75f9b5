"""The channels of a hub: added, removed, tried; their secrets go in and never come out."""

import time
import uuid
from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from fleetloop_hub.alert_records import (
    AlertKind,
    AlertLevel,
    AlertState,
    Channel,
    ChannelKind,
)
from fleetloop_hub.errors import AbsentError, AlertError
from fleetloop_hub.notifying import signing
from fleetloop_hub.notifying.channel_check import check
from fleetloop_hub.notifying.cloud_event import trial_notice
from fleetloop_hub.notifying.delivery import Delivery, DeliveryError
from fleetloop_hub.notifying.notifier import Notifier
from fleetloop_hub.notifying.queue import NoticeQueue, Standing
from fleetloop_hub.ports import Catalog
from fleetloop_shared.alert_message import AlertMessage

MOST_CHANNELS = 50


class ChannelView(msgspec.Struct, frozen=True, kw_only=True):
    """A channel as people see it: without its secrets.

    Attributes:
        name: Its name.
        kind: How it reaches whoever is to be told.
        where: Whom it reaches: a host, addresses, topics.
        level: Alerts as grave as this are told, and graver ones.
        kinds: Alerts of these kinds are told; none of them: of all.
        private: Whether it may lead to an address of this machine or a private network.
        made_at: Unix seconds.
        by: Who has made it.
        waiting: Notices that wait to be sent.
        sent: Of the notices that are kept, those that were taken.
        dead: Notices that were given up.
        sent_at: Unix seconds at which the last one was taken, None before the first.
        error: Why the last try that failed did, "" if none did.
    """

    name: str
    kind: ChannelKind
    where: str
    level: AlertLevel
    kinds: list[AlertKind]
    private: bool
    made_at: float
    by: str
    waiting: int = 0
    sent: int = 0
    dead: int = 0
    sent_at: float | None = None
    error: str = ""


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A notice that a channel was not told.

    Attributes:
        id: The event's id.
        channel: The channel.
        event: What happened to the alert.
        made_at: Unix seconds.
        tries: How often it was tried.
        error: Why the last try failed.
    """

    id: str
    channel: str
    event: str
    made_at: float
    tries: int
    error: str


class ChannelDesk:
    """What people do with channels. Safe to be called from many threads."""

    def __init__(
        self,
        catalog: Catalog,
        queue: NoticeQueue,
        notifier: Notifier,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Over these.

        Args:
            catalog: Where the channels are.
            queue: What they are to be told.
            notifier: Tells it.
            now: Unix seconds.
        """
        self._catalog, self._queue, self._notifier, self._now = catalog, queue, notifier, now

    def shown(self) -> list[ChannelView]:
        """Every channel, by name."""
        standing = self._queue.standing()
        live = [c for c in self._catalog.all(Channel) if not c.gone]
        return [
            _view(channel, standing.get(channel.key, Standing()))
            for channel in sorted(live, key=lambda c: c.key)
        ]

    def dead(self) -> list[DeadLetter]:
        """Dead letters, the last one first."""
        return [
            DeadLetter(
                id=d.id,
                channel=d.channel,
                event=d.event,
                made_at=d.made_at,
                tries=d.tries,
                error=d.error,
            )
            for d in self._queue.dead()
        ]

    def add(self, wanted: Channel) -> tuple[ChannelView, str]:
        """Make a channel.

        Args:
            wanted: What; a webhook without a secret gets one.

        Returns:
            The channel, and the secret that was made for it: shown this once; "" if none was.

        Raises:
            AlertError: It is not as it must be, there is one of this name, or there are too many.
            InvalidIdError: Its name is none.
        """
        made = ""
        if wanted.kind is ChannelKind.WEBHOOK and not wanted.secret:
            made = signing.new_secret()
            wanted = replace(wanted, secret=made)
        check(wanted)
        live = [c.key for c in self._catalog.all(Channel) if not c.gone]
        if wanted.key in live:
            raise AlertError(
                f"there is a channel {wanted.key} already: remove it, or take another name; "
                "nothing was changed"
            )
        if len(live) >= MOST_CHANNELS:
            raise AlertError(f"{MOST_CHANNELS} channels are there already: remove one first")
        kept = replace(wanted, made_at=self._now(), gone=False)
        self._catalog.put(kept)
        return _view(kept, Standing()), made

    def remove(self, name: str) -> ChannelView:
        """Take a channel away, with its secrets and what waits for it.

        Raises:
            AbsentError: There is none.
        """
        found = self._find(name)
        self._catalog.put(replace(found, gone=True, url="", secret="", mail=None))
        self._queue.forget(name)
        return _view(replace(found, mail=None, url=""), Standing())

    def attempt(self, name: str, by: str) -> None:
        """Send a channel something now, to see whether it arrives.

        Raises:
            AbsentError: There is no such channel.
            AlertError: It did not take it; the text says why.
        """
        channel, now = self._find(name), self._now()
        if channel.kind is ChannelKind.MQTT:
            raise AlertError(
                "the bridge needs no test: subscribe to fleetloop/v1/alerts/# and see what stands"
            )
        message = AlertMessage(
            key=f"test-{name}"[:64],
            kind="test",
            subject=name,
            level=AlertLevel.WARN,
            state=AlertState.OPEN,
            text=f"A test of channel {name}, asked for by {by}: nothing is wrong.",
            page="/settings/channels",
            count=1,
            opened_at=now,
        )
        notice = trial_notice(message, f"test.{uuid.uuid4().hex}", now)
        delivery = Delivery(notice.id, name, notice.event, notice.body, now, now)
        try:
            self._notifier.attempt(channel, delivery)
        except DeliveryError as error:
            raise AlertError(f"channel {name} did not take a test: {error}") from error

    def again(self, name: str, id_: str | None) -> int:
        """Send dead letters of a channel again, one or all of them; returns how many.

        Raises:
            AbsentError: There is no such channel, or no such dead letter.
        """
        self._find(name)
        count = self._queue.again(name, id_, self._now())
        if id_ is not None and count == 0:
            raise AbsentError(
                f"channel {name} has no dead letter {id_[:80]!r}: see `fleetloop channels dead`"
            )
        self._notifier.wake()
        return count

    def _find(self, name: str) -> Channel:
        found = self._catalog.find(Channel, name)
        if found is None or found.gone:
            raise AbsentError(f"no channel {name[:80]!r}: see `fleetloop channels list`")
        return found


def _view(channel: Channel, standing: Standing) -> ChannelView:
    return ChannelView(
        name=channel.key,
        kind=channel.kind,
        where=_where(channel),
        level=channel.level,
        kinds=list(channel.kinds),
        private=channel.private,
        made_at=channel.made_at,
        by=channel.by,
        waiting=standing.waiting,
        sent=standing.sent,
        dead=standing.dead,
        sent_at=standing.sent_at,
        error=standing.error,
    )


def _where(channel: Channel) -> str:
    """Whom it reaches; of an address of the web the host alone, since the rest may be a secret."""
    if channel.kind is ChannelKind.MQTT:
        return "fleetloop/v1/alerts/KIND/KEY"
    if channel.mail is not None:
        return f"{', '.join(channel.mail.to)} by {channel.mail.host}:{channel.mail.port}"
    scheme, _, rest = channel.url.partition("://")
    return f"{scheme}://{rest.partition('/')[0].partition('?')[0]}" if rest else ""
