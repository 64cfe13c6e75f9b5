"""What the local endpoint answers to each request; no I/O."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus

import msgspec

from fleetloop_agent.errors import InputError, ModelError, NoModelError
from fleetloop_agent.serving.http11 import Request
from fleetloop_agent.serving.intake import Row
from fleetloop_agent.serving.predictor import Predictor

Status = Callable[[], object]
"""What `GET /status` tells; called in the endpoint's thread."""

_UNREADABLE = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)
_log = logging.getLogger(__name__)


class _Labelled(msgspec.Struct, frozen=True):
    prediction_id: str
    label: int | float | str


class _Feedback(msgspec.Struct, frozen=True):
    labels: list[_Labelled]


@dataclass(frozen=True)
class Response:
    """What is answered.

    Attributes:
        status: Its status.
        body: JSON.
        headers: Further header lines.
    """

    status: HTTPStatus
    body: bytes
    headers: tuple[str, ...] = ()


class Routes:
    """The endpoint's four questions."""

    def __init__(self, predictor: Predictor, status: Status) -> None:
        """Answer from a predictor.

        Args:
            predictor: Who answers rows.
            status: What `GET /status` tells.
        """
        self._predictor = predictor
        self._status = status
        self._routes: dict[str, tuple[str, Callable[[bytes], Response]]] = {
            "/predict": ("POST", self._predict),
            "/feedback": ("POST", self._feedback),
            "/health": ("GET", self._health),
            "/status": ("GET", self._tell_status),
        }

    def answer(self, request: Request) -> Response:
        """The response to a request; whatever goes wrong is a response as well."""
        head = request.head
        if b"origin" in head.headers:
            reason = "this endpoint is for programs on this device, not for web pages"
            return refusal(HTTPStatus.FORBIDDEN, reason)
        if head.path not in self._routes:
            return refusal(HTTPStatus.NOT_FOUND, f"there is {', '.join(self._routes)}")
        method, route = self._routes[head.path]
        if head.method != method:
            reason = f"{head.path} takes {method}"
            return refusal(HTTPStatus.METHOD_NOT_ALLOWED, reason, f"Allow: {method}")
        return _try(route, request.body)

    def _predict(self, body: bytes) -> Response:
        answers = self._predictor.predict(_rows(msgspec.json.decode(body)))
        return _json(HTTPStatus.OK, {"answers": answers})

    def _feedback(self, body: bytes) -> Response:
        labels = msgspec.json.decode(body, type=_Feedback).labels
        remembered = self._predictor.feedback([(x.prediction_id, x.label) for x in labels])
        return _json(HTTPStatus.OK, {"accepted": len(labels), "remembered": remembered})

    def _health(self, body: bytes) -> Response:
        manifest = self._predictor.manifest
        if manifest is None:
            return _json(HTTPStatus.SERVICE_UNAVAILABLE, {"serving": False})
        told = {
            "serving": True,
            "model": manifest.model,
            "version": manifest.version,
            "features": [feature.name for feature in manifest.signature.features],
        }
        return _json(HTTPStatus.OK, told)

    def _tell_status(self, body: bytes) -> Response:
        return _json(HTTPStatus.OK, self._status())


def refusal(status: HTTPStatus, reason: str, *headers: str) -> Response:
    """A response that says why not.

    Args:
        status: Its status.
        reason: In words.
        headers: Further header lines.
    """
    return Response(status, msgspec.json.encode({"error": reason}), headers)


def _try(route: Callable[[bytes], Response], body: bytes) -> Response:
    try:
        return route(body)
    except (InputError, *_UNREADABLE) as error:
        status, reason = HTTPStatus.BAD_REQUEST, str(error)
    except NoModelError as error:
        status, reason = HTTPStatus.SERVICE_UNAVAILABLE, str(error)
    except ModelError as error:
        status, reason = HTTPStatus.INTERNAL_SERVER_ERROR, str(error)
    except Exception:  # noqa: BLE001  # the edge: the log gets the trace, the caller does not
        _log.exception("the local endpoint")
        status, reason = HTTPStatus.INTERNAL_SERVER_ERROR, "a fault; see the agent's log"
    return refusal(status, reason)


def _rows(given: object) -> Sequence[Row]:
    """The rows in a body: those under "rows", or the one that it is."""
    if isinstance(given, dict):
        rows = given.get("rows") if given.keys() == {"rows"} else None
        return rows if isinstance(rows, list) else [given]
    raise InputError('send {"rows": [{feature: value, ...}, ...]}, or one row as an object')


def _json(status: HTTPStatus, told: object) -> Response:
    return Response(status, msgspec.json.encode(told))
