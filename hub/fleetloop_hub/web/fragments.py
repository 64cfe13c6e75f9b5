"""The changing part of a page, made once for all who look at it at the same time.

Pages are told of changes together, and fetch their changing parts within a second: fifty who have
the same page open cost the hub one rendering and not fifty. A part is given out again for some
seconds, only while nothing that it shows has changed, to people of the same role, and only if it
holds nothing of one person's alone: no token against forged requests was asked for to make it.
"""

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from http import HTTPStatus

from flask import Flask, Response, g, request

from fleetloop_hub.web.access import Who
from fleetloop_hub.web.changes import TOPICS, Changes
from fleetloop_hub.web.compression import accepted

HEADER = "HX-Request"
"""What htmx sends with a request for a part of a page."""

_MOST = 200
_LONGEST_S = 3.0
_WAIT_S = 5.0
_TOKEN = "csrf_token"  # noqa: S105  # the name under which Flask-WTF keeps it

_Key = tuple[str, str, bool]
_State = dict[str, tuple[int, int]]


@dataclass
class _Part:
    """The answer to some request, once somebody has made it."""

    making: threading.Lock = field(default_factory=threading.Lock)
    made_at: float = 0.0
    state: _State = field(default_factory=dict)
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)


class Fragments:
    """Keeps the parts that were asked for last; safe to be used from many threads."""

    def __init__(self, changes: Changes) -> None:
        """Nothing is kept yet.

        Args:
            changes: Says what has changed.
        """
        self._changes = changes
        self._parts: OrderedDict[_Key, _Part] = OrderedDict()
        self._lock = threading.Lock()

    def keep_in(self, app: Flask) -> None:
        """Keep what is answered; registered before what changes answers, it acts after it."""
        app.after_request(self._keep)
        app.teardown_request(lambda _: self._let_go())

    def give_in(self, app: Flask) -> None:
        """Answer with what is kept; registered after what lets people in, it acts after it."""
        app.before_request(self._give)

    def _give(self) -> Response | None:
        asking: Who | None = g.get("who")
        if request.method != "GET" or HEADER not in request.headers or asking is None:
            return None
        part = self._part((request.full_path, str(asking.role), accepted()))
        if not part.making.acquire(timeout=_WAIT_S):
            return None
        g.part = part
        g.part_state = now = self._changes.told(sorted(TOPICS))
        fresh = time.monotonic() - part.made_at < _LONGEST_S
        if not (part.state and fresh and all(now[t] == part.state[t] for t in part.state)):
            return None
        answer = Response(part.body, headers=part.headers)
        self._let_go()
        return answer

    def _keep(self, response: Response) -> Response:
        part: _Part | None = g.get("part")
        topics: tuple[str, ...] = g.get("topics", ())
        if part is None:
            return response
        if response.status_code == HTTPStatus.OK and topics and _TOKEN not in g:
            part.state = {topic: g.part_state[topic] for topic in topics}
            part.made_at, part.body = time.monotonic(), response.get_data()
            kept = ("Content-Type", "Content-Encoding", "Vary")
            part.headers = [(k, v) for k, v in response.headers.items() if k in kept]
        self._let_go()
        return response

    def _let_go(self) -> None:
        part: _Part | None = g.pop("part", None)
        if part is not None:
            part.making.release()

    def _part(self, key: _Key) -> _Part:
        with self._lock:
            part = self._parts.setdefault(key, _Part())
            self._parts.move_to_end(key)
            if len(self._parts) > _MOST:
                self._parts.popitem(last=False)
            return part
