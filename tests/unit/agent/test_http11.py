"""Requests are cut out of bytes wherever the network cuts them; what is no request is refused."""

from http import HTTPStatus
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetloop_agent.serving.http11 import (
    MAX_HEAD_BYTES,
    MAX_HEADERS,
    Heads,
    HttpError,
    Parser,
    Request,
    as_bytes,
)
from fleetloop_agent.serving.responses import Response

MAX_BODY_BYTES = 1_000_000
GET = b"GET /health HTTP/1.1\r\nHost: d\r\n\r\n"
POST = b"POST /predict?x=1 HTTP/1.1\r\nHost: d\r\nContent-Length: 4\r\n\r\nbody"


def requests(data: bytes) -> list[Request]:
    parser = Parser(MAX_BODY_BYTES, Heads())
    parser.feed(data)
    found = []
    while (request := parser.next()) is not None:
        found.append(request)
    return found


def test_pipelined_requests_come_out_in_order() -> None:
    first, second, third = requests(GET + POST + b"\r\n" + GET)
    assert (first.head.method, first.head.path, first.body) == ("GET", "/health", b"")
    assert (second.head.method, second.head.path, second.body) == ("POST", "/predict", b"body")
    assert third == first


@given(st.lists(st.integers(0, len(GET + POST + GET)), max_size=6))
def test_it_does_not_matter_where_the_network_cuts(cuts: list[int]) -> None:
    data, parser, found = GET + POST + GET, Parser(MAX_BODY_BYTES, Heads()), []
    bounds = [0, *sorted(cuts), len(data)]
    for start, end in pairwise(bounds):
        parser.feed(data[start:end])
        while (request := parser.next()) is not None:
            found.append(request)
    assert found == requests(data)
    assert not parser.begun


@pytest.mark.parametrize(
    ("line", "headers", "keep_alive"),
    [
        (b"GET / HTTP/1.1", b"Host: d\r\n", True),
        (b"GET / HTTP/1.1", b"Host: d\r\nConnection: Close\r\n", False),
        (b"GET / HTTP/1.0", b"", False),
        (b"GET / HTTP/1.0", b"Connection: keep-alive\r\n", True),
    ],
)
def test_who_may_ask_again_on_the_connection(line: bytes, headers: bytes, keep_alive: bool) -> None:  # noqa: FBT001  # a parameter of the test
    (request,) = requests(line + b"\r\n" + headers + b"\r\n")
    assert request.head.keep_alive is keep_alive


def with_headers(*lines: bytes, method: bytes = b"POST") -> bytes:
    return b"\r\n".join([method + b" / HTTP/1.1", b"Host: d", *lines, b"", b""])


REFUSED = {
    "no request line": (b"hello\r\n\r\n", 400, "request line"),
    "http 2 preface": (b"PRI * HTTP/2.0\r\n\r\n", 400, "request line"),
    "bare line feeds": (b"GET / HTTP/1.1\nHost: d\n\r\n\r\n", 400, "request line"),
    "lower-case method": (b"get / HTTP/1.1\r\nHost: d\r\n\r\n", 400, "request line"),
    "space in path": (b"GET /a b HTTP/1.1\r\nHost: d\r\n\r\n", 400, "request line"),
    "path outside ascii": (b"GET /\xc3\xa9 HTTP/1.1\r\nHost: d\r\n\r\n", 400, "request line"),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400, "Host header is missing"),
    "two hosts": (with_headers(b"Host: e", method=b"GET"), 400, "two host headers"),
    "no colon": (with_headers(b"Nonsense", method=b"GET"), 400, "Name: value"),
    "space before colon": (with_headers(b"A : b", method=b"GET"), 400, "Name: value"),
    "folded": (with_headers(b"A: b", b" c", method=b"GET"), 400, "Name: value"),
    "nul in value": (with_headers(b"A: \0", method=b"GET"), 400, "Name: value"),
    "no length": (with_headers(), 411, "Content-Length header is missing"),
    "chunked": (with_headers(b"Transfer-Encoding: chunked"), 411, "not chunked"),
    "smuggled": (
        with_headers(b"Content-Length: 4", b"Transfer-Encoding: chunked"),
        411,
        "not chunked",
    ),
    "two lengths": (with_headers(b"Content-Length: 4", b"content-length: 5"), 400, "two content"),
    "negative length": (with_headers(b"Content-Length: -4"), 400, "no number"),
    "hex length": (with_headers(b"Content-Length: 0x4"), 400, "no number"),
    "endless length": (with_headers(b"Content-Length: " + b"9" * 30), 400, "no number"),
    "large body": (
        with_headers(b"Content-Length: %d" % (MAX_BODY_BYTES + 1)),
        413,
        "send fewer rows",
    ),
    "many headers": (with_headers(*[b"A: b"] * MAX_HEADERS), 431, "headers"),
    "long header": (with_headers(b"A: " + b"b" * MAX_HEAD_BYTES), 431, "longer than 16,384"),
    "endless first line": (b"G" * (MAX_HEAD_BYTES + 1), 431, "longer than 16,384"),
}


@pytest.mark.parametrize("attack", REFUSED)
def test_what_is_no_request_is_refused_with_its_reason(attack: str) -> None:
    data, status, text = REFUSED[attack]
    with pytest.raises(HttpError, match=text) as caught:
        requests(data)
    assert caught.value.status == status


def test_the_largest_head_and_body_are_taken() -> None:
    padding = b"A: " + b"b" * (MAX_HEAD_BYTES - len(with_headers(b"A: ", method=b"GET")) + 4)
    assert len(requests(with_headers(padding, method=b"GET"))) == 1
    body = b"x" * MAX_BODY_BYTES
    (request,) = requests(with_headers(b"Content-Length: %d" % len(body)) + body)
    assert request.body == body


@given(st.binary(max_size=300))
def test_any_bytes_are_requests_or_refused(data: bytes) -> None:
    refused: set[int] = set()
    for tail in (data, b"POST / HTTP/1.1\r\n" + data, with_headers(data), GET + data + b"\r\n\r\n"):
        try:
            found = requests(tail)
        except HttpError as error:
            found = []
            refused.add(error.status)
        assert all(len(r.body) == r.head.body_bytes for r in found)
    assert refused <= {400, 411, 413, 431}


def test_a_response_tells_its_length() -> None:
    data = as_bytes(Response(HTTPStatus.OK, b"{}", ("Allow: GET",)), keep_alive=True)
    assert data.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nConnection: keep-alive\r\nContent-Length: 2\r\nAllow: GET\r\n\r\n{}" in data
    for with_body, body in ((True, b"{}"), (False, b"")):
        told = as_bytes(Response(HTTPStatus.OK, b"{}"), keep_alive=False, with_body=with_body)
        assert told.endswith(b"Connection: close\r\nContent-Length: 2\r\n\r\n" + body)


def test_what_is_remembered_of_heads_is_bounded() -> None:
    heads = Heads()
    read = [heads.read(b"GET /%d HTTP/1.1\r\nHost: d" % number) for number in range(1_000)]
    assert [head.path for head in read] == [f"/{number}" for number in range(1_000)]
    heads.read(b"GET /long HTTP/1.1\r\nHost: d\r\nA: " + b"b" * 2_000)
    assert 0 < len(heads._read) <= 256
    assert max(map(len, heads._read)) < 1_024
    assert heads.read(b"GET /999 HTTP/1.1\r\nHost: d") is read[-1]
