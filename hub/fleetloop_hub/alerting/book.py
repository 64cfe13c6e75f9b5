"""Keeps the alerts: brings what stands now into the catalog, and says what channels are owed."""

import threading
import uuid

from msgspec.structs import replace

from fleetloop_hub.alert_records import Alert, AlertEvent, Silence
from fleetloop_hub.alerting import changes
from fleetloop_hub.alerting.condition import Condition
from fleetloop_hub.alerting.crowd import bounded
from fleetloop_hub.alerting.hysteresis import Hysteresis
from fleetloop_hub.alerting.shown import AlertView, in_order, view_of
from fleetloop_hub.alerting.sights import Seen
from fleetloop_hub.alerting.silences import holds, is_silent
from fleetloop_hub.errors import AbsentError, AlertError
from fleetloop_hub.ports import Catalog

MOST_SILENCES = 200
"""Silences that hold at a time."""
LONGEST_SILENCE_S = 366 * 86_400.0


class AlertBook:
    """The alerts and silences of a hub. Safe to be called from many threads."""

    def __init__(self, catalog: Catalog) -> None:
        """Take them up as the catalog has them."""
        self._catalog = catalog
        self._hysteresis = Hysteresis()
        self._lock = threading.RLock()

    def look(self, seen: Seen, now: float) -> None:
        """Open, keep and close alerts by what stands now.

        Raises:
            DiskFullError: No room; what could not be kept is tried again at the next look.
        """
        with self._lock:
            known = {(a.kind, a.subject): a for a in self._catalog.all(Alert)}
            standing = {cause for cause, alert in known.items() if alert.stands}
            conditions = {c.cause: c for c in bounded(seen.conditions, standing)}
            turn = self._hysteresis.look(conditions.keys(), standing, now, seen.blind)
            for cause in sorted(turn.due):
                self._stands(conditions[cause], known.get(cause), now)
            for cause in sorted(turn.over):
                self._put(known[cause], changes.closed(known[cause], now))

    def shown(self, now: float) -> list[AlertView]:
        """Every alert: those that stand first, the gravest and newest of these first."""
        silences = self._catalog.all(Silence)
        views = [view_of(a, silent=is_silent(a, silences, now)) for a in self._catalog.all(Alert)]
        return sorted(views, key=in_order)

    def find(self, key: str, now: float) -> AlertView:
        """One alert.

        Raises:
            AbsentError: There is none of this key.
        """
        found = self._find(key)
        return view_of(found, silent=is_silent(found, self._catalog.all(Silence), now))

    def silences(self, now: float) -> list[Silence]:
        """Silences that hold, those that end first first."""
        return sorted(
            (s for s in self._catalog.all(Silence) if holds(s, now)), key=lambda s: s.until
        )

    def owed(self, now: float) -> list[Alert]:
        """Alerts of which channels are to be told something; those that are silenced wait."""
        silences = self._catalog.all(Silence)
        owing = [a for a in self._catalog.all(Alert) if a.owed is not AlertEvent.NOTHING]
        return [alert for alert in owing if not is_silent(alert, silences, now)]

    def told(self, alert: Alert) -> None:
        """Channels have been told what an alert of `owed` owed them."""
        with self._lock:
            kept = self._find(alert.key)
            self._put(kept, changes.told(kept, alert.owed, alert.owed_at))

    def acknowledge(self, key: str, by: str, reason: str, now: float) -> Alert:
        """Note that somebody sees to an alert.

        Raises:
            AbsentError: There is no such alert.
            AlertError: It is closed.
        """
        with self._lock:
            alert = self._find(key)
            if not alert.stands:
                raise AlertError(f"{key} is closed already: there is nothing left to acknowledge")
            done = changes.acknowledged(alert, by, reason, now)
            self._put(alert, done)
            return done

    def silence(self, wanted: Silence, now: float) -> Silence:
        """Tell nobody of some alerts for a while.

        Args:
            wanted: What; its key and `made_at` are made here.
            now: Unix seconds.

        Raises:
            AlertError: It would end before it begins or last for more than a year, or there are
                too many.
        """
        if not now < wanted.until <= now + LONGEST_SILENCE_S:
            raise AlertError(
                "a silence must end later than now, and within a year: nothing was silenced"
            )
        with self._lock:
            if sum(holds(s, now) for s in self._catalog.all(Silence)) >= MOST_SILENCES:
                raise AlertError(
                    f"{MOST_SILENCES} silences hold already: end some with `fleetloop alerts "
                    "unsilence`; nothing was silenced"
                )
            made = Silence(
                key=f"silence-{uuid.uuid4().hex[:12]}",
                kind=wanted.kind,
                subject=wanted.subject,
                until=wanted.until,
                by=wanted.by,
                reason=wanted.reason,
                made_at=now,
            )
            self._catalog.put(made)
            return made

    def end_silence(self, key: str, by: str, now: float) -> Silence:
        """End a silence before its time.

        Raises:
            AbsentError: There is none, or it is over.
        """
        with self._lock:
            found = self._catalog.find(Silence, key)
            if found is None or not holds(found, now):
                raise AbsentError(f"no silence {key[:80]!r} holds: see `fleetloop alerts list`")
            ended = replace(found, ended_by=by, until=now)
            self._catalog.put(ended)
            return ended

    def _stands(self, condition: Condition, alert: Alert | None, now: float) -> None:
        if alert is None or not alert.stands:
            self._put(alert, changes.opened(alert, condition, now))
        else:
            self._put(alert, changes.kept(alert, condition, now))

    def _put(self, before: Alert | None, after: Alert) -> None:
        if after is not before:
            self._catalog.put(after)

    def _find(self, key: str) -> Alert:
        found = self._catalog.find(Alert, key)
        if found is None:
            raise AbsentError(f"no alert {key[:80]!r}: see `fleetloop alerts list`")
        return found
