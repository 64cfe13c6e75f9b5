"""Whatever is sent to the local endpoint is answered in words, and nothing is counted twice."""

import json
import struct

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetloop_agent.serving.responses import Response
from support import kinds
from support.asking import Asking

SERVED = kinds.predictor("three classes")
CLIENT = Asking(SERVED, max_body_bytes=5_000, max_rows=20)

PATHS = [
    "/predict",
    "/feedback",
    "/health",
    "/status",
    "/v2",
    "/v2/models/kind/infer",
    "/v2/models/kind/versions/1/infer",
    "/v2/models/kind",
    "/v2/models/%00/infer",
    "/v2//models///infer",
    "/v2/health/../../predict",
    "/%2e%2e/predict",
]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(10**400), 10**400),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["red", "rows", "heat", "FP32", "", "\0", "\ud800", "Infinity", "1e999"]),
    st.text(max_size=8),
)
KEYS = st.one_of(
    st.sampled_from(["heat", "colour", "size", "rows", "inputs", "outputs", "parameters"]),
    st.sampled_from(["name", "shape", "datatype", "data", "binary_data_size", "labels", "id"]),
    st.text(max_size=5),
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)
TENSORS = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["rows", "heat", "colour", "size", "fog"]),
        "shape": st.lists(st.sampled_from([0, 1, 2, 3, 20, 21, -1, 2**40]), max_size=3),
        "datatype": st.sampled_from(["FP32", "FP64", "INT64", "UINT8", "BOOL", "BYTES", "X"]),
    },
    optional={
        "data": st.one_of(st.lists(SCALARS, max_size=6), ANYTHING),
        "parameters": st.one_of(
            st.fixed_dictionaries({"binary_data_size": st.integers(-1, 40)}), ANYTHING
        ),
    },
)
NASTY = [
    b"",
    b"{",
    b"[" * 4_000,
    b'{"heat":' * 600,
    b'{"heat": ' + b"9" * 4_000 + b"}",
    b'{"heat": 1e999999, "colour": "red", "size": "1"}',
    b'{"heat": NaN, "colour": "red", "size": "1"}',
    b'{"heat": -0.0, "colour": "\\ud800", "size": "1"}',
    b'{"heat": 1, "heat": 2, "colour": "red", "size": "1"}',
    b'{"rows": {"rows": []}}',
    b'{"rows": [null]}',
    b"\xef\xbb\xbf{}",
    b"\xff\xfe{\0}\0",
    b'{"inputs": [{"name": "rows", "shape": [1,3], "datatype": "FP32", "data": [[[1,2,3]]]}]}',
    b'{"inputs": [{"name": "rows", "shape": [1,3], "datatype": "FP32", "data": {}}]}',
    b'{"inputs": [{"name": "rows", "shape": [9223372036854775807,3], "datatype": "FP32"}]}',
    b'{"inputs": [], "inputs": null}',
]


def check(responses: list[Response], before: int) -> None:
    """Each is an answer, or a refusal in words; what was answered has been counted once."""
    answered = 0
    for response in responses:
        assert response.status in {200, 400, 401, 403, 404, 405, 411, 413, 415, 431, 501}
        cut = [h for h in response.headers if h.startswith("Inference-Header-Content-Length")]
        length = int(cut[0].partition(": ")[2]) if cut else len(response.body)
        told = json.loads(response.body[:length])
        if response.status != 200:
            assert told["error"]
        elif "prediction_id" in told:
            answered += 1
        elif "answers" in told:
            answered += len(told["answers"])
        elif "model_version" in told:
            first, last = (
                int(told["parameters"][f"{k}_prediction_id"].rpartition(".")[2])
                for k in ("first", "last")
            )
            answered += last - first + 1
    assert SERVED.health().rows - before == answered
    assert SERVED.health().errors == 0


@given(st.sampled_from(PATHS), ANYTHING.map(lambda x: json.dumps(x).encode()))
@settings(max_examples=60, deadline=None)
def test_any_json_is_answered_or_refused(path: str, body: bytes) -> None:
    before = SERVED.health().rows
    check([CLIENT.ask("POST", path, body[:5_000])], before)


@given(
    st.lists(TENSORS, max_size=4),
    st.binary(max_size=60),
    st.sampled_from([[], [{"name": "label"}], [{"name": "prediction_id", "parameters": {}}], None]),
    st.booleans(),
)
@settings(max_examples=120, deadline=None)
def test_any_tensors_are_answered_or_refused(
    inputs: list[dict[str, object]],
    tail: bytes,
    outputs: object,
    binary: bool,  # noqa: FBT001  # drawn
) -> None:
    before = SERVED.health().rows
    told = {
        "inputs": inputs,
        "outputs": outputs,
        "parameters": {"binary_data_output": binary},
    }
    text = json.dumps(told).encode()
    header = f"Inference-Header-Content-Length: {len(text)}"
    response = CLIENT.ask("POST", "/v2/models/kind/infer", text + tail, header)
    check([response], before)


@given(st.integers(0, 40), st.integers(0, 12), st.binary(max_size=24))
@settings(max_examples=100, deadline=None)
def test_any_bytes_of_a_tensor_are_answered_or_refused(size: int, cut: int, junk: bytes) -> None:
    before = SERVED.health().rows
    data = np.array([[1.5, 0, 2]], "<f4").tobytes()[:cut] + junk
    tensor = {
        "name": "rows",
        "shape": [1, 3],
        "datatype": "FP32",
        "parameters": {"binary_data_size": size},
    }
    text = json.dumps({"inputs": [tensor]}).encode()
    header = f"Inference-Header-Content-Length: {len(text)}"
    check([CLIENT.ask("POST", "/v2/models/kind/infer", text + data, header)], before)
    texts = struct.pack("<I", size) + junk
    told = {
        "inputs": [
            {"name": "heat", "shape": [1], "datatype": "FP32", "data": [1]},
            {"name": "size", "shape": [1], "datatype": "BYTES", "data": ["1"]},
            {
                "name": "colour",
                "shape": [1],
                "datatype": "BYTES",
                "parameters": {"binary_data_size": len(texts)},
            },
        ]
    }
    text = json.dumps(told).encode()
    header = f"Inference-Header-Content-Length: {len(text)}"
    before = SERVED.health().rows
    check([CLIENT.ask("POST", "/v2/models/kind/infer", text + texts, header)], before)


def test_what_is_known_to_break_readers_breaks_nothing() -> None:
    for path in PATHS:
        for body in NASTY:
            before = SERVED.health().rows
            check([CLIENT.ask("POST", path, body)], before)


LINES = st.one_of(
    st.sampled_from(
        [
            b"Host: localhost",
            b"Content-Length: 2",
            b"Content-Length: 02",
            b"Content-Length: +2",
            b"Content-Length : 2",
            b"Transfer-Encoding: chunked",
            b"Transfer-Encoding:\tchunked",
            b"Content-Encoding: gzip",
            b"Connection: close",
            b"Expect: 100-continue",
            b"Authorization: Bearer x",
            b" folded",
            b"A: \x0bb",
        ]
    ),
    st.binary(min_size=1, max_size=20).filter(lambda line: b"\n" not in line),
)


@given(
    st.sampled_from([b"POST /predict HTTP/1.1", b"GET /health HTTP/1.0", b"POST /v2 HTTP/1.9"]),
    st.lists(LINES, max_size=6),
    st.one_of(st.just(b"{}"), st.binary(max_size=40)),
)
@settings(max_examples=120, deadline=None)
def test_heads_that_contradict_themselves_smuggle_nothing(
    first: bytes, lines: list[bytes], body: bytes
) -> None:
    before = SERVED.health().rows
    data = b"\r\n".join([first, b"Host: localhost", *lines, b"", b""]) + body
    responses = CLIENT.raw(data)
    check(responses, before)
    lengths = sum(line.lower().startswith((b"content-length", b"transfer-")) for line in lines)
    if lengths > 1 and responses:
        assert responses[0].status in {400, 411, 413}
        assert len(responses) == 1
