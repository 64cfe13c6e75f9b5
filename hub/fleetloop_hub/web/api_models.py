"""The HTTP API of versions as people keep them: lineage, aliases, tags, archive, retention."""

from http import HTTPStatus
from typing import Annotated

import msgspec
from flask import Blueprint, Response

from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Catalog
from fleetloop_hub.records import Version
from fleetloop_hub.tracking.lineage import descent
from fleetloop_hub.tracking.shelf import Shelf
from fleetloop_hub.web import guard
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.api import Ask
from fleetloop_hub.web.problem import ProblemError
from fleetloop_shared.codec import encode

_SMALL_BYTES = 16_384
_VERSION = "/models/<model>/versions/<int:number>"


class AliasAsk(Ask, frozen=True, kw_only=True):
    """A name for a version.

    Attributes:
        name: The name; "champion" is not for people to give.
    """

    name: str


class TagAsk(Ask, frozen=True, kw_only=True):
    """A note about a version.

    Attributes:
        key: What it is about.
        value: What it says; "" takes it away.
    """

    key: str
    value: str


class ArchiveAsk(Ask, frozen=True, kw_only=True):
    """A version to put aside."""


class RetainAsk(Ask, frozen=True, kw_only=True):
    """Old versions to give up.

    Attributes:
        keep: How many of the newest stay in any case.
        delete: Whether to do it; otherwise it is only told.
    """

    keep: Annotated[int, msgspec.Meta(ge=0)]
    delete: bool = False


def reading_models(catalog: Catalog, shelf: Shelf) -> Blueprint:
    """The routes that change nothing."""
    api = Blueprint("reading_models", __name__, url_prefix="/api/v1")

    @api.get("/models/<model>/lineage")
    @needs(Role.VIEWER)
    def lineage(model: str) -> Response:
        reported = shelf.reported()
        versions = [v for v in catalog.all(Version) if v.model == model]
        if not versions:
            raise ProblemError(
                HTTPStatus.NOT_FOUND,
                f"No model {model[:80]!r} has versions: see `fleetloop models`.",
            )
        return _json({"versions": [descent(catalog, reported, version) for version in versions]})

    return api


def changing_models(shelf: Shelf) -> Blueprint:
    """The routes for the holder of the admin token."""
    api = Blueprint("changing_models", __name__, url_prefix="/api/v1")

    @api.post(f"{_VERSION}/alias")
    @needs(Role.OPERATOR)
    def alias(model: str, number: int) -> Response:
        asked = guard.body(AliasAsk, _SMALL_BYTES)
        return _json(shelf.alias(model, number, asked.name), HTTPStatus.CREATED)

    @api.post(f"{_VERSION}/tag")
    @needs(Role.OPERATOR)
    def tag(model: str, number: int) -> Response:
        asked = guard.body(TagAsk, _SMALL_BYTES)
        return _json(shelf.tag(model, number, asked.key, asked.value), HTTPStatus.CREATED)

    @api.post(f"{_VERSION}/archive")
    @needs(Role.OPERATOR)
    def archive(model: str, number: int) -> Response:
        guard.body(ArchiveAsk, _SMALL_BYTES)
        return _json(shelf.archive(model, number), HTTPStatus.CREATED)

    @api.post("/models/<model>/retain")
    @needs(Role.ADMIN)
    def retain(model: str) -> Response:
        asked = guard.body(RetainAsk, _SMALL_BYTES)
        return _json(shelf.retain(model, asked.keep, delete=asked.delete), HTTPStatus.CREATED)

    return api


def _json(value: object, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(encode(value), status=status, content_type="application/json")
