"""The HTTP API of why a version exists, and what a decision rests on: as JSON, as pictures."""

from http import HTTPStatus

from flask import Blueprint, Response

from fleetloop_hub.decision_records import Decision
from fleetloop_hub.errors import BlobError
from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Blobs, Catalog
from fleetloop_hub.records import Version
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.api_artifacts import NEWEST, find_version
from fleetloop_hub.web.problem import ProblemError
from fleetloop_hub.web.speaking import Speaks
from fleetloop_hub.why import assembly
from fleetloop_hub.why.story import Story
from fleetloop_shared.codec import encode

LAST = "last"
"""The version that was made last, whatever may be done with it."""


def why_routes(catalog: Catalog, blobs: Blobs) -> Blueprint:
    """The routes; `which` is a number, an alias such as champion, newest, or last."""
    routes = Blueprint("why", __name__)

    @routes.get("/api/v1/why/<model>", defaults={"which": LAST})
    @routes.get("/api/v1/why/<model>/<which>")
    @needs(Role.VIEWER)
    @Speaks(gives=Story)
    def told(model: str, which: str) -> Response:
        """Why a version exists: the story of its data, run, gates and rollouts."""
        return _json(story_of(catalog, model, which))

    @routes.get("/api/v1/decisions/<key>")
    @needs(Role.VIEWER)
    @Speaks(gives=Story)
    def decision(key: str) -> Response:
        """What a decision rests on, and what came of it."""
        return _json(assembly.of_decision(catalog, find_decision(catalog, key)))

    @routes.get("/api/v1/decisions/<key>/<name>.svg")
    @needs(Role.VIEWER)
    @Speaks(kind="image/svg+xml")
    def picture(key: str, name: str) -> Response:
        """A drawing that was made when it was decided."""
        sha256 = find_decision(catalog, key).pictures.get(name)
        if sha256 is None:
            raise _missing(f"Decision {key[:80]!r} has no picture {name[:80]!r}")
        try:
            data = blobs.get(sha256)
        except BlobError as error:
            raise _missing(f"The picture {name!r} of decision {key} is no longer kept") from error
        return Response(data, content_type="image/svg+xml")

    return routes


def find_decision(catalog: Catalog, key: str) -> Decision:
    """The decision that is meant.

    Raises:
        ProblemError: There is none; the text says where they are listed.
    """
    found = catalog.find(Decision, key)
    if found is None:
        raise _missing(f"There is no decision {key[:80]!r}: GET /api/v1/decisions lists them")
    return found


def story_of(catalog: Catalog, model: str, which: str) -> Story:
    """The story of a version; `which` is a number, an alias, newest, or last."""
    if which == LAST:
        numbers = [v.number for v in catalog.all(Version) if v.model == model]
        which = str(max(numbers)) if numbers else NEWEST
    return assembly.of_version(catalog, find_version(catalog, model, which))


def _missing(detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.NOT_FOUND, detail)


def _json(value: object) -> Response:
    return Response(encode(value), content_type="application/json")
