"""The real tritonclient, unmodified, against the local endpoint: sync and asyncio."""

import asyncio
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from support import kinds
from support.local_api import local_api

http = pytest.importorskip("tritonclient.http")
aio = pytest.importorskip("tritonclient.http.aio")

ROWS = kinds.rows(150, seed=3)
KIND = "three classes"
OUTPUTS = ("probabilities", "score", "label", "class_name", "prediction_id")


@pytest.fixture
def url() -> Iterator[str]:
    api = local_api(kinds.predictor(KIND))
    api.start()
    yield api.address.removeprefix("http://")
    api.stop()


def rows_input(module: Any, *, binary: bool = True) -> Any:  # noqa: ANN401  # untyped
    tensor = module.InferInput("rows", list(ROWS.shape), "FP32")
    values = ROWS if binary else np.nan_to_num(ROWS)
    tensor.set_data_from_numpy(values, binary_data=binary)
    return tensor


def wanted(module: Any, *, binary: bool) -> list[Any]:  # noqa: ANN401  # untyped
    return [module.InferRequestedOutput(name, binary_data=binary) for name in OUTPUTS]


def check(result: Any, *, missing: bool) -> None:  # noqa: ANN401  # untyped
    """The result has the answers of the library to the same rows."""
    twin = kinds.predictor(KIND).predict(ROWS if missing else np.nan_to_num(ROWS))
    assert result.as_numpy("label").tolist() == [a.label for a in twin]
    assert result.as_numpy("score").tolist() == [a.score for a in twin]
    names = [n if isinstance(n, str) else n.decode() for n in result.as_numpy("class_name")]
    assert names == [a.class_name for a in twin]
    assert result.as_numpy("probabilities").shape == (len(ROWS), 3)
    ids = [str(i, "utf-8") if isinstance(i, bytes) else i for i in result.as_numpy("prediction_id")]
    prefix, first = ids[0].rsplit(".", 1)
    assert ids == [f"{prefix}.{int(first) + k}" for k in range(len(ROWS))]
    told = result.get_response()
    assert (told["model_name"], told["model_version"]) == ("kind", "1")
    assert told["parameters"]["artifact"] == kinds.model(KIND)[0].sha256


def test_what_it_asks_before_it_asks_for_answers(url: str) -> None:
    with http.InferenceServerClient(url) as client:
        assert client.is_server_live()
        assert client.is_server_ready()
        assert client.is_model_ready("kind")
        assert client.is_model_ready("kind", "1")
        assert not client.is_model_ready("kind", "2")
        assert client.get_server_metadata()["name"] == "fleetloop-agent"
        told = client.get_model_metadata("kind")
        assert told["inputs"] == [{"name": "rows", "datatype": "FP32", "shape": [-1, 3]}]
        assert [o["name"] for o in client.get_model_config("kind")["output"]] == [
            o["name"] for o in told["outputs"]
        ]
        assert client.get_model_repository_index()[0]["name"] == "kind"
        assert client.get_inference_statistics("kind")["model_stats"][0]["inference_count"] == 0
        for ask in (client.get_trace_settings, client.get_log_settings):
            with pytest.raises(http.InferenceServerException, match="not offered"):
                ask()
        with pytest.raises(http.InferenceServerException, match="not offered"):
            client.load_model("kind")


@pytest.mark.parametrize("packing", [None, "gzip", "deflate"])
def test_json_and_bytes_packed_and_not_give_the_same_answers(url: str, packing: str | None) -> None:
    with http.InferenceServerClient(url) as client:
        for sent, got in itertools.product((True, False), repeat=2):
            result = client.infer(
                "kind",
                [rows_input(http, binary=sent)],
                model_version="1",
                request_id="seven",
                outputs=wanted(http, binary=got),
                request_compression_algorithm=packing,
                response_compression_algorithm=packing,
            )
            assert result.get_response()["id"] == "seven"
            check(result, missing=sent)
        check(client.infer("kind", [rows_input(http)]), missing=True)
        check(client.async_infer("kind", [rows_input(http)]).get_result(), missing=True)


def test_errors_are_told_as_its_own_exceptions(url: str) -> None:
    with http.InferenceServerClient(url) as client:
        tensor = http.InferInput("rows", [1, 2], "FP32")
        tensor.set_data_from_numpy(ROWS[:1, :2])
        with pytest.raises(http.InferenceServerException, match=r"\[400\] input 'rows'"):
            client.infer("kind", [tensor])
        with pytest.raises(http.InferenceServerException, match=r"\[404\] there is no model"):
            client.infer("other", [rows_input(http)])
        check(client.infer("kind", [rows_input(http)]), missing=True)


def test_texts_of_categories_in_tensors_of_their_own(url: str) -> None:
    columns = {
        "heat": (np.array([[1.5], [-0.5]], np.float32), "FP32"),
        "colour": (np.array([["red"], ["mauve"]], np.object_), "BYTES"),
        "size": (np.array([["10"], ["1"]], np.object_), "BYTES"),
    }
    inputs = []
    for name, (values, datatype) in columns.items():
        inputs.append(http.InferInput(name, [2, 1], datatype))
        inputs[-1].set_data_from_numpy(values)
    with http.InferenceServerClient(url) as client:
        found = client.infer("kind", inputs).as_numpy("class_name").tolist()
    named = [
        {"heat": 1.5, "colour": "red", "size": "10"},
        {"heat": -0.5, "colour": "mauve", "size": "1"},
    ]
    twin = kinds.predictor(KIND).predict(named)
    assert [name.decode() for name in found] == [a.class_name for a in twin]


def test_asyncio_many_at_once(url: str) -> None:
    async def ask() -> None:
        async with aio.InferenceServerClient(url) as client:
            assert await client.is_server_ready()
            results = await asyncio.gather(
                *[
                    client.infer(
                        "kind",
                        [rows_input(aio, binary=k % 2 == 0)],
                        outputs=wanted(aio, binary=k % 3 == 0),
                        request_compression_algorithm=(None, "gzip", "deflate")[k % 3],
                        response_compression_algorithm=(None, "deflate", "gzip")[k % 3],
                    )
                    for k in range(6)
                ]
            )
            for k, result in enumerate(results):
                check(result, missing=k % 2 == 0)
            with pytest.raises(http.InferenceServerException, match=r"\[404\]"):
                await client.infer("other", [rows_input(aio)])

    asyncio.run(ask())
