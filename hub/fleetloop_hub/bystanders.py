"""Those who watch the loop and take no part in it: alerts on MQTT, Home Assistant, traces, room."""

from collections.abc import Callable, Iterable

from fleetloop_hub.home_assistant.telling import HomeAssistant
from fleetloop_hub.hub_parts import Parts
from fleetloop_hub.journeys.journeys import Journeys
from fleetloop_hub.notifying.alert_topics import AlertTopics
from fleetloop_shared.messages import ReportedState

Say = Callable[[str, bytes], bool]
"""(topic, payload) → whether it was handed over; it is kept by the broker."""

_FORGET_S, _FORGOTTEN = 60.0, 500
"""Old reports are taken away a little at a time: up to 500 of a kind a minute."""


class Bystanders:
    """Called by the hub's step; whatever they cannot do now, a later call does."""

    def __init__(self, parts: Parts) -> None:
        """Nothing is said yet."""
        self._telemetry = parts.telemetry
        self._alert_topics = AlertTopics(parts.catalog)
        self._home_assistant = HomeAssistant(parts.catalog)
        self._journeys = Journeys(parts.catalog, parts.spans) if parts.spans else None
        self._forget_at = 0.0

    def again(self) -> None:
        """The broker may have lost what was said."""
        self._alert_topics.again()
        self._home_assistant.again()

    def pump(self, say: Say, backlog_bytes: int) -> None:
        """Say what has changed."""
        self._alert_topics.pump(say)
        self._home_assistant.pump(say, backlog_bytes)

    def look(self, now: float) -> None:
        """Tell of rollouts that have ended, and make room."""
        if now >= self._forget_at:
            self._forget_at = now + _FORGET_S
            self._telemetry.forget(_FORGOTTEN)
        if self._journeys is not None:
            self._journeys.look()

    def heard(self, reported: Iterable[tuple[str, ReportedState]], now: float) -> None:
        """Devices have said where they stand."""
        if self._journeys is not None:
            self._journeys.heard(reported, now)

    def close(self) -> None:
        """Send what waits."""
        if self._journeys is not None:
            self._journeys.close()
