"""The document of the API: whole, valid, the same as in docs/, and true of what is answered."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import (  # type: ignore[import-untyped]  # it ships no types
    Draft202012Validator,
)
from openapi_spec_validator import OpenAPIV31SpecValidator

from fleetloop_hub.fleet_records import Quarantine
from fleetloop_hub.people_records import Role
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.app import create_app
from fleetloop_hub.web.openapi import document
from fleetloop_hub.web.speaking import Speaks, spoken
from support.hubrecords import a_quarantine
from support.hubweb import ADMIN, ADMIN_TOKEN, WebHub, fill, web_hub
from support.openapi_page import text

DOCS = Path(__file__).parents[3] / "docs"
Json = dict[str, Any]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebHub]:
    with web_hub(tmp_path_factory.mktemp("hub")) as hub:
        fill(hub)
        hub.catalog.put(a_quarantine())
        yield hub


@pytest.fixture(scope="module")
def told(hub: WebHub) -> Json:
    found: Json = hub.client().get("/api/v1/openapi.json").get_json()
    return found


def test_every_route_of_the_api_is_in_the_document_with_its_role(hub: WebHub, told: Json) -> None:
    missing = []
    for rule in hub.client().application.url_map.iter_rules():
        if not rule.rule.startswith("/api/v1/"):
            continue
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule.removeprefix("/api/v1"))
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            operation = told["paths"].get(path, {}).get(method.lower())
            if operation is None or not operation["x-fleetloop-role"] or not operation["summary"]:
                missing.append(f"{method} {rule.rule}")
    assert not missing, "give these @Speaks (web/speaking.py) and a docstring, and `make docs`"


def test_it_is_valid_and_every_name_is_used_once(told: Json) -> None:
    OpenAPIV31SpecValidator(told).validate()
    names = [o["operationId"] for path in told["paths"].values() for o in path.values()]
    assert len(names) == len(set(names))


def test_the_page_in_docs_is_the_same(hub: WebHub) -> None:
    assert (DOCS / "openapi.json").read_text("utf-8") == text(hub), "run `make docs`"


def test_every_group_of_routes_is_described(told: Json) -> None:
    used = {o["tags"][0] for path in told["paths"].values() for o in path.values()}
    known = {tag["name"] for tag in told["tags"]}
    assert used == known, "add the group to GROUPS, or the segment to _GROUP_OF (openapi_words.py)"


def test_answers_that_hold_a_secret_are_kept_nowhere(hub: WebHub) -> None:
    app = hub.client().application
    loud = [
        name
        for name, view in app.view_functions.items()
        if (said := spoken(view)) is not None
        and not said.secret
        and any(re.search("^(token|secret|password|one_time_.*)$", f) for f in fields(said.gives))
    ]
    assert not loud, "say secret=True in their @Speaks"


def fields(type_: object) -> list[str]:
    return list(getattr(type_, "__annotations__", {}))


def test_patterns_mean_the_same_in_every_language(told: Json) -> None:
    """JSON Schema's are those of ECMA-262, which has no A and Z, and takes other blanks."""
    found = list(patterns(told))
    assert found
    assert not [one for one in found if re.search(r"\\[AZ]|^\\S|\\w|\\d", one)]


def patterns(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(pattern := part.get("pattern"), str):
            yield pattern
        for inner in part.values():
            yield from patterns(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from patterns(inner)


def test_every_example_of_a_body_is_one(hub: WebHub) -> None:
    app = hub.client().application
    speaks = [said for view in app.view_functions.values() if (said := spoken(view)) is not None]
    taking = [said for said in speaks if said.takes is not None]
    assert taking
    for said in taking:
        body = msgspec.json.encode(dict(said.example))
        msgspec.json.decode(body, type=said.takes)


def test_a_route_that_does_not_say_what_it_gives_is_named(hub: WebHub) -> None:
    app = create_app(hub, ADMIN_TOKEN, "127.0.0.1")  # of its own: it gets a route

    @app.get("/api/v1/mute")
    @needs(Role.VIEWER)
    def mute() -> str:
        return ""

    with pytest.raises(RuntimeError, match=r"/api/v1/mute .*@Speaks"):
        document(app)
    Speaks(gives=str)(mute)
    with pytest.raises(RuntimeError, match=r"/api/v1/mute"):
        document(app)
    mute.__doc__ = "Nothing."
    assert "/mute" in document(app)["paths"]


PATHS = {
    "device": "station-1",
    "model": "rain",
    "which": "champion",
    "number": "1",
    "key": "",
    "name": "rain",
    "a": "rain",
    "b": "rain",
    "event": "pause",
}


def test_what_is_answered_is_what_the_document_says(hub: WebHub, told: Json) -> None:
    client, seen = hub.client(), set()
    keys = {
        name: client.get(f"/api/v1/{name}").get_json()[name][0]["key"]
        for name in ("runs", "rollouts", "decisions")
    }
    for path, operations in told["paths"].items():
        if "get" not in operations:
            continue
        parts = PATHS | {"key": keys.get(path.split("/")[1], "none")}
        address = re.sub(r"{(\w+)}", "%(\\1)s", path) % parts
        answer = client.get(f"/api/v1{address}", headers=ADMIN)
        response = operations["get"]["responses"].get(str(answer.status_code))
        assert response is not None, (address, answer.status_code)
        if answer.status_code == 200 and answer.mimetype == "application/json":
            schema = response["content"]["application/json"]["schema"]
            check(told, schema, answer.get_json(), address)
            seen.add(path)
    assert {"/overview", "/runs/{key}", "/versions/{model}/{which}", "/quarantine"} <= seen
    assert hub.catalog.all(Quarantine)


def check(told: Json, schema: Json, answer: object, address: str) -> None:
    whole = {"components": told["components"]} | schema
    faults = [f"{address}: {e.json_path} {e.message}" for e in _validator(whole, answer)]
    assert not faults


def _validator(schema: Json, answer: object) -> list[Any]:
    return list(Draft202012Validator(schema).iter_errors(answer))
