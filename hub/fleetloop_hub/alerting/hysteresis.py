"""When a condition becomes an alert and when it is over: what comes and goes does not flap."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from fleetloop_hub.alerting.condition import Cause
from fleetloop_hub.alerting.terms import TERMS


@dataclass(frozen=True)
class Turn:
    """What a look has found.

    Attributes:
        due: Conditions that stand for long enough, or stand while their alert does.
        over: Alerts whose condition has been gone for long enough.
    """

    due: set[Cause]
    over: set[Cause]


class Hysteresis:
    """Remembers since when each condition stands or is gone.

    It is stepped: whoever looks says what stands, which alerts stand, and what the time is. What
    it remembers is lost with the process; then every wait begins anew, and no alert is lost.
    """

    def __init__(self) -> None:
        """Nothing has been seen yet."""
        self._since: dict[Cause, float] = {}
        self._gone: dict[Cause, float] = {}

    def look(
        self,
        standing: Collection[Cause],
        alerts: Iterable[Cause],
        now: float,
        blind: Collection[str] = (),
    ) -> Turn:
        """Take in what stands now.

        Args:
            standing: Every condition that stands.
            alerts: Every alert that stands.
            now: Unix seconds; a clock that goes back begins a wait anew.
            blind: Kinds of which nobody could say what stands: nothing of these changes.
        """
        known = {cause for cause in self._since if cause[0] in blind}
        self._since = {
            cause: min(now, self._since.get(cause, now)) for cause in {*standing, *known}
        }
        stand = set(alerts)
        lost = {cause for cause in stand if cause not in self._since and cause[0] not in blind}
        self._gone = {cause: min(now, self._gone.get(cause, now)) for cause in lost}
        due = {
            cause
            for cause in standing
            if cause in stand or now - self._since[cause] >= TERMS[cause[0]].for_s
        }
        over = {c for c, gone_at in self._gone.items() if now - gone_at >= TERMS[c[0]].clear_s}
        return Turn(due, over)
