"""The HTTP API of versions as people keep them: lineage, aliases, tags, archive, retention."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Annotated

import msgspec
from flask import Blueprint, Response

from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Catalog
from fleetloop_hub.records import Alias, Model, Version
from fleetloop_hub.tracking.lineage import descent
from fleetloop_hub.tracking.registry import CHAMPION
from fleetloop_hub.tracking.retention import Retained
from fleetloop_hub.tracking.shelf import Shelf
from fleetloop_hub.web import conditions, guard, paging
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.actions import HubActions
from fleetloop_hub.web.answers import Descents, Models, ModelView
from fleetloop_hub.web.api import Ask
from fleetloop_hub.web.paging import PageAsk
from fleetloop_hub.web.problem import ProblemError
from fleetloop_hub.web.speaking import Speaks, asked
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

    @api.get("/models")
    @needs(Role.VIEWER)
    @Speaks(query=PageAsk, gives=Models)
    def models() -> Response:
        """Models by name, with their versions in brief."""
        found, behind = paging.cut(_brief(catalog), lambda m: (m.model,), asked(PageAsk))
        return paging.paged(Models(models=found, next=behind))

    @api.get("/models/<model>/lineage")
    @needs(Role.VIEWER)
    @Speaks(query=PageAsk, gives=Descents)
    def lineage(model: str) -> Response:
        """Where a model's versions come from, and where they are."""
        reported = shelf.reported()
        versions = [v for v in catalog.all(Version) if v.model == model]
        if not versions:
            raise ProblemError(
                HTTPStatus.NOT_FOUND,
                f"No model {model[:80]!r} has versions: see `fleetloop models`.",
            )
        found, behind = paging.cut(versions, lambda v: (v.number,), asked(PageAsk))
        told = [descent(catalog, reported, version) for version in found]
        return paging.paged(Descents(versions=told, next=behind))

    return api


def changing_models(actions: HubActions, shelf: Shelf) -> Blueprint:
    """The routes for the holder of the admin token."""
    api = Blueprint("changing_models", __name__, url_prefix="/api/v1")

    @api.post(f"{_VERSION}/alias")
    @needs(Role.OPERATOR)
    @Speaks(
        takes=AliasAsk,
        example={"name": "golden"},
        gives=Alias,
        status=HTTPStatus.CREATED,
        matched=True,
    )
    def alias(model: str, number: int) -> Response:
        """Let a name mean a version, whatever it meant before."""
        wanted = guard.body(AliasAsk, _SMALL_BYTES)
        with actions.held():
            _unchanged(shelf, model, number)
            return _json(shelf.alias(model, number, wanted.name), HTTPStatus.CREATED)

    @api.post(f"{_VERSION}/tag")
    @needs(Role.OPERATOR)
    @Speaks(
        takes=TagAsk,
        example={"key": "note", "value": "used in the field test"},
        gives=Version,
        status=HTTPStatus.CREATED,
        matched=True,
    )
    def tag(model: str, number: int) -> Response:
        """Note something about a version; an empty value takes the note away."""
        wanted = guard.body(TagAsk, _SMALL_BYTES)
        with actions.held():
            _unchanged(shelf, model, number)
            return _json(shelf.tag(model, number, wanted.key, wanted.value), HTTPStatus.CREATED)

    @api.post(f"{_VERSION}/archive")
    @needs(Role.OPERATOR)
    @Speaks(takes=ArchiveAsk, example={}, gives=Version, status=HTTPStatus.CREATED, matched=True)
    def archive(model: str, number: int) -> Response:
        """Put a version aside; it is kept, but nobody can roll it out."""
        guard.body(ArchiveAsk, _SMALL_BYTES)
        with actions.held():
            _unchanged(shelf, model, number)
            return _json(shelf.archive(model, number), HTTPStatus.CREATED)

    @api.post("/models/<model>/retain")
    @needs(Role.ADMIN)
    @Speaks(takes=RetainAsk, example={"keep": 5}, gives=Retained, status=HTTPStatus.CREATED)
    def retain(model: str) -> Response:
        """Tell which old versions would be given up, or give them up."""
        wanted = guard.body(RetainAsk, _SMALL_BYTES)
        return _json(shelf.retain(model, wanted.keep, delete=wanted.delete), HTTPStatus.CREATED)

    return api


def _brief(catalog: Catalog) -> Iterator[ModelView]:
    """Every model that is known, or has versions."""
    specs = {model.key: model.spec for model in catalog.all(Model)}
    numbers: dict[str, list[int]] = {name: [] for name in specs}
    for version in catalog.all(Version):
        numbers.setdefault(version.model, []).append(version.number)
    for name, found in numbers.items():
        champion = catalog.find(Alias, f"{name}/{CHAMPION}")
        yield ModelView(
            model=name,
            versions=len(found),
            newest=max(found, default=None),
            champion=None if champion is None else champion.version,
            spec=specs.get(name, ""),
        )


def _unchanged(shelf: Shelf, model: str, number: int) -> None:
    """See that a version is what `If-Match` says."""
    conditions.unchanged(shelf.find(model, number))


def _json(value: object, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(encode(value), status=status, content_type="application/json")
