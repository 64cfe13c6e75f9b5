"""`fleetloop export MODEL --target c`: a folder that compiles, or a refusal that says why."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from fleetloop_shared.codec import encode
from fleetloop_shared.manifest import Manifest
from support import c_programs
from support.c_programs import packed
from support.commands import Run, a_refusal, listening_hub, runner
from support.hubrecords import a_version
from support.hubweb import WebHub


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    return runner(monkeypatch, capsys, tmp_path)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with listening_hub(tmp_path) as hub:
        yield hub


def keep(hub: WebHub, number: int, manifest: Manifest, artifact: bytes) -> Manifest:
    """A signed version of the model m."""
    manifest = msgspec.structs.replace(manifest, model="m", version=number)
    version = msgspec.structs.replace(
        a_version(number),
        key=f"m/{number}",
        model="m",
        artifact=hub.blobs.put(artifact),
        manifest=hub.blobs.put(encode(manifest)),
    )
    hub.catalog.put(version)
    return manifest


@pytest.mark.skipif(c_programs.COMPILER is None, reason=c_programs.WHY)
def test_an_exported_folder_compiles_and_proves_its_golden_vectors(
    run: Run, hub: WebHub, tmp_path: Path
) -> None:
    manifest = keep(hub, 3, *packed("two", "linear"))
    said = run("export", "m")
    assert said.code == 0
    assert "m v3 is in m-3-c: tables " in said.out
    assert "make -C m-3-c check" in said.out
    assert (tmp_path / "m-3-c" / "manifest.json").read_bytes() == encode(manifest)
    made = subprocess.run(
        ["make", "-s", "-C", "m-3-c", "check"],  # noqa: S607  # as a person types it
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    assert made.stdout.endswith("allowed 0.0001: same\n")
    assert made.stderr == ""


def test_the_folder_can_be_chosen_and_a_program_can_read_what_came_of_it(
    run: Run, hub: WebHub, tmp_path: Path
) -> None:
    manifest = keep(hub, 3, *packed("two", "linear"))
    told = json.loads(run("export", "m@3", "--target", "c", "--out", "a/b", "--json").out)
    assert told["artifact"] == manifest.sha256
    assert (told["model"], told["version"], told["folder"]) == ("m", 3, "a/b")
    assert sorted(p.name for p in (tmp_path / "a" / "b").iterdir()) == told["files"]
    assert 0 < told["work_bytes"] < told["table_bytes"]


def test_a_model_that_does_not_fit_is_refused_and_nothing_is_written(
    run: Run, hub: WebHub, tmp_path: Path
) -> None:
    keep(hub, 3, *packed("several", "knn"))
    told = a_refusal(run("export", "m@3"))
    assert "TopK" in told
    assert "what fits: linear, mlp" in told
    assert not (tmp_path / "m-3-c").exists()


def test_an_artifact_that_is_not_the_signed_one_is_refused(
    run: Run, hub: WebHub, tmp_path: Path
) -> None:
    manifest, _ = packed("two", "linear")
    keep(hub, 3, manifest, packed("two", "mlp")[1])
    assert "is not what was signed" in a_refusal(run("export", "m@3"))
    assert not (tmp_path / "m-3-c").exists()


def test_a_folder_that_cannot_be_written_is_told(run: Run, hub: WebHub, tmp_path: Path) -> None:
    keep(hub, 3, *packed("two", "linear"))
    (tmp_path / "taken").write_text("a file")
    assert "cannot be written" in a_refusal(run("export", "m@3", "--out", "taken/c"))


def test_an_unknown_version_is_told_with_those_there_are(run: Run, hub: WebHub) -> None:
    keep(hub, 3, *packed("two", "linear"))
    assert "there are: m@3" in a_refusal(run("export", "m@9"))
