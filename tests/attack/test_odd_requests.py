"""Requests as nobody should send them, to every route of the API: refused, and nothing is done."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.hubweb import ADMIN, WebHub, fill, problem, web_hub

ROOT = "/api/v1"
CLIMBING = [
    "../../../etc/passwd",
    "..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e%2f%2e%2e%2fadmin.token",
    "%5c..%5c..%5cadmin.token",
    "%00",
    "%ff%fe",
    "a" * 5_000,
    "9" * 5_000,
    "٣",
    "{{7*7}}",
    "<script>alert(1)</script>",
    "%0d%0aSet-Cookie:%20a=b",
]
DEEP = 5_000


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebHub]:
    with web_hub(tmp_path_factory.mktemp("hub")) as hub:
        fill(hub)
        yield hub


@pytest.fixture(scope="module")
def routes(hub: WebHub) -> list[tuple[str, str, dict[str, Any]]]:
    """Method, address and what the document says, of every route."""
    told = hub.client().get(f"{ROOT}/openapi.json").get_json()
    return [
        (method.upper(), path, said)
        for path, operations in told["paths"].items()
        for method, said in operations.items()
    ]


@pytest.fixture(autouse=True)
def nothing_is_done(hub: WebHub) -> Iterator[None]:
    asked = len(hub.actions.asked)
    yield
    assert len(hub.actions.asked) == asked


def filled(path: str, said: dict[str, Any]) -> str:
    """The address with an example for each variable part."""
    for part in said["parameters"]:
        if part["in"] == "path":
            path = path.replace(f"{{{part['name']}}}", str(part["example"]))
    return f"{ROOT}{path}"


@pytest.mark.parametrize("odd", CLIMBING, ids=lambda odd: odd[:20])
def test_a_path_that_climbs_or_is_no_name_leads_nowhere(
    hub: WebHub, routes: list[tuple[str, str, dict[str, Any]]], odd: str
) -> None:
    client = hub.client()
    for method, path, _ in routes:
        if method != "GET" or "{" not in path:
            continue
        answer = client.get(ROOT + re.sub("{[^}]+}", lambda _: odd, path), headers=ADMIN)
        assert answer.status_code in {301, 308, 400, 404, 405, 409, 410, 422}, (path, answer.text)
        assert b"root:" not in answer.data
        assert "a=b" not in answer.headers.get("Set-Cookie", "")


def bodies(example: dict[str, Any]) -> dict[str, bytes]:
    """Bodies that are none, by what is wrong with them."""
    return {
        "empty": b"",
        "null": b"null",
        "list": b"[]",
        "text": b'"rain"',
        "cut": json.dumps(example).encode()[:-1],
        "deep": b"[" * DEEP,
        "deep object": b'{"a":' * DEEP,
        "not a number": b'{"expires_s": NaN, "version": NaN, "keep": NaN}',
        "infinite": b'{"expires_s": 1e999, "version": 1e999, "keep": Infinity}',
        "not utf-8": b'{"reason": "\xff\xfe"}',
        "unknown key": json.dumps(example | {"__class__": "x"}).encode(),
        "other types": json.dumps({key: {"a": [1]} for key in [*example, "?"]}).encode(),
        "byte order mark": b"\xef\xbb\xbf" + json.dumps(example).encode(),
        "two bodies": json.dumps(example).encode() * 2,
    }


def test_a_body_that_is_not_as_agreed_is_refused_by_every_route(
    hub: WebHub, routes: list[tuple[str, str, dict[str, Any]]]
) -> None:
    client = hub.client()
    for method, path, said in routes:
        if method != "POST":
            continue
        example = said["requestBody"]["content"]["application/json"]["examples"]["one"]["value"]
        for wrong, body in bodies(example).items():
            if (path, wrong) == ("/enrol", "unknown key"):
                continue  # a device may be newer than its hub, and say more
            answer = client.post(
                filled(path, said),
                data=body[:4_000],
                headers=ADMIN | {"Content-Type": "application/json"},
            )
            assert answer.status_code in {400, 404, 422, 429}, (path, wrong, answer.text)
            problem(answer, answer.status_code)


def test_a_body_that_is_too_long_or_no_json_is_refused_by_every_route(
    hub: WebHub, routes: list[tuple[str, str, dict[str, Any]]]
) -> None:
    client = hub.client()
    long = b'{"reason": "' + b"x" * 1_100_000 + b'"}'
    for method, path, said in routes:
        if method != "POST":
            continue
        address = filled(path, said)
        headers = ADMIN | {"Content-Type": "application/json"}
        assert client.post(address, data=long, headers=headers).status_code in {413, 429}, path
        for kind in ("text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""):
            headers = ADMIN | {"Content-Type": kind}
            assert client.post(address, data=b"{}", headers=headers).status_code in {415, 429}, path


def test_of_a_key_that_stands_twice_the_last_counts_for_deed_and_log_alike(
    hub: WebHub, routes: list[tuple[str, str, dict[str, Any]]]
) -> None:
    """Two readers of one body must not read different things."""
    body = b'{"key": "note", "value": "first", "value": "last"}'
    headers = ADMIN | {"Content-Type": "application/json"}
    made = hub.client().post(f"{ROOT}/models/rain/versions/1/tag", data=body, headers=headers)
    assert made.get_json()["tags"] == {"note": "last"}
    assert hub.audit.entries()[-1].details["value"] == "last"


def test_methods_that_a_route_does_not_have_are_refused_and_named(
    hub: WebHub, routes: list[tuple[str, str, dict[str, Any]]]
) -> None:
    client = hub.client()
    for _, path, said in routes:
        for method in ("PUT", "DELETE", "PATCH", "TRACE"):
            answer = client.open(filled(path, said), method=method, headers=ADMIN)
            assert answer.status_code == 405, (method, path)
            assert answer.headers["Allow"]


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    query=st.dictionaries(
        st.sampled_from(["limit", "cursor", "model", "state", "q", "format", "page", "_"]),
        st.text(max_size=30),
        max_size=3,
    ),
    header=st.sampled_from(["If-None-Match", "If-Match", "Idempotency-Key", "Range", "Accept"]),
    value=st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=30),
)
def test_no_query_and_no_header_is_a_fault_of_the_hub(
    hub: WebHub, query: dict[str, str], header: str, value: str
) -> None:
    client = hub.client()
    for path in ("runs", "devices", "search", "audit"):
        answer = client.get(
            f"{ROOT}/{path}", query_string=query, headers=ADMIN | {header: value.strip()}
        )
        assert answer.status_code in {200, 304, 400, 422}, (path, answer.text)
