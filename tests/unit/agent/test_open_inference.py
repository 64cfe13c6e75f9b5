"""The Open Inference Protocol: every form of input, every output, and what is refused in words."""

import json
import struct
from typing import Any

import msgspec
import numpy as np
import pytest

from fleetloop_agent.serving.intake import Given
from fleetloop_agent.serving.predictor import Predictor
from fleetloop_agent.serving.records import Answered
from fleetloop_shared.manifest import Manifest
from support import kinds
from support.asking import Asking
from support.serving_rig import predictor

ROWS = [[1.5, 0.0, 2.0], [-0.5, 1.0, 0.0]]
COLUMNS: list[dict[str, object]] = [
    {"name": "colour", "shape": [2, 1], "datatype": "BYTES", "data": ["red", "green"]},
    {"name": "heat", "shape": [2], "datatype": "FP64", "data": [1.5, -0.5]},
    {"name": "size", "shape": [2, 1], "datatype": "BYTES", "data": [["10"], ["1"]]},
]
NAMED = [{"heat": 1.5, "colour": "red", "size": "10"}, {"heat": -0.5, "colour": "green", "size": 1}]


def whole(**changes: object) -> dict[str, object]:
    return {"name": "rows", "shape": [2, 3], "datatype": "FP32", "data": ROWS} | changes


def asking(kind: str = "three classes") -> Asking:
    return Asking(kinds.predictor(kind))


def outputs(told: dict[str, Any]) -> dict[str, Any]:
    return {output["name"]: output["data"] for output in told["outputs"]}


FORMS: dict[str, tuple[list[dict[str, object]], bytes]] = {
    "in rows": ([whole()], b""),
    "flat": ([whole(data=[*ROWS[0], *ROWS[1]])], b""),
    "doubles": ([whole(datatype="FP64")], b""),
    "half": ([whole(datatype="FP16")], b""),
    "bytes": (
        [whole(parameters={"binary_data_size": 24}) | {"data": None}],
        np.array(ROWS, "<f4").tobytes(),
    ),
    "bytes of doubles": (
        [whole(datatype="FP64", parameters={"binary_data_size": 48}) | {"data": None}],
        np.array(ROWS, "<f8").tobytes(),
    ),
    "columns": (COLUMNS, b""),
    "columns of which one is bytes": (
        [COLUMNS[0] | {"parameters": {"binary_data_size": 16}, "data": None}, *COLUMNS[1:]],
        b"".join(struct.pack("<I", len(t)) + t for t in (b"red", b"green")),
    ),
    "places of categories": (
        [{"name": "colour", "shape": [2], "datatype": "INT64", "data": [0, 1]}, *COLUMNS[1:]],
        b"",
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_the_same_rows_gets_the_same_answers(form: str) -> None:
    inputs, tail = FORMS[form]
    given = [{k: v for k, v in tensor.items() if v is not None} for tensor in inputs]
    status, told = asking().infer({"inputs": given}, tail)
    assert status == 200, told
    twin = kinds.predictor("three classes").predict(NAMED)
    found = outputs(told)
    assert found["label"] == [answer.label for answer in twin]
    assert found["class_name"] == [answer.class_name for answer in twin]
    assert found["score"] == [answer.score for answer in twin]
    assert found["prediction_id"] == [answer.prediction_id for answer in twin]


@pytest.mark.parametrize(
    "datatype", ["INT8", "UINT8", "INT16", "INT32", "UINT32", "UINT64", "FP32"]
)
def test_whole_numbers_of_every_width_are_numbers(datatype: str) -> None:
    dtype = {"F": "<f4", "I": f"<i{int(datatype[-2:].strip('T')) // 8 or 1}"}.get(datatype[0])
    if datatype == "INT8":
        dtype = "<i1"
    if datatype.startswith("U"):
        dtype = f"<u{int(datatype.removeprefix('UINT')) // 8}"
    data = np.array([[3, 1, 2]], dtype).tobytes()
    inputs = {"name": "rows", "shape": [1, 3], "datatype": datatype}
    in_bytes = asking().infer(
        {"inputs": [inputs | {"parameters": {"binary_data_size": len(data)}}]}, data
    )
    in_json = asking().infer({"inputs": [inputs | {"data": [3, 1, 2]}]})
    assert in_bytes == in_json
    assert in_json[0] == 200


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_every_kind_of_model_tells_its_outputs_and_gives_them(kind: str) -> None:
    client = asking(kind)
    told = json.loads(client.ask("GET", "/v2/models/kind").body)
    offered = {o["name"]: (o["datatype"], o["shape"]) for o in told["outputs"]}
    status, answered = client.infer({"inputs": [whole()]})
    assert status == 200
    given = {o["name"]: (o["datatype"], [-1, *o["shape"][1:]]) for o in answered["outputs"]}
    assert given == offered
    sha256 = kinds.model(kind)[0].sha256
    assert told["parameters"] == {"artifact": sha256}
    assert answered["parameters"] == {
        "artifact": sha256,
        "first_prediction_id": "station-1.3.1",
        "last_prediction_id": "station-1.3.2",
    }
    assert ("label" in offered) is (kind != "regression")


def test_what_is_wanted_comes_in_the_form_that_is_wanted() -> None:
    wanted = [
        {"name": "label", "parameters": {"binary_data": False}},
        {"name": "prediction_id"},
        {"name": "score"},
    ]
    request = {
        "id": "seven",
        "inputs": [whole()],
        "outputs": wanted,
        "parameters": {"binary_data_output": True},
    }
    status, told = asking().infer(request)
    assert (status, told["id"]) == (200, "seven")
    assert [o["name"] for o in told["outputs"]] == ["label", "prediction_id", "score"]
    assert told["outputs"][0].get("parameters") is None
    assert told["outputs"][1]["data"] == b"\r\0\0\0station-1.3.1\r\0\0\0station-1.3.2"
    twin = kinds.predictor("three classes").predict(NAMED)
    assert told["outputs"][2]["data"] == [answer.score for answer in twin]


def test_what_is_missing_is_null_or_nan() -> None:
    nan = np.array([[np.nan, 1, 2]], "<f4").tobytes()
    one = {"name": "rows", "shape": [1, 3], "datatype": "FP32"}
    in_json = asking().infer({"inputs": [one | {"data": [None, 1, 2]}]})
    in_bytes = asking().infer({"inputs": [one | {"parameters": {"binary_data_size": 12}}]}, nan)
    assert in_json == in_bytes


NUMBER = {"name": "rows", "shape": [1, 3], "datatype": "FP32"}
REFUSED: dict[str, tuple[dict[str, Any], bytes, int, str]] = {
    "no inputs": ({}, b"", 400, "inputs"),
    "nothing in inputs": ({"inputs": []}, b"", 400, "no input 'heat'"),
    "unknown input": ({"inputs": [whole(name="fog")]}, b"", 400, "the model has no input 'fog'"),
    "twice": ({"inputs": [*COLUMNS, COLUMNS[0]]}, b"", 400, "comes twice"),
    "a column less": ({"inputs": COLUMNS[:2]}, b"", 400, "no input 'size'"),
    "columns of different length": (
        {"inputs": [*COLUMNS[:2], COLUMNS[2] | {"shape": [1], "data": ["1"]}]},
        b"",
        400,
        "'size' has the shape [1]",
    ),
    "wrong width": ({"inputs": [whole(shape=[3, 2])]}, b"", 400, "FP32 of [rows, 3]"),
    "negative shape": ({"inputs": [whole(shape=[-2, 3])]}, b"", 400, "one row at least"),
    "no rows": ({"inputs": [whole(shape=[0, 3], data=[])]}, b"", 400, "one row at least"),
    "three dimensions": ({"inputs": [whole(shape=[1, 2, 3])]}, b"", 400, "give [rows, columns]"),
    "endless shape": ({"inputs": [whole(shape=[2**62, 3])]}, b"", 400, "4,096 at most"),
    "a shape beyond 64 bits": ({"inputs": [whole(shape=[3, 2**80])]}, b"", 400, "FP32 of"),
    "too few values": ({"inputs": [whole(data=[1.0])]}, b"", 400, "has 1 values"),
    "ragged": ({"inputs": [whole(data=[[1, 2, 3], [1]])]}, b"", 400, "not every row"),
    "texts for numbers": ({"inputs": [whole(data=["a"] * 6)]}, b"", 400, "is not FP32"),
    "truths for numbers": ({"inputs": [whole(data=[True] * 6)]}, b"", 400, "is not FP32"),
    "halves of whole numbers": (
        {"inputs": [whole(datatype="INT32", data=[0.5] * 6)]},
        b"",
        400,
        "is not INT32",
    ),
    "beyond its width": (
        {"inputs": [whole(datatype="INT8", data=[300] * 6)]},
        b"",
        400,
        "out of bounds",
    ),
    "whole numbers that would be rounded": (
        {"inputs": [NUMBER | {"datatype": "INT64", "data": [2**24 + 1, 0, 0]}]},
        b"",
        400,
        "16777217 in row 0",
    ),
    "too large for float32": (
        {"inputs": [NUMBER | {"datatype": "FP64", "data": [1e300, 0, 0]}]},
        b"",
        400,
        "'heat' is too large",
    ),
    "infinite": (
        {"inputs": [NUMBER | {"parameters": {"binary_data_size": 12}}]},
        np.array([[np.inf, -np.inf, np.inf]], "<f4").tobytes(),
        400,
        "row 0",
    ),
    "no such place": ({"inputs": [NUMBER | {"data": [0, 7, 0]}]}, b"", 400, "no place among"),
    "deep": (json.loads('{"inputs": [{"name": "rows"}]}'), b"", 400, "missing required"),
    "no such type": ({"inputs": [whole(datatype="BF16")]}, b"", 400, "give FP32"),
    "texts for a number": (
        {
            "inputs": [
                COLUMNS[0],
                COLUMNS[1] | {"datatype": "BYTES", "data": ["1", "2"]},
                COLUMNS[2],
            ]
        },
        b"",
        400,
        "'heat' is BYTES",
    ),
    "texts for all": ({"inputs": [whole(datatype="BYTES")]}, b"", 400, "give FP32 of [rows, 3]"),
    "no data": ({"inputs": [NUMBER]}, b"", 400, "neither data nor"),
    "shared memory": (
        {"inputs": [NUMBER | {"parameters": {"shared_memory_region": "a"}}]},
        b"",
        400,
        "neither data nor",
    ),
    "cut off": (
        {"inputs": [NUMBER | {"parameters": {"binary_data_size": 12}}]},
        b"12345678",
        400,
        "8 bytes are left",
    ),
    "too many bytes": (
        {"inputs": [NUMBER | {"parameters": {"binary_data_size": 12}}]},
        b"1234567890abc",
        400,
        "1 bytes follow",
    ),
    "another size than the shape": (
        {"inputs": [NUMBER | {"parameters": {"binary_data_size": 8}}]},
        b"12345678",
        400,
        "has 12",
    ),
    "a size that is no number": (
        {"inputs": [NUMBER | {"parameters": {"binary_data_size": True}}]},
        b"1",
        400,
        "binary_data_size is True",
    ),
    "a text that is cut off": (
        {"inputs": [COLUMNS[0] | {"parameters": {"binary_data_size": 7}}, *COLUMNS[1:]]},
        struct.pack("<I", 2**31) + b"red",
        400,
        "is cut off in text 0",
    ),
    "a text that is none": (
        {"inputs": [COLUMNS[0] | {"parameters": {"binary_data_size": 5}}, *COLUMNS[1:]]},
        struct.pack("<I", 1) + b"\xff",
        400,
        "'colour', text 0",
    ),
    "a sequence": (
        {"inputs": [whole()], "parameters": {"sequence_id": 7}},
        b"",
        400,
        "sequence_id is not offered",
    ),
    "no such output": (
        {"inputs": [whole()], "outputs": [{"name": "x"}]},
        b"",
        400,
        "no output 'x'",
    ),
    "classification": (
        {"inputs": [whole()], "outputs": [{"name": "label", "parameters": {"classification": 2}}]},
        b"",
        400,
        "ask for label",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_the_model_cannot_take_is_refused_in_words(what: str) -> None:
    request, tail, code, text = REFUSED[what]
    served = kinds.predictor("three classes")
    status, told = Asking(served).infer(request, tail)
    assert (status, list(told)) == (code, ["error"])
    assert text in told["error"]
    assert served.health().rows == 0


@pytest.mark.parametrize("length", ["-1", "1e3", "99999", "9" * 40, "\u0663"])
def test_a_header_length_that_cannot_be_is_refused(length: str) -> None:
    header = f"Inference-Header-Content-Length: {length}"
    assert asking().ask("POST", "/v2/models/kind/infer", b"{}", header).status == 400


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2", 200),
        ("GET", "/v2/", 200),
        ("GET", "/v2/health/live", 200),
        ("GET", "/v2/health/ready", 200),
        ("GET", "/v2/models/kind/ready", 200),
        ("GET", "/v2/models/kind/versions/1/ready", 200),
        ("GET", "/v2/models/kind/versions/1/config", 200),
        ("GET", "/v2/models/kind/stats", 200),
        ("GET", "/v2/models/stats", 200),
        ("POST", "/v2/repository/index", 200),
        ("GET", "/v2/models/kind/versions/2", 404),
        ("GET", "/v2/models/other", 404),
        ("GET", "/v2/models/ki%6ed", 200),
        ("GET", "/v2/models/kind/explain", 404),
        ("GET", "/v2x", 404),
        ("POST", "/v2/repository/models/kind/load", 501),
        ("GET", "/v2/systemsharedmemory/status", 501),
        ("GET", "/v2/models/kind/trace/setting", 501),
        ("GET", "/v2/models/kind/infer", 405),
        ("POST", "/v2", 405),
    ],
)
def test_questions_and_what_is_no_question(method: str, path: str, status: int) -> None:
    response = asking().ask(method, path)
    assert response.status == status
    assert ("error" in json.loads(response.body)) is (status != 200)


def test_without_a_model_it_lives_and_is_not_ready() -> None:
    client = Asking(predictor(loaded=False))
    assert client.ask("GET", "/v2/health/live").status == 200
    assert client.ask("GET", "/v2/health/ready").status == 503
    assert client.ask("GET", "/v2/models/kind").status == 503
    assert client.infer({"inputs": [whole()]})[0] == 503
    assert json.loads(client.ask("POST", "/v2/repository/index").body) == []


class Changing(Predictor):
    """Loads another model just before it answers, some times."""

    changes = 0

    def answer(
        self, rows: Given, *, by: Manifest | None = None, key: str | None = None
    ) -> Answered:
        if self.changes:
            self.changes -= 1
            manifest, artifact = kinds.model("three classes")
            self.load(msgspec.structs.replace(manifest, version=2), artifact)
        return super().answer(rows, by=by, key=key)


@pytest.mark.parametrize(
    ("version", "changes", "status"), [("", 1, 200), ("/versions/1", 1, 404), ("", 9, 503)]
)
def test_rows_that_were_read_for_one_model_are_not_answered_by_the_next(
    version: str, changes: int, status: int
) -> None:
    served = kinds.predictor("three classes")
    served.__class__ = Changing
    assert isinstance(served, Changing)
    served.changes = changes
    path = f"/v2/models/kind{version}/infer"
    found, told = Asking(served).infer({"inputs": [whole()]}, path=path)
    assert found == status
    assert told.get("model_version", "2") == "2"
    assert served.health().rows == (2 if status == 200 else 0)
