"""What a run leaves is kept, and its record stays small."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from fleetloop_hub.errors import DataError
from fleetloop_hub.run_parts import Candidate, Setting
from fleetloop_hub.storage.blobs import FileBlobs
from fleetloop_hub.tracking.comparison import compare
from fleetloop_hub.tracking.kept import cleared, kept, whole
from fleetloop_hub.training import evaluation
from fleetloop_hub.validation import labelled
from support.hubrecords import a_run
from support.past_runs import a_past_run


@pytest.fixture
def blobs(tmp_path: Path) -> FileBlobs:
    return FileBlobs(tmp_path / "blobs")


def searched(number: int) -> Candidate:
    """A candidate with a thousand epochs behind it."""
    [small] = a_run().candidates
    curve = [1 / (epoch + 1 + number) for epoch in range(1_000)]
    return replace(small, name=f"net-{number}", curves={"loss by epoch": curve})


def test_a_run_is_known_from_its_machine_to_its_held_out_answers(
    blobs: FileBlobs, tmp_path: Path
) -> None:
    run = a_past_run(blobs, tmp_path)
    assert run.machine is not None
    assert run.machine.cores >= 1
    assert any(text.startswith("openblas") for text in run.machine.threads)
    assert set(run.artifacts) == {
        "spec.toml",
        "log.txt",
        "artifact.onnx",
        "float.onnx",
        "evaluation.parquet",
        "labelled.parquet",
    }
    held_out = evaluation.decode(blobs.get(run.artifacts["evaluation.parquet"]))
    assert len(held_out.answers) == run.metrics["held_out_rows"]
    assert np.mean(held_out.answers.right) == run.metrics["accuracy"]
    assert np.all(np.diff(held_out.at) > 0)
    rows = labelled.decode(blobs.get(run.artifacts["labelled.parquet"]))
    assert len(rows.values) == run.metrics["held_out_rows"]
    assert np.array_equal(rows.answers.outputs, held_out.answers.outputs)


def test_bulky_candidates_leave_the_record_small_and_come_back_whole(
    blobs: FileBlobs, tmp_path: Path
) -> None:
    tried = [Setting(parameters={"alpha": n / 7}, scores=[n / 9]) for n in range(500)]
    bulky = replace(a_run(), candidates=[searched(n) for n in range(10)], searches={"net-0": tried})
    slim = kept(bulky, tmp_path, blobs)
    assert len(msgspec.json.encode(bulky)) > 100_000
    assert len(msgspec.json.encode(slim)) < 20_000
    assert whole(slim, blobs).candidates == bulky.candidates
    assert whole(slim, blobs).searches == bulky.searches
    forgotten = replace(slim, artifacts={"details.json": "0" * 64})
    assert whole(forgotten, blobs) == forgotten


def test_small_candidates_keep_their_curves(blobs: FileBlobs, tmp_path: Path) -> None:
    [small] = a_run().candidates
    run = replace(a_run(), candidates=[replace(small, curves={"score by fold": [0.8, 0.9]})])
    assert kept(run, tmp_path, blobs).candidates == run.candidates


def test_of_an_endless_log_the_end_is_kept(blobs: FileBlobs, tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_bytes(b"x" * 4_000_000 + b"the last words")
    run = kept(a_run(), tmp_path, blobs)
    log = blobs.get(run.artifacts["log.txt"])
    assert len(log) == 4_000_000
    assert log.endswith(b"the last words")


def test_only_what_is_among_the_blobs_is_cleared(blobs: FileBlobs, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    for name in ("artifact.onnx", "encoded.bin", "float.onnx", "evaluation.parquet", "log.txt"):
        (folder / name).write_text(name)
    cleared(a_run(), folder)  # nothing was kept: no room
    assert len(list(folder.iterdir())) == 5
    cleared(kept(a_run(), folder, blobs), folder)
    assert [file.name for file in folder.iterdir()] == ["log.txt"]
    cleared(a_run(), tmp_path / "nowhere")


@pytest.mark.parametrize("data", [b"", b"PAR1", b"PAR1" + b"\xff" * 50 + b"PAR1"])
def test_what_is_no_evaluation_is_told(data: bytes) -> None:
    with pytest.raises(DataError, match="train again"):
        evaluation.decode(data)


def test_an_evaluation_cut_anywhere_is_told(blobs: FileBlobs, tmp_path: Path) -> None:
    whole_file = blobs.get(a_past_run(blobs, tmp_path).artifacts["evaluation.parquet"])
    for cut in range(1, len(whole_file), max(1, len(whole_file) // 50)):
        with pytest.raises(DataError):
            evaluation.decode(whole_file[:cut])


def test_comparing_shows_what_differs_and_all_only_if_asked() -> None:
    first, second = a_run("run-1"), replace(a_run("run-2"), seed=8, metrics={"f1": 0.5})
    found = compare([first, second])
    assert [row.name for row in found.parts["made of"]] == ["seed"]
    assert found.parts["made of"][0].values == ["7", "8"]
    assert found.parts["metrics"][0].values == ["", "0.5000"]
    assert found.parts["parameters"] == found.parts["scores of candidates"] == []
    everything = compare([first, second], everything=True)
    assert len(everything.parts["made of"]) > 5
    assert everything.parts["parameters"][0].values == ["small", "small"]


def test_intervals_stand_beside_their_metric() -> None:
    scored = {"f1": 0.5, "f1_low": 0.4, "f1_high": 0.6, "held_out_rows": 100.0}
    found = compare([a_run("run-1"), replace(a_run("run-2"), metrics=scored)])
    rows = {row.name: row.values[1] for row in found.parts["metrics"]}
    assert rows == {"f1": "0.5000 (0.4000 to 0.6000)", "held_out_rows": "100"}
