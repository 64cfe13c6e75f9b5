"""Asking a hub to take in a file: by its HTTP API, and by the command line."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetloop_hub.packaging import foreign_trial
from fleetloop_hub.run_parts import Imported
from fleetloop_shared.ids import sha256_hex
from support.commands import Run, listening_hub, runner
from support.foreign import ONNX, data_of, spec_text
from support.hubweb import ADMIN, WebHub, problem, web_hub

NAME = "xgboost_wine"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with web_hub(tmp_path) as hub:
        yield hub


def ask(file: Path | str, spec: str | None = None, **said: str) -> dict[str, str]:
    return {
        "spec": spec_text(NAME) if spec is None else spec,
        "folder": "/data",
        "file": str(file),
        **said,
    }


def test_file_that_passes_its_trial_is_kept_and_a_run_is_started(hub: WebHub) -> None:
    body = ask(ONNX / f"{NAME}.onnx", activation="none", by="ann")
    answer = hub.client().post("/api/v1/imports", json=body, headers=ADMIN)
    assert answer.status_code == 201
    data = data_of(NAME)
    added, trained = hub.actions.asked
    assert added == ("model", body["spec"], Path("/data"))
    assert trained[:5] == ("train", "rain", "person", f"a person imported {NAME}.onnx", "ann")
    imported = trained[5]
    assert isinstance(imported, Imported)
    assert imported.sha256 == sha256_hex(data)
    assert (imported.file, imported.length_bytes) == (f"{NAME}.onnx", len(data))
    assert (imported.producer, imported.activation) == ("OnnxMLTools 1.16.0", "none")
    assert hub.blobs.get(imported.sha256) == data


def test_refused_file_leaves_nothing_behind(hub: WebHub, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.onnx"
    wrong.write_bytes(data_of("xgboost_diabetes"))
    os.mkfifo(tmp_path / "pipe")
    for file, words in (
        (wrong, "a row of 10 values, but the spec names 13 features"),
        (ONNX / "expected.json", "not ONNX but JSON"),
        (tmp_path, "is no file on the hub's machine"),
        (tmp_path / "pipe", "is no file on the hub's machine"),
        (tmp_path / "nowhere.onnx", "is no file on the hub's machine"),
    ):
        answer = hub.client().post("/api/v1/imports", json=ask(file), headers=ADMIN)
        assert words in problem(answer, 422)["detail"]
    assert hub.actions.asked == []
    assert not list((tmp_path / "blobs").rglob("*/*"))


def test_spec_and_body_are_read_before_the_file(
    hub: WebHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreign_trial, "_COMMAND", ["/nowhere"])
    file = ONNX / f"{NAME}.onnx"
    answer = hub.client().post("/api/v1/imports", json=ask(file, spec="[model"), headers=ADMIN)
    assert "not TOML" in problem(answer, 422)["detail"]
    body = ask(file, activation="tanh")
    answer = hub.client().post("/api/v1/imports", json=body, headers=ADMIN)
    assert "tanh" in problem(answer, 400)["detail"]


def test_command_says_that_a_gate_blocks_the_import(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    run: Run = runner(monkeypatch, capsys, tmp_path)
    (tmp_path / "wine.toml").write_text(spec_text(NAME))
    (tmp_path / "wine.onnx").write_bytes(data_of(NAME))
    with listening_hub(tmp_path) as hub:
        hub.actions.gate_passes = False
        said = run("models", "import", "wine.onnx", "--spec", "wine.toml")
    assert said.code == 1
    assert "is blocked" in said.out


def test_command_asks_waits_and_shows_the_gates(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    run: Run = runner(monkeypatch, capsys, tmp_path)
    (tmp_path / "wine.toml").write_text(spec_text(NAME))
    (tmp_path / "wine.onnx").write_bytes(data_of(NAME))
    command = ("models", "import", "wine.onnx", "--spec", "wine.toml")
    with listening_hub(tmp_path) as hub:
        said = run(*command, "--activation", "none", "--output", "probabilities")
        assert said.code == 0
        assert "has passed its gates" in said.out
        imported = hub.actions.asked[1][5]
        assert isinstance(imported, Imported)
        assert (imported.output, imported.activation) == ("probabilities", "none")
        (tmp_path / "wine.onnx").write_bytes(b"PK\x03\x04")
        said = run(*command)
        assert said.code == 1
        assert "not ONNX but a zip archive" in said.err
    assert "--activation" in run("models", "import", "--help").out
