"""A run on a real MLflow server; skipped where mlflow is not installed, which the summary tells."""

import importlib.util
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from fleetloop_hub.errors import ExportError
from fleetloop_hub.tracking.mlflow_export import Copy, copied, metrics, parameters
from support.hubrecords import a_run

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        importlib.util.find_spec("mlflow") is None
        or importlib.util.find_spec("mlflow.server") is None,
        reason="NO MLFLOW SERVER HERE, THE EXPORT IS NOT TESTED: make test-mlflow",
    ),
]

_PATIENCE_S = 90.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("mlflow")
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db"]
    command += ["--artifacts-destination", str(folder / "artifacts")]
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, cwd=folder, start_new_session=True
        )
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + _PATIENCE_S
        while not _answers(f"{url}/health"):
            assert process.poll() is None, (folder / "log.txt").read_text()
            assert time.monotonic() < deadline, "the server never answered"
            time.sleep(0.2)
        yield url
    finally:
        os.killpg(process.pid, 15)
        process.wait(30)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310  # our own server
            return bool(answer.status == 200)
    except OSError:
        return False


def ask(url: str, **body: object) -> Any:  # noqa: ANN401  # JSON
    data = json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  # our own server
        return json.loads(answer.read())


def test_a_run_is_there_as_it_is_here(server: str) -> None:
    [small] = a_run().candidates
    taken = replace(small, parameters={"alpha": 0.5}, curves={"validation loss": [0.9, 0.5, 0.4]})
    run = replace(a_run("rain-7"), candidates=[taken], metrics={"f1": 0.5, "f1_low": 0.4})
    files = {"artifact.onnx": b"\x08\x09", "plots/roc.svg": b"<svg/>", "spec.toml": b"[model]"}
    run_id = copied(Copy(run=run, version="rain@4", files=files), server, "rain")

    api = f"{server}/api/2.0/mlflow"
    with urllib.request.urlopen(f"{api}/runs/get?run_id={run_id}", timeout=10) as answer:  # noqa: S310
        there = json.loads(answer.read())["run"]
    assert there["info"]["status"] == "FINISHED"
    assert there["info"]["run_name"] == "rain-7"
    assert {p["key"]: p["value"] for p in there["data"]["params"]} == parameters(run)
    told = {t["key"]: t["value"] for t in there["data"]["tags"]}
    assert told["fleetloop.dataset_sha256"] == run.dataset
    assert told["fleetloop.version"] == "rain@4"
    last = {m["key"]: m["value"] for m in there["data"]["metrics"]}
    assert last == {name: value for name, value, _ in metrics(run)}
    query = f"run_id={run_id}&metric_key=small/validation%20loss"
    with urllib.request.urlopen(f"{api}/metrics/get-history?{query}", timeout=10) as answer:  # noqa: S310
        steps = [(m["step"], m["value"]) for m in json.loads(answer.read())["metrics"]]
    assert sorted(steps) == [(1, 0.9), (2, 0.5), (3, 0.4)]
    with urllib.request.urlopen(f"{api}/artifacts/list?run_id={run_id}", timeout=10) as answer:  # noqa: S310
        names = {file["path"] for file in json.loads(answer.read())["files"]}
    assert names == {"artifact.onnx", "plots", "spec.toml"}


def test_a_second_export_goes_to_the_same_experiment(server: str) -> None:
    first = copied(Copy(run=a_run("rain-8"), version=None, files={}), server, "rain-again")
    second = copied(Copy(run=a_run("rain-8"), version=None, files={}), server, "rain-again")
    found = ask(f"{server}/api/2.0/mlflow/experiments/search", max_results=50)["experiments"]
    [place] = [e["experiment_id"] for e in found if e["name"] == "rain-again"]
    runs = ask(f"{server}/api/2.0/mlflow/runs/search", experiment_ids=[place])["runs"]
    assert {run["info"]["run_id"] for run in runs} == {first, second}


def test_a_server_that_is_not_there_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ExportError, match="did not take rain-9"):
            copied(Copy(run=a_run("rain-9"), version=None, files={}), url, "rain")
