"""Who may ask the local endpoint, in which packing, and how a person sees what was refused."""

import gzip
import json
import os
import socket
import stat
import zlib
from pathlib import Path

import pytest

from fleetloop_agent.errors import ConfigError
from fleetloop_agent.http_config import HttpConfig
from fleetloop_agent.serving.compression import SMALLEST_BYTES
from support.asking import Asking, parsed
from support.http_client import RawClient
from support.local_api import local_api
from support.serving_rig import predictor

TOKEN = "0123456789abcdef"
ROW = json.dumps({"wind": 3, "rain": 1}).encode()


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (f"Authorization: Bearer {TOKEN}", 200),
        (f"authorization: bearer   {TOKEN} ", 200),
        (f"Authorization: Bearer {TOKEN}0", 401),
        (f"Authorization: Bearer {TOKEN[:-1]}", 401),
        (f"Authorization: Basic {TOKEN}", 401),
        (f"Authorization: {TOKEN}", 401),
        ("Authorization: Bearer ", 401),
        ("Authorization: Bearer \xff", 401),
        ("X-Token: " + TOKEN, 401),
    ],
)
def test_only_who_shows_the_token_is_answered(header: str, status: int) -> None:
    served = predictor()
    client = Asking(served, token=TOKEN)
    response = client.ask("POST", "/predict", ROW, header)
    assert response.status == status
    assert served.health().rows == (status == 200)
    assert ("WWW-Authenticate: Bearer" in response.headers) is (status == 401)


def test_two_tokens_are_two_opinions() -> None:
    headers = [f"Authorization: Bearer {TOKEN}", "Authorization: Bearer 0"]
    assert Asking(predictor(), token=TOKEN).ask("GET", "/health", b"", *headers).status == 400


@pytest.mark.parametrize("path", ["/predict", "/status", "/v2", "/v2/models/storm/infer", "/x"])
def test_without_the_token_nothing_is_told(path: str) -> None:
    assert Asking(predictor(), token=TOKEN).ask("POST", path).status == 401


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8490", 200),
        ("127.0.0.1:8490", 200),
        ("[::1]:8490", 200),
        ("192.0.2.7", 200),
        ("", 200),
        ("evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost.evil.example:80", 403),
    ],
)
def test_a_web_page_that_points_its_name_here_reads_nothing(host: str, status: int) -> None:
    (response,) = Asking(predictor()).raw(f"GET /status HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    assert response.status == status


def test_without_the_token_no_body_is_waited_for() -> None:
    api = local_api(predictor(), token=TOKEN)
    api.start()
    with RawClient(api.address) as client:
        client.send(b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999\r\n")
        client.send(b"Expect: 100-continue\r\n\r\n")
        assert client.reply().status == 401
        assert client.closed()
    api.stop()


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])  # noqa: S104  # that is the point
def test_beyond_this_device_nothing_listens_without_a_token(host: str) -> None:
    if ":" in host and not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    api = local_api(predictor(), host=host)
    with pytest.raises(ConfigError, match=r"http\.token"):
        api.start()
    assert api.address == ""
    open_api = local_api(predictor(), host=host, token=TOKEN)
    open_api.start()
    open_api.stop()


def test_a_unix_socket_is_for_the_agents_user_and_group(tmp_path: Path) -> None:
    path = tmp_path / "http"
    before = os.umask(0)
    try:
        api = local_api(predictor(), unix_socket=path)
        api.start()
    finally:
        os.umask(before)
    assert api.address == f"unix:{path}"
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        client.sendall(b"GET /health HTTP/1.1\r\nHost: any.name\r\n\r\n")
        assert client.recv(1_000).startswith(b"HTTP/1.1 200")
    with pytest.raises(ConfigError, match=r"http\.unix_socket"):
        local_api(predictor(), unix_socket=path).start()
    api.stop()
    assert not path.exists()


def test_a_socket_that_a_dead_agent_left_is_replaced_and_a_file_is_not(tmp_path: Path) -> None:
    left, file = tmp_path / "left", tmp_path / "file"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(left))
    file.write_text("mine")
    api = local_api(predictor(), unix_socket=left)
    api.start()
    api.stop()
    with pytest.raises(ConfigError):
        local_api(predictor(), unix_socket=file).start()
    assert file.read_text() == "mine"


PACKED = {"gzip": gzip.compress(ROW, mtime=0), "deflate": zlib.compress(ROW), "identity": ROW}


@pytest.mark.parametrize("encoding", PACKED)
def test_packed_bodies_are_unpacked(encoding: str) -> None:
    header = f"Content-Encoding: {encoding}"
    assert Asking(predictor()).ask("POST", "/predict", PACKED[encoding], header).status == 200


@pytest.mark.parametrize(
    ("encoding", "body", "status", "text"),
    [
        ("br", ROW, 415, "gzip, deflate or identity"),
        ("gzip, gzip", PACKED["gzip"], 415, "gzip, deflate or identity"),
        ("gzip", ROW, 400, "is not gzip"),
        ("deflate", PACKED["gzip"], 400, "is not deflate"),
        ("gzip", PACKED["gzip"][:-3], 400, "cut off"),
        ("gzip", PACKED["gzip"] + b"x", 400, "something follows"),
        ("gzip", b"", 400, "cut off"),
    ],
)
def test_badly_packed_bodies_are_refused(
    encoding: str, body: bytes, status: int, text: str
) -> None:
    response = Asking(predictor()).ask("POST", "/predict", body, f"Content-Encoding: {encoding}")
    assert (response.status, text in response.body.decode()) == (status, True)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_bomb_is_never_unpacked_beyond_the_limit(encoding: str) -> None:
    bomb = b" " * 50_000_000
    body = gzip.compress(bomb, 1) if encoding == "gzip" else zlib.compress(bomb, 1)
    client = Asking(predictor())
    response = client.ask("POST", "/predict", body, f"Content-Encoding: {encoding}")
    assert response.status == 413
    assert client.routes.counts.seen().refused == {"413 Request Entity Too Large": 1}


@pytest.mark.parametrize("accepted", ["gzip", "deflate", "br, deflate", "br", "identity"])
def test_long_answers_are_packed_for_who_asks(accepted: str) -> None:
    client, rows = Asking(predictor()), [[1.0, 2.0]] * 100
    told = {"inputs": [{"name": "rows", "shape": [100, 2], "datatype": "FP32", "data": rows}]}
    path, body = "/v2/models/storm/infer", json.dumps(told).encode()
    response = client.ask("POST", path, body, f"Accept-Encoding: {accepted}")
    unpacked = response.body
    if "Content-Encoding: gzip" in response.headers:
        unpacked = gzip.decompress(unpacked)
    if "Content-Encoding: deflate" in response.headers:
        unpacked = zlib.decompress(unpacked)
    assert (unpacked == response.body) is (accepted in {"br", "identity"})
    assert len(unpacked) > SMALLEST_BYTES
    assert json.loads(unpacked)["outputs"][0]["shape"] == [100, 2]


def test_more_rows_than_the_limit_are_refused_in_every_form() -> None:
    served = predictor()
    client = Asking(served, max_rows=2)
    rows = json.dumps({"rows": [{"wind": 1, "rain": 2}] * 3}).encode()
    inputs = [{"name": "rows", "shape": [3, 2], "datatype": "FP32", "data": [1.0] * 6}]
    named = client.ask("POST", "/predict", rows)
    status, told = client.infer({"inputs": inputs}, path="/v2/models/storm/infer")
    for code, error in ((named.status, parsed(named)["error"]), (status, told["error"])):
        assert (code, "send 2 at most" in error) == (400, True)
    assert served.health().rows == 0


def test_what_was_refused_is_counted_by_its_status() -> None:
    client = Asking(predictor())
    for path in ("/predict", "/predict", "/nowhere"):
        client.ask("POST", path, b"{")
    client.ask("GET", "/health")
    told = parsed(client.ask("GET", "/status"))["http"]
    assert told["requests"] == 5
    assert told["refused"] == {"400 Bad Request": 2, "404 Not Found": 1}


def test_the_limits_of_the_settings_are_those_of_the_endpoint() -> None:
    assert Asking(predictor()).limits == HttpConfig()
    body = b" " * 101
    assert Asking(predictor(), max_body_bytes=100).ask("POST", "/predict", body).status == 413
