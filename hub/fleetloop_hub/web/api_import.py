"""The HTTP API of imports: a model that was trained elsewhere, to be judged and released here."""

from http import HTTPStatus
from pathlib import Path
from typing import Literal

import msgspec
from flask import Blueprint, Response

from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Blobs
from fleetloop_hub.run_parts import Imported
from fleetloop_hub.spec import reading as specs
from fleetloop_hub.training.importing import tried
from fleetloop_hub.web import guard
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.actions import HubActions
from fleetloop_hub.web.answers import RunNamed
from fleetloop_hub.web.speaking import Speaks
from fleetloop_shared.codec import encode

_SPEC_BYTES = 1_048_576


class ImportAsk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An ONNX file to take in.

    Attributes:
        spec: The model spec's text, TOML.
        folder: What its paths are relative to, on the hub's machine.
        file: The ONNX file, on the hub's machine.
        input: Its input's name, None for the only one.
        output: Its output's name, None for the one that can be the answer.
        activation: What makes probabilities of its outputs.
        by: Who asks.
    """

    spec: str
    folder: str
    file: str
    input: str | None = None
    output: str | None = None
    activation: Literal["auto", "none", "sigmoid", "softmax"] = "auto"
    by: str = "person"


def importing(actions: HubActions, blobs: Blobs) -> Blueprint:
    """The route for the holder of the admin token."""
    api = Blueprint("importing", __name__, url_prefix="/api/v1")

    @api.post("/imports")
    @needs(Role.OPERATOR)
    @Speaks(
        takes=ImportAsk,
        example={
            "spec": '[model]\nname = "rain"\n',
            "folder": "/srv/rain",
            "file": "/srv/rain/model.onnx",
        },
        gives=RunNamed,
        status=HTTPStatus.CREATED,
    )
    def imports() -> Response:
        """Take in an ONNX file that was trained elsewhere; it lies on the hub's machine."""
        asked = guard.body(ImportAsk, _SPEC_BYTES)
        said = Imported(
            file=asked.file,
            sha256="",
            length_bytes=0,
            input=asked.input,
            output=asked.output,
            activation=asked.activation,
        )
        imported, data = tried(Path(asked.file), specs.parse(asked.spec), said)
        model = actions.add_model(asked.spec, Path(asked.folder))
        blobs.put(data)
        reason = f"a person imported {imported.file}"
        run = actions.train(model, "person", reason, asked.by, imported)
        return Response(
            encode({"run": run}), status=HTTPStatus.CREATED, content_type="application/json"
        )

    return api
