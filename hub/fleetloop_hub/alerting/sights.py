"""Asks everybody who can see what stands now; one who cannot see changes no alert."""

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from fleetloop_hub.alert_records import AlertKind
from fleetloop_hub.alerting.condition import Condition
from fleetloop_shared.errors import FleetloopError

_LOG = logging.getLogger("fleetloop.hub")

Look = Callable[[float], list[Condition]]
"""Says what stands at a time, Unix seconds.

Raises:
    FleetloopError: It cannot be said now.
"""


@dataclass(frozen=True)
class Sight:
    """One who looks.

    Attributes:
        kinds: The kinds of conditions that are told.
        look: Tells them.
        every_s: Seconds for which what was told is taken as it is.
    """

    kinds: Collection[AlertKind]
    look: Look
    every_s: float = 0.0


@dataclass(frozen=True)
class Seen:
    """What stands.

    Attributes:
        conditions: All that was told.
        blind: Kinds of which somebody could not say what stands.
    """

    conditions: list[Condition]
    blind: set[AlertKind]


class Sights:
    """Everybody who looks; for one thread at a time."""

    def __init__(self, sights: Sequence[Sight]) -> None:
        """Nobody has looked yet."""
        self._sights = sights
        self._last: dict[int, tuple[float, list[Condition]]] = {}

    def look(self, now: float) -> Seen:
        """What stands at a time, Unix seconds."""
        conditions: list[Condition] = []
        blind: set[AlertKind] = set()
        for number, sight in enumerate(self._sights):
            at, last = self._last.get(number, (float("-inf"), []))
            if abs(now - at) >= sight.every_s:
                try:
                    last = sight.look(now)
                except FleetloopError as error:
                    _LOG.warning("%s cannot be seen now: %s", ", ".join(sight.kinds), error)
                    blind |= {*sight.kinds}
                    continue
                self._last[number] = now, last
            conditions += last
        return Seen(conditions, blind)
