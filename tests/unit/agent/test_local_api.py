"""The local endpoint over real sockets: its four questions, its limits, its clean end."""

import asyncio
import contextlib
import errno
import gc
import json
import logging
import math
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleetloop_agent.errors import ConfigError
from fleetloop_agent.http_config import HttpConfig
from fleetloop_agent.serving.predictor import Predictor
from fleetloop_firmware_sim.scenarios import tiny_onnx
from support.http_client import RawClient, request
from support.local_api import local_api
from support.serving_rig import DEVICE, model, predictor

MAX_BODY_BYTES = HttpConfig().max_body_bytes
ROW = {"wind": 3.0, "rain": 1.0}


@pytest.fixture
def served() -> Predictor:
    return predictor()


@pytest.fixture
def address(served: Predictor) -> Iterator[str]:
    api = local_api(served, lambda: {"device": DEVICE, "outbox": 3})
    api.start()
    yield api.address
    api.stop()


@pytest.fixture
def client(address: str) -> Iterator[RawClient]:
    with RawClient(address) as made:
        yield made


def post(client: RawClient, path: str, what: object) -> tuple[int, object]:
    reply = client.ask("POST", path, json.dumps(what).encode())
    return reply.status, reply.json()


def test_rows_are_answered_one_or_many(client: RawClient) -> None:
    status, told = post(client, "/predict", {"rows": [ROW, {"wind": 0, "rain": 9}]})
    assert status == 200
    assert isinstance(told, dict)
    assert [a["label"] for a in told["answers"]] == [1, 0]
    assert told["answers"][0] | {"score": 0, "probabilities": {}} == {
        "prediction_id": f"{DEVICE}.3.1",
        "label": 1,
        "score": 0,
        "probabilities": {},
        "model": "storm",
        "version": 1,
        "artifact": model()[0].sha256,
    }
    status, told = post(client, "/predict", ROW)
    assert isinstance(told, dict)
    assert told["prediction_id"] == f"{DEVICE}.3.3"


def test_an_answer_tells_the_probability_of_each_class(client: RawClient) -> None:
    told = client.ask("POST", "/predict", json.dumps(ROW).encode()).json()
    assert told["probabilities"] == {"0": pytest.approx(1 - told["score"]), "1": told["score"]}
    assert told["score"] == pytest.approx(1 / (1 + math.exp(-2)), abs=1e-6)


def test_labels_are_taken(client: RawClient, served: Predictor) -> None:
    post(client, "/predict", ROW)
    labels = [
        {"prediction_id": f"{DEVICE}.3.1", "label": 1},
        {"prediction_id": f"{DEVICE}.1.9", "label": 0},
    ]
    assert post(client, "/feedback", {"labels": labels}) == (200, {"accepted": 2, "remembered": 1})
    collected = served.collect()
    assert collected.counters.labels_correct == 1
    assert len(collected.labels) == 2


def test_health_and_status(client: RawClient, served: Predictor) -> None:
    reply = client.ask("GET", "/health")
    told = {"serving": True, "model": "storm", "version": 1, "features": ["wind", "rain"]}
    assert (reply.status, reply.json()) == (200, told)
    assert client.ask("GET", "/status").json() == {
        "device": DEVICE,
        "outbox": 3,
        "http": {"requests": 2, "connections": 1, "refused": {}, "dropped": 0, "shut_out": 0},
    }
    served.unload()
    reply = client.ask("GET", "/health")
    assert (reply.status, reply.json()) == (503, {"serving": False})
    assert post(client, "/predict", ROW) == (
        503,
        {"error": "no model is loaded yet; it comes with the first rollout"},
    )


BAD_BODIES = {
    "not json": (b"{", "truncated"),
    "empty": (b" ", "the body is empty"),
    "rows that are none": (b'{"rows": 5}', '"rows" is of type int'),
    "a misspelt feature": (b'{"wimd": 3, "rain": 1}', "lacks 'wind' and holds 'wimd'"),
    "beyond all numbers": (b'{"rows": [{"wind": 1, "rain": 1e999}]}', "row 0: 'rain' is too large"),
    "nan literal": (b'{"wind": NaN, "rain": 1}', "malformed"),
    "too deep": (b"[" * 100_000, "recursion"),
    "not utf-8": (b'{"wind\xff": 1}', "utf-8"),
    "too many digits": (
        b'{"wind": ' + b"1" * 5_000 + b', "rain": 1}',
        "row 0: 'wind' is too large",
    ),
    "a list": (b"[1]", '"rows"'),
    "a number": (b"7", '"rows"'),
    "rows of numbers": (b'{"rows": [1]}', "row 0 is no mapping"),
    "no rows": (b'{"rows": []}', "no rows"),
    "rows beside something": (b'{"rows": [], "wind": 1}', "row 0 lacks"),
    "text": (b'{"wind": "3", "rain": 1}', "'wind' is of type str"),
    "unknown feature": (b'{"wind": 3, "rain": 1, "fog": 2}', "'fog'"),
    "a large number": (b'{"wind": 1e300, "rain": 1}', "too large"),
}


@pytest.mark.parametrize("what", BAD_BODIES)
def test_a_bad_body_is_refused_and_the_connection_goes_on(what: str, client: RawClient) -> None:
    body, text = BAD_BODIES[what]
    reply = client.ask("POST", "/predict", body)
    assert reply.status == 400
    assert text in reply.json()["error"]
    assert client.ask("GET", "/health").status == 200


@pytest.mark.parametrize(
    "body", [b"{}", b'{"labels": 1}', b'{"labels": [{"prediction_id": "a", "label": 1}]}', b"["]
)
def test_bad_labels_are_refused(body: bytes, client: RawClient, served: Predictor) -> None:
    assert client.ask("POST", "/feedback", body).status == 400
    assert served.collect().labels == []


def test_what_there_is_is_said_where_there_is_nothing(client: RawClient) -> None:
    reply = client.ask("GET", "/metrics")
    assert reply.status == 404
    assert reply.json() == {"error": "there is /predict, /feedback, /health, /status, /v2"}


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [("GET", "/predict", "post"), ("POST", "/health", "get"), ("HEAD", "/status", "get")],
)
def test_another_method_is_told_which_one_to_use(
    method: str, path: str, allow: str, client: RawClient
) -> None:
    reply = client.ask(method, path)
    assert (reply.status, reply.headers["allow"]) == (405, allow)
    assert client.ask("GET", "/health").status == 200


def test_a_page_in_a_browser_is_refused(client: RawClient, served: Predictor) -> None:
    reply = client.ask("POST", "/predict", json.dumps(ROW).encode(), "Origin: http://evil.example")
    assert reply.status == 403
    assert served.collect().counters.rows == 0


def test_a_model_that_fails_is_an_error_in_words(address: str, served: Predictor) -> None:
    served.load(model()[0], tiny_onnx.brittle([1.0, 1.0], 0.0, 9))
    with RawClient(address) as client:
        status, told = post(client, "/predict", {"wind": 50, "rain": 0})
    assert status == 500
    assert isinstance(told, dict)
    assert "the model failed" in told["error"]


def test_a_fault_is_in_the_log_and_no_trace_is_told(
    served: Predictor, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> object:
        raise ZeroDivisionError("secret")

    api = local_api(served, broken)
    api.start()
    with RawClient(api.address) as client, caplog.at_level(logging.ERROR):
        reply = client.ask("GET", "/status")
    api.stop()
    assert (reply.status, reply.json()) == (500, {"error": "a fault; see the agent's log"})
    assert "ZeroDivisionError" in caplog.text


def test_pipelined_requests_are_answered_in_order(client: RawClient) -> None:
    asked = b"".join(
        request("POST", "/predict", json.dumps({"wind": k % 2 * 6 - 3, "rain": 0}).encode())
        for k in range(300)
    )
    client.send(asked)
    answers = [client.reply().json() for _ in range(300)]
    assert [a["prediction_id"] for a in answers] == [f"{DEVICE}.3.{k + 1}" for k in range(300)]
    assert [a["label"] for a in answers] == [k % 2 for k in range(300)]


def test_a_client_that_reads_late_gets_every_answer_in_order(served: Predictor) -> None:
    asked: list[int] = []

    def long_status() -> object:
        asked.append(len(asked))
        return {"number": asked[-1], "text": "x" * 1_000_000}

    api = local_api(served, long_status)
    api.start()
    with RawClient(api.address) as late, RawClient(api.address) as other:
        late.send(request("GET", "/status") * 30)
        assert other.ask("GET", "/health").status == 200
        assert len(asked) < 30
        assert [late.reply().json()["number"] for _ in range(30)] == list(range(30))
    api.stop()


def test_a_large_body_that_comes_in_pieces_is_answered(client: RawClient) -> None:
    rows = [ROW] * HttpConfig().max_rows
    body = json.dumps({"rows": rows}).encode().ljust(MAX_BODY_BYTES - 9)
    assert MAX_BODY_BYTES / 2 < len(body) < MAX_BODY_BYTES
    data = request("POST", "/predict", body)
    for start in range(0, len(data), 50_000):
        client.send(data[start : start + 50_000])
    assert len(client.reply().json()["answers"]) == len(rows)


def test_a_body_that_is_too_large_is_refused_while_it_is_still_sent(address: str) -> None:
    with RawClient(address) as client:
        length = 8 * MAX_BODY_BYTES
        client.send(
            f"POST /predict HTTP/1.1\r\nHost: d\r\nContent-Length: {length}\r\n\r\n".encode()
        )
        for _ in range(length // 131_072):
            client.send(b" " * 131_072)
        reply = client.reply()
        assert (reply.status, reply.headers["connection"]) == (413, "close")
        assert "send fewer rows" in reply.json()["error"]
        assert client.closed()


def test_who_waits_for_a_word_before_the_body_gets_it_once(client: RawClient, address: str) -> None:
    body = json.dumps(ROW).encode()
    head, _ = request("POST", "/predict", body, "Expect: 100-continue").split(b"\r\n\r\n")
    client.send(head + b"\r\n\r\n")
    assert client.reply().status == 100
    client.send(body[:5])
    with RawClient(address) as other:
        assert other.ask("GET", "/health").status == 200
    client.send(body[5:])
    assert client.reply().status == 200


def test_an_old_client_gets_its_answer_and_the_end(address: str) -> None:
    with RawClient(address) as client:
        client.send(b"GET /health HTTP/1.0\r\n\r\n")
        reply = client.reply()
        assert (reply.status, reply.headers["connection"]) == (200, "close")
        assert client.closed()


def test_a_client_that_has_said_all_still_gets_its_answer(address: str) -> None:
    with RawClient(address) as client:
        client.send(request("GET", "/health"))
        client.end()
        assert client.reply().status == 200
        assert client.closed()


@contextlib.contextmanager
def limited(served: Predictor, **limits: Any) -> Iterator[str]:  # noqa: ANN401  # as settings are
    """The address of an endpoint with its own limits."""
    api = local_api(served, **limits)
    api.start()
    try:
        yield api.address
    finally:
        api.stop()


def test_one_connection_too_many_is_told_so(served: Predictor) -> None:
    with (
        limited(served, max_connections=2) as address,
        RawClient(address) as first,
        RawClient(address) as second,
        RawClient(address) as third,
    ):
        reply = third.reply()
        assert reply.status == 503
        assert "2 connections are open" in reply.json()["error"]
        assert second.ask("GET", "/health").status == 200
        told = first.ask("GET", "/status").json()["http"]
        assert told["refused"] == {"503 Service Unavailable": 1}


def test_a_flood_of_connections_is_bounded_counted_and_others_are_served(
    served: Predictor,
) -> None:
    with limited(served, max_connections=4) as address, RawClient(address) as first:
        assert first.ask("GET", "/health").status == 200
        flood = [RawClient(address) for _ in range(60)]
        for client in flood[3:]:
            assert client.rest()[:12] in {b"HTTP/1.1 503", b""}
        told = first.ask("GET", "/status").json()["http"]
        assert told["connections"] <= 8
        assert told["dropped"] + told["refused"]["503 Service Unavailable"] == 57
        assert told["dropped"] >= 40
        for client in flood:
            client.__exit__()
        assert first.ask("POST", "/predict", json.dumps(ROW).encode()).status == 200


def test_a_request_that_does_not_become_whole_is_ended(served: Predictor) -> None:
    with limited(served, request_s=0.1) as address, RawClient(address) as client:
        client.send(b"POST /predict HTTP/1.1\r\nHost:")
        reply = client.reply()
        assert reply.status == 408
        assert client.closed()


def test_a_connection_on_which_nothing_is_asked_is_closed(served: Predictor) -> None:
    with limited(served, idle_s=0.1) as address, RawClient(address) as client:
        assert client.ask("GET", "/health").status == 200
        assert client.closed()


def test_a_client_that_never_reads_is_dropped_and_others_are_served(served: Predictor) -> None:
    with limited(served, request_s=0.3) as address, RawClient(address) as greedy:
        with pytest.raises(ConnectionError):
            greedy.send_until_dropped(request("GET", "/status") * 1_000)
        assert greedy.sent_bytes < 40_000_000
        with RawClient(address) as other:
            assert other.ask("GET", "/status").json()["http"]["dropped"] == 1


@given(st.lists(st.binary(max_size=200), max_size=5))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_garbage_is_refused_in_words_and_others_are_served(
    address: str, pieces: list[bytes]
) -> None:
    with RawClient(address) as garbler:
        for piece in pieces:
            garbler.send(piece)
        garbler.send(b"\r\n\r\n")
        garbler.end()
        assert garbler.rest()[:12] in {b"", b"HTTP/1.1 400", b"HTTP/1.1 411", b"HTTP/1.1 404"}
    with RawClient(address) as other:
        assert other.ask("GET", "/health").status == 200


def test_stop_ends_thread_and_connections_and_frees_the_port(served: Predictor) -> None:
    api = local_api(served)
    api.start()
    with RawClient(api.address) as idle:
        assert idle.ask("GET", "/health").status == 200
        api.stop()
        assert idle.closed()
    api.stop()
    assert "local-api" not in {t.name for t in threading.enumerate()}
    port = urlsplit(api.address).port
    assert port is not None
    again = local_api(served, port=port)
    again.start()
    again.stop()


def test_a_client_who_is_shut_out_is_counted_and_logged_once(
    served: Predictor, caplog: pytest.LogCaptureFixture
) -> None:
    api = local_api(served)
    api.start()
    assert api._running is not None
    loop = api._running[0]
    full = OSError(errno.EMFILE, "Too many open files")
    with RawClient(api.address) as before, caplog.at_level(logging.WARNING):
        assert before.ask("GET", "/health").status == 200
        for _ in range(3):
            loop.call_soon_threadsafe(
                loop.call_exception_handler, {"message": "accept", "exception": full}
            )
        told = before.ask("GET", "/status").json()["http"]
    api.stop()
    assert told["shut_out"] == 3
    assert caplog.text.count("cannot be let in") == 1


def test_a_client_who_comes_while_it_stops_is_shown_out(served: Predictor, tmp_path: Path) -> None:
    for _ in range(5):
        api = local_api(served, unix_socket=tmp_path / "http")
        api.start()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(tmp_path / "http"))
            api.stop()
            assert client.recv(1) == b""
        gc.collect()  # a transport that was forgotten would say so now


def test_a_client_that_no_poll_has_seen_yet_is_let_in_and_shown_out(
    served: Predictor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = local_api(served, unix_socket=tmp_path / "http")
    closing = api._close
    with socket.socket(socket.AF_UNIX) as client:

        async def close(server: asyncio.Server) -> None:
            client.connect(str(tmp_path / "http"))
            await closing(server)

        monkeypatch.setattr(api, "_close", close)
        api.start()
        api.stop()
        assert client.recv(1) == b""


def test_an_address_that_is_taken_says_what_to_change(address: str, served: Predictor) -> None:
    port = urlsplit(address).port
    assert port is not None
    with pytest.raises(ConfigError, match=r"change http\.host or http\.port"):
        local_api(served, port=port).start()


def test_it_listens_on_loopback_unless_told_otherwise(address: str) -> None:
    assert address.startswith("http://127.0.0.1:")
