"""What the local endpoint answers to each request; no I/O."""

import logging
from collections.abc import Callable
from http import HTTPStatus

import msgspec

from fleetloop_agent.errors import InputError, ModelError, NoModelError
from fleetloop_agent.http_config import HttpConfig
from fleetloop_agent.serving.access import Access
from fleetloop_agent.serving.compression import unpack
from fleetloop_agent.serving.exposition import CONTENT_TYPE
from fleetloop_agent.serving.http11 import Head, HttpError, Request
from fleetloop_agent.serving.named_rows import NamedRows
from fleetloop_agent.serving.open_inference.endpoint import OpenInference
from fleetloop_agent.serving.predictor import Predictor
from fleetloop_agent.serving.refusals import Refusals, Seen
from fleetloop_agent.serving.responses import Response, as_json, refusal
from fleetloop_agent.serving.unreadable import why_unreadable

Status = Callable[[], object]
"""What `GET /status` tells; called in the endpoint's thread."""

Metrics = Callable[[Seen], bytes]
"""What `GET /metrics` tells, given what the endpoint has seen; called in the endpoint's thread."""

_UNREADABLE = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)
_log = logging.getLogger(__name__)


class _Labelled(msgspec.Struct, frozen=True):
    prediction_id: str
    label: int | float | str


class _Feedback(msgspec.Struct, frozen=True):
    labels: list[_Labelled]


class Routes:
    """The endpoint's four questions, and those of the Open Inference Protocol below /v2."""

    def __init__(
        self,
        predictor: Predictor,
        status: Status,
        config: HttpConfig,
        metrics: Metrics | None = None,
    ) -> None:
        """Answer from a predictor.

        Args:
            predictor: Who answers rows.
            status: What `GET /status` tells.
            config: Who may ask, and how much at once.
            metrics: What `GET /metrics` tells, None where there is none.
        """
        self.counts = Refusals()
        self._predictor = predictor
        self._status = status
        self._limits = config
        self._access = Access(config.token, by_name=config.unix_socket is not None)
        self._named = NamedRows(predictor, config.max_rows)
        self._open_inference = OpenInference(predictor, config.max_rows)
        self._routes: dict[str, tuple[str, Callable[[bytes], Response]]] = {
            "/predict": ("POST", self._named.answer),
            "/feedback": ("POST", self._feedback),
            "/health": ("GET", self._health),
            "/status": ("GET", self._tell_status),
        }
        if metrics is not None:
            self._routes["/metrics"] = ("GET", lambda _: self._expose(metrics))

    def refusal(self, head: Head) -> Response | None:
        """Why a request is refused before its body has come; None if it is not. Counted."""
        refused = self._access.refusal(head)
        if refused is not None:
            self.counts.note(refused.status)
        return refused

    def answer(self, request: Request) -> Response:
        """The response to a request; whatever goes wrong is a response as well. Counted."""
        self.counts.requests += 1
        response = self._access.refusal(request.head) or self._try(request)
        self.counts.note(response.status)
        return response

    def _answer(self, head: Head, body: bytes) -> Response:
        found = self._routes.get(head.path)
        if found is None:
            if head.path == "/v2" or head.path.startswith("/v2/"):
                return self._open_inference.answer(head, body)
            return refusal(HTTPStatus.NOT_FOUND, f"there is {', '.join(self._routes)}, /v2")
        method, route = found
        if head.method != method:
            reason = f"{head.path} takes {method}"
            return refusal(HTTPStatus.METHOD_NOT_ALLOWED, reason, f"Allow: {method}")
        return route(body)

    def _try(self, request: Request) -> Response:
        head, body = request.head, request.body
        try:
            if b"content-encoding" in head.headers:
                body = unpack(head, body, self._limits.max_body_bytes)
            return self._answer(head, body)
        except HttpError as error:
            status, reason = error.status, error.reason
        except InputError as error:
            status, reason = HTTPStatus.BAD_REQUEST, str(error)
        except _UNREADABLE as error:
            status, reason = HTTPStatus.BAD_REQUEST, why_unreadable(body, error)
        except NoModelError as error:
            status, reason = HTTPStatus.SERVICE_UNAVAILABLE, str(error)
        except ModelError as error:
            status, reason = HTTPStatus.INTERNAL_SERVER_ERROR, str(error)
        except Exception:  # noqa: BLE001  # the edge: the log gets the trace, the caller does not
            _log.exception("the local endpoint")
            status, reason = HTTPStatus.INTERNAL_SERVER_ERROR, "a fault; see the agent's log"
        return refusal(status, reason)

    def _feedback(self, body: bytes) -> Response:
        labels = msgspec.json.decode(body, type=_Feedback).labels
        remembered = self._predictor.feedback([(x.prediction_id, x.label) for x in labels])
        return as_json({"accepted": len(labels), "remembered": remembered})

    def _health(self, body: bytes) -> Response:
        manifest = self._predictor.manifest
        if manifest is None:
            told = msgspec.json.encode({"serving": False})
            return Response(HTTPStatus.SERVICE_UNAVAILABLE, told)
        return as_json(
            {
                "serving": True,
                "model": manifest.model,
                "version": manifest.version,
                "features": [feature.name for feature in manifest.signature.features],
            }
        )

    def _tell_status(self, body: bytes) -> Response:
        told = msgspec.to_builtins(self._status())
        return as_json({**told, "http": self.counts.seen()})

    def _expose(self, metrics: Metrics) -> Response:
        """With a header of its own: without one, what goes out is said to be JSON."""
        text = metrics(self.counts.seen())
        return Response(HTTPStatus.OK, text, ("Cache-Control: no-store",), CONTENT_TYPE)
