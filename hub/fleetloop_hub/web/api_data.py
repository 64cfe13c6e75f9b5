"""The HTTP API of dataset versions: list, show and compare them, add what is new."""

from http import HTTPStatus
from pathlib import Path

import msgspec
from flask import Blueprint, Response

from fleetloop_hub.data import compare, datasets
from fleetloop_hub.data.addition import Addition
from fleetloop_hub.data.additions import Additions
from fleetloop_hub.data.difference import Difference
from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Blobs, Catalog
from fleetloop_hub.records import Dataset
from fleetloop_hub.web import answers, guard, paging
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.paging import PageAsk
from fleetloop_hub.web.speaking import Speaks, asked
from fleetloop_shared.codec import encode

_SPEC_BYTES = 1_048_576


class AdditionAsk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sources to be read.

    Attributes:
        spec: The model spec's text, TOML.
        folder: What its paths are relative to, on the hub's machine.
        to_train: Whether rows that nothing can be learned from are refused.
    """

    spec: str
    folder: str
    to_train: bool = False


def reading_data(catalog: Catalog) -> Blueprint:
    """The route that shows no row."""
    api = Blueprint("reading_data", __name__, url_prefix="/api/v1")

    @api.get("/data")
    @needs(Role.VIEWER)
    @Speaks(query=PageAsk, gives=answers.Datasets)
    def data() -> Response:
        """Dataset versions, newest first, without what is long of them."""
        found, behind = paging.cut(
            catalog.all(Dataset), lambda d: (-d.created_at, d.key), asked(PageAsk)
        )
        brief = [
            msgspec.structs.replace(d, faults=[], drift=[], names={}, devices=[]) for d in found
        ]
        return paging.paged(answers.Datasets(datasets=brief, next=behind))

    return api


def changing_data(catalog: Catalog, blobs: Blobs, additions: Additions) -> Blueprint:
    """The routes for the holder of the admin token: they change data, or show rows."""
    api = Blueprint("changing_data", __name__, url_prefix="/api/v1")

    @api.post("/data")
    @needs(Role.OPERATOR)
    @Speaks(
        takes=AdditionAsk,
        example={"spec": '[model]\nname = "rain"\n', "folder": "/srv/rain"},
        gives=Addition,
        status=HTTPStatus.CREATED,
    )
    def add() -> Response:
        """Begin to add what a spec's sources hold that is new; they lie on the hub's machine."""
        wanted = guard.body(AdditionAsk, _SPEC_BYTES)
        begun = additions.start(wanted.spec, Path(wanted.folder), to_train=wanted.to_train)
        return _json(begun, HTTPStatus.CREATED)

    @api.get("/data/additions/<key>")
    @needs(Role.VIEWER)
    @Speaks(gives=Addition)
    def addition(key: str) -> Response:
        """How far an addition is, or what came of it."""
        return _json(additions.look(key))

    @api.get("/data/versions/<name>")
    @needs(Role.VIEWER)
    @Speaks(gives=Dataset)
    def version(name: str) -> Response:
        """One dataset version: by the beginning of its key, or a model's newest by its name."""
        return _json(datasets.find(catalog, name))

    @api.get("/data/versions/<a>/against/<b>")
    @needs(Role.VIEWER)
    @Speaks(gives=Difference)
    def difference(a: str, b: str) -> Response:
        """What tells one dataset version from another."""
        found = [datasets.find(catalog, name) for name in (a, b)]
        pair = [(one, blobs.path(one.key)) for one in found]
        return _json(compare.compare(pair[0], pair[1]))

    return api


def _json(value: object, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(encode(value), status=status, content_type="application/json")
