"""Everything below /v2: which question it is, and which model and version it is about."""

import re
from functools import lru_cache
from http import HTTPStatus
from urllib.parse import unquote

from fleetloop_agent.errors import ModelChangedError, NoModelError
from fleetloop_agent.serving.compression import pack
from fleetloop_agent.serving.http11 import Head, HttpError
from fleetloop_agent.serving.open_inference import metadata, wire
from fleetloop_agent.serving.open_inference.inputs import Inputs
from fleetloop_agent.serving.open_inference.outputs import Outputs
from fleetloop_agent.serving.predictor import Predictor
from fleetloop_agent.serving.responses import Response, as_json, refusal
from fleetloop_shared.manifest import Manifest

_POSTED = frozenset({"infer", "index"})
_OF_SERVER = frozenset({"server", "live"})
_FIXED = {
    "": "server",
    "health/live": "live",
    "health/ready": "ready",
    "repository/index": "index",
    "models/stats": "stats",
}
_OF_MODEL = re.compile(r"models/([^/]+)(?:/versions/([^/]+))?(?:/(ready|config|stats|infer))?")
_ELSEWHERE = re.compile(
    r"(repository/models|trace|logging|systemsharedmemory|cudasharedmemory|models/[^/]+/trace)\b"
)
_NOT_OFFERED = "this is not offered: models come signed from the hub, tensors in the request"
_TRIES = 3


class OpenInference:
    """Answers the protocol's questions from a predictor."""

    def __init__(self, predictor: Predictor, max_rows: int) -> None:
        """Answer from a predictor.

        Args:
            predictor: Who answers rows.
            max_rows: The most rows of one request.
        """
        self._predictor = predictor
        self._max_rows = max_rows
        self._forms: tuple[Manifest, Inputs, Outputs] | None = None

    def answer(self, head: Head, body: bytes) -> Response:
        """The answer to a question.

        Raises:
            HttpError: There is no such question, model or version.
            InputError: The tensors are not the model's.
            ModelError: The model failed on them.
            NoModelError: Nothing is loaded, or it changed again and again.
        """
        question, model, version = _question(head.path)
        method = "POST" if question in _POSTED else "GET"
        if head.method != method:
            return refusal(
                HTTPStatus.METHOD_NOT_ALLOWED, f"{head.path} takes {method}", f"Allow: {method}"
            )
        if question == "infer":
            return pack(head, self._infer(head, body, (model, version)))
        return self._tell(question, model, version)

    def _tell(self, question: str, model: str, version: str) -> Response:
        manifest = self._predictor.manifest
        if question in _OF_SERVER:
            return as_json(metadata.SERVER if question == "server" else {"live": True})
        if question == "index":
            return as_json(metadata.index(manifest))
        manifest = self._served(model, version)
        if question == "ready":
            return as_json({"name": manifest.model, "ready": True})
        outputs = self._forms_of(manifest)[1]
        if question == "stats":
            return as_json(metadata.statistics(manifest, self._predictor.health()))
        describe = metadata.config if question == "config" else metadata.model
        return as_json(describe(manifest, outputs))

    def _served(self, model: str, version: str) -> Manifest:
        """The model that serves, which must be the one that is asked for."""
        manifest = self._predictor.manifest
        if manifest is None:
            raise NoModelError("no model is loaded yet; it comes with the first rollout")
        if model and model != manifest.model:
            reason = f"there is no model {model[:80]!r} here; there is {manifest.model!r}"
            raise HttpError(HTTPStatus.NOT_FOUND, reason)
        if version and version != str(manifest.version):
            reason = f"version {version[:20]!r} does not serve here; {manifest.version} does"
            raise HttpError(HTTPStatus.NOT_FOUND, reason)
        return manifest

    def _infer(self, head: Head, body: bytes, wanted: tuple[str, str]) -> Response:
        asked, parts = wire.read(head, body)
        for _ in range(_TRIES):
            manifest = self._served(*wanted)
            inputs, outputs = self._forms_of(manifest)
            chosen = outputs.wanted(asked)
            rows = inputs.rows(asked.inputs, parts)
            try:
                answered = self._predictor.answer(rows, by=manifest, key=wire.key_of(asked))
            except ModelChangedError:
                continue
            return outputs.response(answered, chosen, asked)
        raise ModelChangedError("the model has changed again and again; ask again")

    def _forms_of(self, manifest: Manifest) -> tuple[Inputs, Outputs]:
        forms = self._forms
        if forms is None or forms[0] is not manifest:
            signature = manifest.signature
            forms = manifest, Inputs(signature, self._max_rows), Outputs(signature)
            self._forms = forms
        return forms[1:]


@lru_cache(maxsize=256)
def _question(path: str) -> tuple[str, str, str]:
    """What a path asks, of which model, of which version; "" where it does not say.

    >>> _question("/v2/models/storm/versions/3/infer"), _question("/v2/health/ready")
    (('infer', 'storm', '3'), ('ready', '', ''))
    """
    below = path.rstrip("/").removeprefix("/v2").lstrip("/")
    if below in _FIXED:
        return _FIXED[below], "", ""
    found = _OF_MODEL.fullmatch(below)
    if found is not None:
        model, version, question = (unquote(part or "") for part in found.groups())
        return question or "model", model, version
    if _ELSEWHERE.match(below):
        raise HttpError(HTTPStatus.NOT_IMPLEMENTED, _NOT_OFFERED)
    raise HttpError(
        HTTPStatus.NOT_FOUND,
        "below /v2 there is health/live, health/ready, models/MODEL[/versions/N], and below that "
        "ready, config, stats and infer",
    )
