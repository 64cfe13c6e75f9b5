"""Asks an endpoint's routes without a network: bytes in, as they come; a response out."""

import json
from typing import Any

import numpy as np

from fleetloop_agent.http_config import HttpConfig
from fleetloop_agent.serving.http11 import Heads, HttpError, Parser
from fleetloop_agent.serving.predictor import Predictor
from fleetloop_agent.serving.responses import Response, refusal
from fleetloop_agent.serving.routes import Routes
from support.http_client import request


class Asking:
    """One client of one endpoint."""

    def __init__(self, predictor: Predictor, **http: Any) -> None:  # noqa: ANN401  # settings
        self.limits = HttpConfig(**http)
        self.routes = Routes(predictor, dict, self.limits)

    def raw(self, data: bytes) -> list[Response]:
        """The responses to some bytes, until they are no request."""
        parser, responses = Parser(self.limits.max_body_bytes, Heads()), []
        parser.feed(data)
        try:
            while (asked := parser.next()) is not None:
                responses.append(self.routes.answer(asked))
        except HttpError as error:
            responses.append(refusal(error.status, error.reason))
        return responses

    def ask(self, method: str, path: str, body: bytes = b"", *headers: str) -> Response:
        (response,) = self.raw(request(method, path, body, *headers))
        return response

    def infer(
        self, told: object, tail: bytes = b"", *headers: str, path: str = "/v2/models/kind/infer"
    ) -> tuple[int, dict[str, Any]]:
        """Status and JSON of a request of the Open Inference Protocol."""
        text = json.dumps(told).encode()
        length = [f"Inference-Header-Content-Length: {len(text)}"] if tail else []
        response = self.ask("POST", path, text + tail, *length, *headers)
        return response.status, parsed(response)


def parsed(response: Response) -> dict[str, Any]:
    """A response's JSON, each output that follows it as `data`."""
    lengths = [h for h in response.headers if h.startswith("Inference-Header-Content-Length")]
    cut = int(lengths[0].partition(": ")[2]) if lengths else len(response.body)
    told: Any = json.loads(response.body[:cut])
    for output in told.get("outputs", []) if isinstance(told, dict) else []:
        size = output.get("parameters", {}).get("binary_data_size")
        if size is not None:
            part = response.body[cut : cut + size]
            cut += size
            kind = {"FP32": "<f4", "INT64": "<i8"}.get(output["datatype"])
            output["data"] = part if kind is None else np.frombuffer(part, kind).tolist()
    assert cut == len(response.body)
    found: dict[str, Any] = told
    return found
