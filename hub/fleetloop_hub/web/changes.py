"""What has changed at the hub, told as server-sent events to the pages that show it.

The stream says no more than which topics have changed; a page then fetches what it shows. So a
stream costs the hub a line where something happened, and one watcher serves all of them.

Source: WHATWG HTML, section 9.2, server-sent events.
"""

import threading
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus

from flask import Blueprint, Response, request

from fleetloop_hub.alert_records import Alert, Channel, Silence
from fleetloop_hub.decision_records import Decision
from fleetloop_hub.fleet_records import Device, LabelCohort, Quarantine, Rollout, Token
from fleetloop_hub.people_records import ApiToken, Person, Role
from fleetloop_hub.ports import Catalog, Telemetry
from fleetloop_hub.records import Alias, Dataset, Record, Run, Version
from fleetloop_hub.shadow_records import ShadowRun
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.problem import ProblemError

CHANGES = "fleetloop-changes"
"""Under which the application keeps what tells pages of changes."""

MOST_STREAMS = 200
"""Beyond these a page is refused, and asks for itself again every ten seconds."""
_LOOK_S = 1.0
_BEAT_S = 5.0
_LONGEST_S = 600.0  # then a page asks anew, and whether it may is seen anew

_KINDS: dict[str, tuple[type[Record], ...]] = {
    "devices": (Device, Token),
    "rollouts": (Rollout, Quarantine, LabelCohort, ShadowRun),
    "runs": (Run,),
    "models": (Version, Alias),
    "data": (Dataset,),
    "decisions": (Decision,),
    "settings": (Person, ApiToken, Channel),
    "alerts": (Alert, Silence),
}
_TOLD_BY_DEVICES = frozenset({"devices", "labels"})
"""Topics that also change with what devices say."""
TOPICS = frozenset(_KINDS) | _TOLD_BY_DEVICES
"""What a page may be told of."""


class Changes:
    """Counts, for each topic, how often what it shows has changed."""

    def __init__(
        self, catalog: Catalog, telemetry: Telemetry, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Watch these.

        Args:
            catalog: Documents.
            telemetry: What devices say.
            clock: Seconds that never go back.
        """
        self._catalog, self._telemetry, self._clock = catalog, telemetry, clock
        self._lock = threading.Lock()
        self._said_at: float | None = None
        self._said_then = 0
        self._ended = threading.Event()
        self._free = threading.BoundedSemaphore(MOST_STREAMS)
        self._counting, self._open = threading.Lock(), 0

    @property
    def open(self) -> int:
        """Pages that are told of changes now."""
        return self._open

    def stop(self) -> None:
        """End every stream."""
        self._ended.set()

    def told(self, topics: list[str]) -> dict[str, tuple[int, int]]:
        """The state of these topics; a topic whose state is another one has changed."""
        said = self._said()
        return {
            topic: (
                self._catalog.revision(*_KINDS.get(topic, ())),
                said if topic in _TOLD_BY_DEVICES else 0,
            )
            for topic in topics
        }

    def _said(self) -> int:
        """How much devices have said, looked at with each beat: they always say something.

        All streams are told at once, so that pages that show the same fetch it together.
        """
        with self._lock:
            now = self._clock()
            if self._said_at is None or not 0 <= now - self._said_at < _BEAT_S:
                self._said_at, self._said_then = now, self._telemetry.revision()
            return self._said_then

    def stream(self, topics: list[str]) -> Iterator[bytes]:
        """Events of these topics, from now on, until the hub ends or ten minutes have passed.

        Raises:
            ProblemError: There are as many streams as the hub serves.
        """
        if not self._free.acquire(blocking=False):
            raise ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"{MOST_STREAMS} pages are told of changes already: this one is to ask by itself.",
                {"Retry-After": "10"},
            )
        return self._events(topics)

    def _count(self, by: int) -> None:
        with self._counting:
            self._open += by

    def _events(self, topics: list[str]) -> Iterator[bytes]:
        self._count(1)
        try:
            seen, began = self.told(topics), self._clock()
            beat_at = began
            yield b"retry: 3000\nevent: beat\ndata: 0\n\n"
            while not self._ended.wait(_LOOK_S) and self._clock() - began < _LONGEST_S:
                now, is_beat = self.told(topics), self._clock() - beat_at >= _BEAT_S
                changed = [t for t in topics if now[t] != seen[t]]
                seen = now
                if changed or is_beat:
                    beat_at = self._clock()
                if changed:
                    yield f"event: changed\ndata: {','.join(changed)}\n\n".encode()
                elif is_beat:
                    yield b"event: beat\ndata: 0\n\n"
        finally:
            self._count(-1)
            self._free.release()


def changes_routes(changes: Changes) -> Blueprint:
    """The route of the streams."""
    routes = Blueprint("changes", __name__)

    @routes.get("/events/stream")
    @needs(Role.VIEWER)
    def stream() -> Response:
        """Server-sent events: which of the asked topics have changed, and a beat."""
        topics = sorted({*request.args.get("topics", "").split(",")} & TOPICS)
        return Response(changes.stream(topics), content_type="text/event-stream")

    return routes
