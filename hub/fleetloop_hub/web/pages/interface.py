"""The pages of the API: its routes by group, one route with an example to copy, one form."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import msgspec
from flask import Blueprint, Response, current_app, request

from fleetloop_hub.people_records import Role
from fleetloop_hub.web import schema_words
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.menu import serves
from fleetloop_hub.web.openapi_routes import told
from fleetloop_hub.web.page import Crumb, Place, page
from fleetloop_hub.web.problem import ProblemError
from fleetloop_hub.web.speaking import JSON

_API = Crumb("API", "/api")
_SHOWN_HEADERS = frozenset({"Idempotency-Key", "If-Match", "If-None-Match"})


@dataclass(frozen=True)
class Route:
    """A route as the pages show it.

    Attributes:
        name: Its name in the document.
        method: GET or POST.
        path: With its variable parts in braces.
        said: What the document says of it.
    """

    name: str
    method: str
    path: str
    said: dict[str, Any]

    @property
    def parameters(self) -> list[tuple[dict[str, Any], schema_words.Kind]]:
        """Parts of the address, of the query and headers, each with what it may be."""
        return [(p, schema_words.kind(p["schema"])) for p in self.said["parameters"]]

    @property
    def body(self) -> dict[str, Any] | None:
        """What it takes."""
        found: dict[str, Any] | None = self.said.get("requestBody", {}).get("content", {}).get(JSON)
        return found

    def curl(self, host: str) -> str:
        """A command that asks it."""
        address = self.path
        for parameter in self.said["parameters"]:
            if parameter["in"] == "path":
                example = quote(str(parameter["example"]))
                address = address.replace(f"{{{parameter['name']}}}", example)
            elif parameter["in"] == "query" and parameter.get("required"):
                address += f"?{parameter['name']}={quote(str(parameter.get('example', 'rain')))}"
        lines = [f"curl {shlex.quote(f'{host}/api/v1{address}')}"]
        if self.said["security"]:
            lines.append('-H "Authorization: Bearer $FLEETLOOP_TOKEN"')
        if self.body is not None:
            given = msgspec.json.encode(self.body["examples"]["one"]["value"]).decode()
            lines += ["-H 'Content-Type: application/json'", f"-d {shlex.quote(given)}"]
        return " \\\n  ".join(lines)


def interface_pages() -> Blueprint:
    """The routes."""
    pages = Blueprint("interface", __name__)

    @pages.get("/api")
    @needs(Role.VIEWER)
    def everything() -> Response:
        """Every route of the API, by what it is about."""
        document = told(current_app)
        by_tag: dict[str, list[Route]] = {tag["name"]: [] for tag in document["tags"]}
        for route in _routes(document):
            by_tag[route.said["tags"][0]].append(route)
        return page(
            "interface/interface.html",
            Place("api", [Crumb("API")]),
            info=document["info"],
            groups=[(tag, by_tag[tag["name"]]) for tag in document["tags"]],
            asyncapi=serves(current_app, "/api/v1/asyncapi.json"),
        )

    @pages.get("/api/routes/<name>")
    @needs(Role.VIEWER)
    def one(name: str) -> Response:
        """One route: who may ask it, what it takes and gives, and how to ask it."""
        document = told(current_app)
        route = next((route for route in _routes(document) if route.name == name), None)
        if route is None:
            raise _missing(f"There is no route {name[:80]!r}")
        return page(
            "interface/route.html",
            Place("api", [_API, Crumb(f"{route.method} {route.path}")]),
            route=route,
            curl=route.curl(request.host_url.rstrip("/")),
            body=None if route.body is None else schema_words.kind(route.body["schema"]),
            body_schema=_schema(document, route.body),
            answers=list(_answers(document, route)),
            headers=_SHOWN_HEADERS,
        )

    @pages.get("/api/schemas/<name>")
    @needs(Role.VIEWER)
    def form(name: str) -> Response:
        """One form of what is sent or answered."""
        schema = told(current_app)["components"]["schemas"].get(name)
        if schema is None:
            raise _missing(f"There is no form {name[:80]!r}")
        return page(
            "interface/schema.html",
            Place("api", [_API, Crumb(name)]),
            name=name,
            schema=schema,
            properties=list(schema_words.properties(schema)),
            kind=schema_words.kind(schema),
        )

    return pages


def _routes(document: dict[str, Any]) -> Iterator[Route]:
    for path, operations in document["paths"].items():
        for method, said in operations.items():
            yield Route(said["operationId"], method.upper(), path, said)


def _schema(document: dict[str, Any], body: dict[str, Any] | None) -> list[schema_words.Property]:
    if body is None:
        return []
    name = schema_words.kind(body["schema"]).link
    return list(schema_words.properties(document["components"]["schemas"].get(name, {})))


def _answers(
    document: dict[str, Any], route: Route
) -> Iterator[tuple[str, str, schema_words.Kind, str]]:
    """Status, what it means, what is answered, and as what media type."""
    for status, said in route.said["responses"].items():
        if status == "default":
            continue
        found = said
        if "$ref" in said:
            found = document["components"]["responses"][said["$ref"].rpartition("/")[2]]
        media = next(iter(found.get("content", {"": {}})))
        schema = found.get("content", {}).get(media, {}).get("schema")
        answer = schema_words.Kind() if schema is None else schema_words.kind(schema)
        yield status, found["description"], answer, media


def _missing(text: str) -> ProblemError:
    return ProblemError(HTTPStatus.NOT_FOUND, f"{text}: the page of the API lists them.")
