"""A request that bears an `Idempotency-Key` is done once, however often it is sent within a day.

Who lost the answer on the way sends the same again under the same key, and is told what was
answered; nothing is done a second time. The header is that of the IETF's draft
draft-ietf-httpapi-idempotency-key-header.
"""

import logging
import re
import threading
import time
from http import HTTPStatus

from flask import Flask, Response, current_app, g, request

from fleetloop_hub.people_records import Role
from fleetloop_hub.storage.answers import KeptAnswer, KeptAnswers
from fleetloop_hub.web import access
from fleetloop_hub.web.problem import ProblemError
from fleetloop_hub.web.speaking import spoken
from fleetloop_shared.errors import DiskFullError, FleetloopError
from fleetloop_shared.ids import sha256_hex

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"

_LOG = logging.getLogger(__name__)
_KEY = re.compile("[!-~]{1,128}")
_ROOT = "/api/v1/"


class AnsweredError(FleetloopError):
    """The request was done before; `response` is what was answered then."""

    def __init__(self, response: Response) -> None:
        """Carry the answer."""
        super().__init__("done before")
        self.response = response


class _Once:
    """The requests with keys that are being done now, and those that were."""

    def __init__(self, kept: KeptAnswers) -> None:
        self._kept = kept
        self._lock = threading.Lock()
        self._running: set[str] = set()

    def begin(self, name: str, asked: str) -> None:
        """Note that it is begun.

        Raises:
            AnsweredError: It was done before.
            ProblemError: It is being done, was another request, or may have been done.
            DiskFullError: No room to note it.
        """
        with self._lock:
            running = name in self._running
            found = self._kept.begin(name, asked, time.time())
            if found is None:
                self._running.add(name)
                g.begun_once = name
                return
        _check(found, asked, running=running)
        answer = Response(found.body, status=found.status, content_type=found.kind)
        answer.headers[REPLAYED] = "true"
        raise AnsweredError(answer)

    def end(self, response: Response) -> Response:
        """Keep the answer of what was done; what was not done may be asked again."""
        name: str | None = g.get("begun_once")
        if name is None:
            return response
        try:
            if response.status_code < HTTPStatus.BAD_REQUEST:
                said = None if _is_secret() else response.get_data()
                self._kept.end(name, response.status_code, response.content_type or "", said)
            else:
                self._kept.forget(name)
        except DiskFullError as error:
            _LOG.warning("the answer under an %s could not be kept: %s", HEADER, error)
        return response

    def leave(self, _: BaseException | None = None) -> None:
        """It is being done no more."""
        with self._lock:
            self._running.discard(g.get("begun_once", ""))


def register(app: Flask, kept: KeptAnswers) -> None:
    """Heed keys; to be registered behind who comes in, since each has keys of their own.

    Args:
        app: Its routes read their bodies with `guard.body`, which calls what is set here.
        kept: What was answered.
    """
    once = _Once(kept)

    def prepare() -> None:
        key = request.headers.get(HEADER)
        view = app.view_functions.get(request.endpoint or "")
        if key is None or request.method != "POST" or not request.path.startswith(_ROOT):
            return
        if view is None or not isinstance(access.needed(view), Role):
            return
        if _KEY.fullmatch(key) is None:
            raise ProblemError(
                HTTPStatus.BAD_REQUEST,
                f"{HEADER}: write 1 to 128 visible ASCII characters, drawn anew for each request.",
            )
        asking = access.who()
        name = sha256_hex(f"{asking.way}\0{asking.name}\0{key}".encode())
        where = request.full_path.encode()
        g.begin_once = lambda body: once.begin(name, sha256_hex(where + b"\0" + body))

    app.before_request(prepare)
    app.after_request(once.end)
    app.teardown_request(once.leave)
    app.register_error_handler(AnsweredError, lambda error: error.response)


def _check(found: KeptAnswer, asked: str, *, running: bool) -> None:
    """See that what was found answers what is asked."""
    if found.asked != asked:
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"Another request was sent under this {HEADER}: draw a new one; nothing was done.",
        )
    if running:
        raise ProblemError(
            HTTPStatus.CONFLICT,
            f"The first request under this {HEADER} is still being done: ask again in a while.",
            {"Retry-After": "1"},
        )
    if found.status == 0:
        raise ProblemError(
            HTTPStatus.CONFLICT,
            f"The first request under this {HEADER} was begun before the hub was stopped, and may "
            "have been done: see whether it was, then send it under a new one.",
        )
    if found.body is None:
        raise ProblemError(
            HTTPStatus.CONFLICT,
            f"What was asked under this {HEADER} was done; its answer held a secret or was long, "
            "and is not kept. Ask anew under another one, if it was lost.",
        )


def _is_secret() -> bool:
    """Whether the answer of this route holds a secret."""
    said = spoken(current_app.view_functions[request.endpoint or ""])
    return said is not None and said.secret
