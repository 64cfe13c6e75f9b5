"""The document of the API (OpenAPI 3.1), made of what stands beside each route."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from importlib import metadata
from typing import Any, cast

from flask import Flask
from werkzeug.routing import Rule

from fleetloop_hub.people_records import Role
from fleetloop_hub.web import access
from fleetloop_hub.web.openapi_schemas import Schemas, parameters
from fleetloop_hub.web.openapi_words import DESCRIPTION, GROUPS, PATHS, group_of
from fleetloop_hub.web.problem import Problem
from fleetloop_hub.web.speaking import JSON, Speaks, spoken

ROOT = "/api/v1"
PROBLEM_JSON = "application/problem+json"

_PART = re.compile(r"<(?:(?P<kind>[^:<>]+):)?(?P<name>[^<>]+)>")
_SECURITY: dict[str, Any] = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API token of a person, or the admin token of the hub.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "session",
        "description": "The cookie of whoever has signed in to the console.",
    },
}
_HEADERS: dict[str, Any] = {
    "ETag": {
        "description": "Names what the answer says; for `If-None-Match` and `If-Match`.",
        "schema": {"type": "string"},
    },
    "Link": {
        "description": 'Where the next page is, with rel="next"; not there on the last.',
        "schema": {"type": "string"},
    },
}
_ASKED_HEADERS: dict[str, tuple[str, dict[str, Any]]] = {
    "Idempotency-Key": (
        "Drawn by whoever asks: what is sent again under it within a day is not done again.",
        {"type": "string", "pattern": "^[!-~]{1,128}$"},
    ),
    "If-None-Match": ("The `ETag` of an answer that is still at hand.", {"type": "string"}),
    "If-Match": (
        "The `ETag` of the record as it was read; refused if it is another by now.",
        {"type": "string"},
    ),
}
_TOLD = {
    HTTPStatus.BAD_REQUEST: "The query or the body is not as agreed.",
    HTTPStatus.UNAUTHORIZED: "Whoever asks has not said who they are, or not truly.",
    HTTPStatus.FORBIDDEN: "Whoever asks may not.",
    HTTPStatus.NOT_FOUND: "What was named is not there.",
    HTTPStatus.CONFLICT: "It cannot be done as things stand; nothing was changed.",
    HTTPStatus.GONE: "It is known, and its content is no longer kept.",
    HTTPStatus.PRECONDITION_FAILED: "The record is not what `If-Match` says; nothing was changed.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is longer than is read.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body is not declared as JSON.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "The body is well formed, and what it says cannot be used.",
    HTTPStatus.TOO_MANY_REQUESTS: "Too much in too short a time; `Retry-After` says until when.",
    HTTPStatus.INSUFFICIENT_STORAGE: "The hub's disk is full; nothing was changed.",
}


@dataclass(frozen=True)
class _Route:
    """A method at an address."""

    rule: Rule
    method: str
    view: Any
    speaks: Speaks

    @property
    def path(self) -> str:
        """The address as the document writes it, below `ROOT`."""
        return _PART.sub(r"{\g<name>}", self.rule.rule).removeprefix(ROOT)

    @property
    def role(self) -> Role | None:
        """Who may call it, None if anybody may."""
        needed = access.needed(self.view)
        return needed if isinstance(needed, Role) else None


def document(app: Flask) -> dict[str, Any]:
    """The document of every route below `/api/v1`.

    Raises:
        RuntimeError: A route does not say what it takes and gives.
    """
    routes = sorted(_routes(app), key=lambda r: (r.path, r.method))
    taken = [r.speaks.takes for r in routes if r.speaks.takes is not None]
    given = [r.speaks.gives for r in routes if r.speaks.gives is not None]
    schemas = Schemas(taken, [*given, Problem])
    paths: dict[str, Any] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    used = {operation["tags"][0] for path in paths.values() for operation in path.values()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Fleetloop hub",
            "version": metadata.version("fleetloop-hub"),
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": ROOT}],
        "tags": [{"name": n, "description": text} for n, text in GROUPS.items() if n in used],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "responses": {status.phrase.replace(" ", ""): _problem(status) for status in _TOLD},
            "securitySchemes": _SECURITY,
        },
    }


def _routes(app: Flask) -> Iterator[_Route]:
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith(f"{ROOT}/"):
            continue
        view = app.view_functions[rule.endpoint]
        speaks = spoken(view)
        if speaks is None or not inspect.getdoc(view):
            raise RuntimeError(
                f"{rule.rule} ({rule.endpoint}) does not say what it takes and gives: put "
                "@Speaks(takes=..., gives=...) of web/speaking.py right above its view, and a "
                "docstring into it"
            )
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield _Route(rule, method, view, speaks)


def _operation(route: _Route, schemas: Schemas) -> dict[str, Any]:
    summary, _, more = (inspect.getdoc(route.view) or "").partition("\n")
    said: dict[str, Any] = {
        "operationId": _name(route),
        "tags": [group_of(route.path.split("/")[1])],
        "summary": summary.strip().removesuffix("."),
        "x-fleetloop-role": "anybody" if route.role is None else str(route.role),
        "parameters": list(_parameters(route)),
        "responses": _responses(route, schemas),
        "security": [] if route.role is None else [{name: []} for name in _SECURITY],
    }
    if more.strip():
        said["description"] = " ".join(more.split())
    if route.speaks.takes is not None:
        content = {
            "schema": schemas.of(route.speaks.takes),
            "examples": {"one": {"value": dict(route.speaks.example)}},
        }
        said["requestBody"] = {"required": True, "content": {JSON: content}}
    return said


def _name(route: _Route) -> str:
    """The view's name with its blueprint's; a view with two addresses has a second name."""
    shorter = bool(route.rule.defaults)
    name = route.rule.endpoint.replace(".", "_")
    return f"{name}_{'_'.join(route.rule.defaults or ())}" if shorter else name


def _parameters(route: _Route) -> Iterator[dict[str, Any]]:
    for part in _PART.finditer(route.rule.rule):
        text, example = PATHS.get(part["name"], ("", ""))
        if not text:
            raise RuntimeError(
                f"nothing is said of <{part['name']}> in {route.rule.rule}: add it to PATHS in "
                "web/openapi_words.py"
            )
        number = part["kind"] == "int"
        schema = {"type": "integer", "minimum": 0} if number else {"type": "string"}
        yield {
            "name": part["name"],
            "in": "path",
            "required": True,
            "description": text,
            "schema": schema,
            "example": int(example) if number else example,
        }
    for name, kind, needed in parameters(route.speaks.query) if route.speaks.query else ():
        text = kind.pop("description", "")
        said = {"name": name, "in": "query", "description": text, "schema": kind}
        yield said | ({"required": True, "example": "rain"} if needed else {})
    for header in _heeded(route):
        text, kind = _ASKED_HEADERS[header]
        yield {"name": header, "in": "header", "description": text, "schema": kind}


def _heeded(route: _Route) -> Iterator[str]:
    if route.method == "GET":
        yield "If-None-Match"
    elif route.role is not None:
        yield "Idempotency-Key"
    if route.speaks.matched:
        yield "If-Match"


def _responses(route: _Route, schemas: Schemas) -> dict[str, Any]:
    speaks = route.speaks
    schema = schemas.of(speaks.gives) if speaks.gives is not None else None
    content = {"schema": schema} if schema is not None else {}
    well: dict[str, Any] = {
        "description": speaks.status.phrase,
        "content": {speaks.kind: content},
    }
    found: dict[str, Any] = {str(int(speaks.status)): well}
    if route.method == "GET":
        well["headers"] = {"ETag": _HEADERS["ETag"]}
        found["304"] = {"description": "It is still what `If-None-Match` says."}
        if schema is not None and "next" in _properties(schema, schemas):
            well["headers"]["Link"] = _HEADERS["Link"]
    for status in sorted(set(_refusals(route))):
        found[str(int(status))] = {"$ref": f"#/components/responses/{_component(status)}"}
    found["default"] = {
        "description": "Another problem.",
        "content": {PROBLEM_JSON: {"schema": schemas.of(Problem)}},
    }
    return found


def _properties(schema: dict[str, Any], schemas: Schemas) -> dict[str, Any]:
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    return cast("dict[str, Any]", schemas.components.get(name, {}).get("properties", {}))


def _refusals(route: _Route) -> Iterator[HTTPStatus]:
    if route.role is not None:
        yield HTTPStatus.UNAUTHORIZED
        yield HTTPStatus.FORBIDDEN
        yield HTTPStatus.TOO_MANY_REQUESTS
    if route.rule.arguments:
        yield HTTPStatus.NOT_FOUND
        yield HTTPStatus.GONE
        yield HTTPStatus.CONFLICT
        yield HTTPStatus.UNPROCESSABLE_ENTITY
    if route.speaks.query is not None or route.method != "GET":
        yield HTTPStatus.BAD_REQUEST
        yield HTTPStatus.UNPROCESSABLE_ENTITY
    if route.speaks.matched:
        yield HTTPStatus.PRECONDITION_FAILED
    if route.method != "GET":
        yield HTTPStatus.NOT_FOUND
        yield HTTPStatus.CONFLICT
        yield HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        yield HTTPStatus.UNSUPPORTED_MEDIA_TYPE
        yield HTTPStatus.UNPROCESSABLE_ENTITY
        yield HTTPStatus.TOO_MANY_REQUESTS
        yield HTTPStatus.INSUFFICIENT_STORAGE


def _component(status: HTTPStatus) -> str:
    return status.phrase.replace(" ", "")


def _problem(status: HTTPStatus) -> dict[str, Any]:
    example = {
        "type": f"urn:fleetloop:problem:{status.phrase.lower().replace(' ', '-')}",
        "title": status.phrase,
        "status": int(status),
        "detail": _TOLD[status],
    }
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": _TOLD[status],
        "content": {PROBLEM_JSON: {"schema": schema, "example": example}},
    }
