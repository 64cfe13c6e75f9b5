"""Looks every few seconds at what wants attention, and has people told, in a thread of its own.

    what the hub knows → sights → alert book → queue of notices → notifier → channels

The hub's step waits for none of it. What goes wrong in a look is logged, and the next one tries
again: alerts and notices are in the catalog and the queue before anything else is done with them.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from fleetloop_hub.alert_records import AlertKind, Channel, ChannelKind
from fleetloop_hub.alerting import catalog_sight, fleet_sight, hub_sight, model_sight
from fleetloop_hub.alerting.book import AlertBook
from fleetloop_hub.alerting.sights import Sight, Sights
from fleetloop_hub.config import HubConfig, Lives
from fleetloop_hub.hub_parts import Parts
from fleetloop_hub.monitoring.fairness_reader import FairnessReader
from fleetloop_hub.notifying.alert_topics import BRIDGE
from fleetloop_hub.notifying.channels import ChannelDesk
from fleetloop_hub.notifying.notifier import Notifier
from fleetloop_hub.notifying.queue import NoticeQueue
from fleetloop_hub.verdict_records import FleetVerdict
from fleetloop_shared.errors import FleetloopError

_LOG = logging.getLogger("fleetloop.hub")

LOOK_S = 5.0
_SLOW_S = 30.0


class Watchman:
    """A thread that looks; `look` may also be called by a test."""

    def __init__(
        self,
        sights: Sights,
        book: AlertBook,
        notifier: Notifier,
        ended: Callable[[], None] = lambda: None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Nothing is looked at before `start`.

        Args:
            sights: What there is to be seen.
            book: The alerts.
            notifier: Tells channels of them; it is started and stopped with this.
            ended: Called when nobody looks and tells any more.
            now: Unix seconds.
        """
        self._sights, self._book, self._notifier, self._now = sights, book, notifier, now
        self._end = ended
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchman", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._notifier.start()
        self._thread.start()

    def stop(self) -> None:
        """End it; a look that is under way is finished."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        self._notifier.stop()
        self._end()

    def look(self) -> None:
        """Look once.

        Raises:
            DiskFullError: No room for what was seen; the next look tries again.
        """
        now = self._now()
        self._book.look(self._sights.look(now), now)
        for alert in self._book.owed(now):
            self._notifier.tell(alert)
            self._book.told(alert)

    def _watch(self) -> None:
        while not self._ended.is_set():
            try:
                self.look()
            except FleetloopError as error:
                _LOG.error("alerts are not looked at: %s", error)
            except Exception:  # noqa: BLE001  # the edge: a fault in one look must not end the watch
                _LOG.exception("a look at what wants attention failed; the next one tries again")
            self._ended.wait(LOOK_S)


def all_sights(
    parts: Parts,
    moved: Callable[[], list[FleetVerdict]],
    free_bytes: Callable[[], int],
    lives: Lives,
) -> Sights:
    """Everything that the hub can see.

    Args:
        parts: What the hub is made of.
        moved: Who has moved, of the devices that serve each model's champion.
        free_bytes: Room that is left where the hub keeps its state.
        lives: How early people are asked to sign.
    """
    catalog, telemetry = parts.catalog, parts.telemetry
    fairness = FairnessReader(telemetry, parts.blobs)
    champion = model_sight.ChampionSight(catalog, telemetry, parts.blobs)
    return Sights(
        [
            Sight(fleet_sight.KINDS, fleet_sight.FleetSight(catalog, telemetry).look),
            Sight(catalog_sight.KINDS, catalog_sight.CatalogSight(catalog).look),
            Sight([AlertKind.ODD_DEVICE], model_sight.odd(moved)),
            Sight([AlertKind.ATTACK], hub_sight.attacks(telemetry)),
            Sight([AlertKind.DISK], hub_sight.disk(free_bytes)),
            Sight([AlertKind.ACCURACY], champion.look, _SLOW_S),
            Sight([AlertKind.FAIRNESS], model_sight.unfair(catalog, fairness.broken), _SLOW_S),
            Sight(
                [AlertKind.KEYS_ENDING, AlertKind.APPROVAL_WAITING],
                hub_sight.keys(parts.trust.view, lives),
                _SLOW_S,
            ),
        ]
    )


@dataclass(frozen=True)
class Watch:
    """What notices and tells.

    Attributes:
        alerts: What wants attention.
        channels: Where it is told.
        watchman: Looks for it, and has it told.
    """

    alerts: AlertBook
    channels: ChannelDesk
    watchman: Watchman


def on_watch(parts: Parts, sights: Sights, config: HubConfig) -> Watch:
    """Put together what notices and tells; nothing of it runs yet.

    Raises:
        AlertError: The queue of notices is damaged, or of a newer form.
    """
    _open_bridge(parts)
    queue = NoticeQueue(config.state_dir / "notices.sqlite")
    notifier, book = Notifier(parts.catalog, queue), AlertBook(parts.catalog)
    desk = ChannelDesk(parts.catalog, queue, notifier)
    return Watch(book, desk, Watchman(sights, book, notifier, queue.close))


def _open_bridge(parts: Parts) -> None:
    """Make the channel that is the MQTT bridge, at the first start of a hub."""
    if parts.catalog.find(Channel, BRIDGE) is None:
        made = Channel(key=BRIDGE, kind=ChannelKind.MQTT, made_at=parts.now(), by="hub")
        parts.catalog.put(made)
