"""`fleetloop predict`: a version comes from the hub or from two files; the exit code tells."""

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from fleetloop_hub.records import Alias
from fleetloop_shared.codec import encode
from support.commands import Run, a_refusal, listening_hub, runner
from support.hubrecords import a_version
from support.hubweb import WebHub, problem, web_hub
from support.scored import released, rows_of, write


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    write(tmp_path / "in.csv", rows_of("two classes", 20))
    return runner(monkeypatch, capsys, tmp_path)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with listening_hub(tmp_path) as hub:
        keep(hub, tmp_path)
        yield hub


def keep(hub: WebHub, folder: Path) -> None:
    """A blocked version 2 and a signed version 3, which is not the champion yet."""
    manifest, artifact = released("two classes", "mlp")
    version = msgspec.structs.replace(
        a_version(3),
        key="m/3",
        model="m",
        artifact=hub.blobs.put(artifact),
        manifest=hub.blobs.put(encode(manifest)),
    )
    blocked = msgspec.structs.replace(
        a_version(2, passes=False), key="m/2", model="m", artifact="0" * 64, manifest=None
    )
    hub.catalog.put(version, blocked)


def test_newest_version_is_asked_where_there_is_no_champion(
    run: Run, hub: WebHub, tmp_path: Path
) -> None:
    said = run("predict", "m", "in.csv", "out.parquet")
    assert said.code == 0
    assert "m v3 answered 20 rows" in said.out
    assert (tmp_path / "out.parquet").exists()
    hub.catalog.put(Alias(key="m/champion", version=3))
    told = json.loads(run("predict", "m@champion", "in.csv", "out.csv", "--json").out)
    assert (told["version"], told["rows"], told["rejected"]) == (3, 20, 0)
    assert told["artifact"] == released("two classes", "mlp")[0].sha256


def test_versions_that_cannot_be_asked_are_named(run: Run, hub: WebHub) -> None:
    assert "there are: m@3, m@2" in a_refusal(run("predict", "m@9", "in.csv", "out.csv"))
    assert "there is no signed manifest: m/2 is blocked" in a_refusal(
        run("predict", "m@2", "in.csv", "out.csv")
    )
    assert "there is no model snow; there are: m" in a_refusal(
        run("predict", "snow", "in.csv", "out.csv")
    )


def test_two_local_files_need_no_hub(run: Run, tmp_path: Path) -> None:
    manifest, artifact = released("two classes", "mlp")
    (tmp_path / "m.onnx").write_bytes(artifact)
    (tmp_path / "m.json").write_bytes(encode(manifest))
    pair = ("--artifact", "m.onnx", "--manifest", "m.json")
    assert run("predict", "m", "in.csv", "out.jsonl", *pair).code == 0
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 20
    assert "is of the model m" in a_refusal(run("predict", "x", "in.csv", "out.csv", *pair))
    assert "belong together" in a_refusal(run("predict", "m", "in.csv", "out.csv", *pair[:2]))
    missing = ("--artifact", "m.onnx", "--manifest", "no.json")
    assert "no.json" in a_refusal(run("predict", "m", "in.csv", "out.csv", *missing))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[" * 100_000,
        encode({"payloadType": "application/x", "payload": ""}),
    ],
    ids=["empty", "no keys", "deep", "an envelope"],
)
def test_what_is_no_manifest_is_refused(run: Run, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "m.onnx").write_bytes(b"onnx")
    (tmp_path / "m.json").write_bytes(data)
    pair = ("--artifact", "m.onnx", "--manifest", "m.json")
    assert "manifest" in a_refusal(run("predict", "m", "in.csv", "out.csv", *pair))


def test_rows_without_an_answer_end_with_three(run: Run, tmp_path: Path) -> None:
    manifest, artifact = released("two classes", "mlp")
    (tmp_path / "m.onnx").write_bytes(artifact)
    (tmp_path / "m.json").write_bytes(encode(manifest))
    (tmp_path / "in.csv").write_text("a;b;c;d\n1;2;3;x\n1;two;3;x\n")
    pair = ("--artifact", "m.onnx", "--manifest", "m.json")
    said = run("predict", "m", "in.csv", "out.csv", "--delimiter", ";", *pair)
    assert said.code == 3
    assert "1 rows were not answered" in said.err
    assert "b is not a number" in (tmp_path / "out.csv.rejects.jsonl").read_text()


def test_version_its_artifact_and_its_manifest_have_addresses(tmp_path: Path) -> None:
    manifest, artifact = released("two classes", "mlp")
    with web_hub(tmp_path) as hub:
        keep(hub, tmp_path)
        client = hub.client()
        told = client.get("/api/v1/versions/m/3")
        assert json.loads(told.data)["artifact"] == manifest.sha256
        assert client.get("/api/v1/versions/m/newest/artifact").data == artifact
        assert client.get("/api/v1/versions/m/3/manifest").data == encode(manifest)
        assert "blocked" in problem(client.get("/api/v1/versions/m/2/manifest"), 409)["detail"]
        assert "m@3" in problem(client.get("/api/v1/versions/m/7"), 404)["detail"]
