"""Batch scoring: the numbers are those of a device, no row is lost, no output is half-written."""

import errno
import gzip
import json
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from fleetloop_agent.errors import InputError
from fleetloop_agent.runtime import OrtRuntime
from fleetloop_agent.serving.predictor import Predictor
from fleetloop_agent.serving.records import Answer
from fleetloop_hub.errors import DataError
from fleetloop_hub.scoring import answering, job, outputs
from fleetloop_hub.scoring.job import Task, score
from fleetloop_hub.spec.scalars import Family
from fleetloop_shared.errors import DiskFullError
from fleetloop_shared.manifest import Manifest
from support.agent_board import StandingClock
from support.scored import Row, quantized, released, rows_of, write

KINDS: list[tuple[str, Family]] = [
    ("two classes", "mlp"),
    ("three classes", "random-forest"),
    ("values", "linear"),
    ("two classes", "gradient-boosting"),
    ("oddities", "isolation-forest"),
]


def quiet(share: float, rows: int) -> None:
    """Show nothing."""


def device(manifest: Manifest, artifact: bytes, rows: list[Row]) -> list[Answer]:
    """What a device answers, asked row by row."""
    predictor = Predictor("d", 1, OrtRuntime(), StandingClock())
    predictor.load(manifest, artifact)
    return [predictor.predict([row])[0] for row in rows]


def read(path: Path) -> pa.Table:
    if path.suffix == ".parquet":
        return pq.read_table(path)
    if path.suffix == ".csv":
        return pa_csv.read_csv(path)
    return pa.Table.from_pylist([json.loads(line) for line in path.read_text().splitlines()])


def run(model: tuple[Manifest, bytes], source: Path, target: Path) -> job.Scored:
    return score(Task(*model, source, target), quiet)


@pytest.mark.parametrize("form", ["csv", "parquet", "jsonl"])
@pytest.mark.parametrize(("kind", "family"), KINDS)
def test_answers_are_bit_for_bit_those_of_a_device(
    tmp_path: Path, kind: str, family: Family, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "_AT_ONCE", 64)
    model, rows = released(kind, family), rows_of(kind, 150)
    source = write(tmp_path / f"in.{form}", rows)
    scored = run(model, source, tmp_path / f"out.{form}")
    assert (scored.rows, scored.rejected, scored.rejects) == (150, 0, None)
    found = read(tmp_path / f"out.{form}")
    said = device(*model, rows)
    assert found.column("score").to_pylist() == [answer.score for answer in said]
    assert found.column("answer").to_pylist() == [answer.label for answer in said]
    assert found.column("version").to_pylist() == [3] * 150
    assert set(found.column("artifact").to_pylist()) == {model[0].sha256}


def test_company_never_changes_an_answer(tmp_path: Path) -> None:
    model, rows = quantized(tmp_path), rows_of("two classes", 100)
    run(model, write(tmp_path / "in.csv", rows), tmp_path / "out.parquet")
    alone = [answer.score for answer in device(*model, rows)]
    assert read(tmp_path / "out.parquet").column("score").to_pylist() == alone
    predictor = Predictor("d", 1, OrtRuntime(), StandingClock())
    predictor.load(*model)
    together = [answer.score for answer in predictor.predict(rows)]
    assert together != alone, "this model cannot show what company does"


def test_columns_the_model_does_not_take_are_kept(tmp_path: Path) -> None:
    model, rows = released("two classes", "mlp"), rows_of("two classes", 3)
    kept: dict[str, list[object]] = {
        "prediction_id": ["d.1.1", "d.1.2", "d.1.3"],
        "score": [7, 8, 9],
    }
    run(model, write(tmp_path / "in.parquet", rows, **kept), tmp_path / "out.parquet")
    found = read(tmp_path / "out.parquet")
    assert found.column_names[:3] == ["line", "prediction_id", "input_score"]
    assert found.column("prediction_id").to_pylist() == kept["prediction_id"]
    assert found.column("input_score").to_pylist() == [7, 8, 9]


def test_rows_without_an_answer_stand_in_a_file_with_every_reason(tmp_path: Path) -> None:
    model = released("two classes", "mlp")
    lines = ["id,a,b,c,d", "1,1,2,3,x", "2,warm,2,1e300,x", "3,1,2", "4,inf,-inf,3,y", "5,1,,,"]
    (tmp_path / "in.csv").write_text("\n".join(lines) + "\n")
    scored = run(model, tmp_path / "in.csv", tmp_path / "out.csv")
    assert (scored.rows, scored.rejected) == (2, 3)
    assert read(tmp_path / "out.csv").column("id").to_pylist() == [1, 5]
    assert scored.rejects == tmp_path / "out.csv.rejects.jsonl"
    told = {r["line"]: r for r in read(scored.rejects).to_pylist()}
    assert told[3]["reasons"] == ["a is not a number", "c is too large for float32"]
    assert told[3]["row"] == "2,warm,2,1e300,x"
    assert "fewer fields" in told[4]["reasons"][0]
    assert told[5]["reasons"] == ["a, b is infinite: the model has no answer to it"]
    (tmp_path / "in.csv").write_text("\n".join(lines[:2]) + "\n")
    assert run(model, tmp_path / "in.csv", tmp_path / "out.csv").rejects is None
    assert not scored.rejects.exists(), "rejects of the earlier run would mislead"


def test_rows_that_devices_refuse_are_rejected(tmp_path: Path) -> None:
    manifest, artifact = released("two classes", "mlp")
    features = list(manifest.signature.features)
    features[0] = msgspec.structs.replace(features[0], low=0.0, out_of_range="refuse")
    features[3] = msgspec.structs.replace(features[3], out_of_range="refuse")
    form = msgspec.structs.replace(manifest.signature, features=features)
    model = msgspec.structs.replace(manifest, signature=form), artifact
    rows = rows_of("two classes", 40)
    scored = run(model, write(tmp_path / "in.csv", rows), tmp_path / "out.csv")
    refused = []
    for line, row in enumerate(rows, start=2):
        try:
            device(*model, [row])
        except InputError:
            refused.append(line)
    assert scored.rejects is not None
    told = {r["line"]: r["reasons"] for r in read(scored.rejects).to_pylist()}
    assert sorted(told) == refused
    assert {reason for reasons in told.values() for reason in reasons} == {
        "a is out of range: devices refuse it",
        "d is out of range: devices refuse it",
    }


def test_category_in_a_file_of_texts_may_be_a_number(tmp_path: Path) -> None:
    manifest, artifact = released("two classes", "mlp")
    (tmp_path / "in.csv").write_text("a,b,c,d\n1,2,3,x\n1,2,3, x \n1,2,3,other\n")
    run((manifest, artifact), tmp_path / "in.csv", tmp_path / "out.csv")
    scores = read(tmp_path / "out.csv").column("score").to_pylist()
    assert scores[0] == scores[1]
    assert scores[0] != scores[2]


def test_gzip_and_an_empty_table_are_read(tmp_path: Path) -> None:
    model = released("three classes", "random-forest")
    (tmp_path / "in.csv.gz").write_bytes(gzip.compress(b"a,b,c,d\n1,2,3,x\n"))
    assert run(model, tmp_path / "in.csv.gz", tmp_path / "out.jsonl").rows == 1
    (tmp_path / "none.csv").write_text("a,b,c,d\n")
    for form in ("csv", "parquet", "jsonl"):
        assert run(model, tmp_path / "none.csv", tmp_path / f"none-out.{form}").rows == 0
        assert (tmp_path / f"none-out.{form}").exists()


@pytest.mark.parametrize(
    ("source", "target", "says"),
    [
        ("nowhere.csv", "out.csv", "nowhere"),
        ("in.csv", "out.xlsx", r"\.csv, \.parquet or \.jsonl"),
        ("in.csv", "in.csv", "name another one"),
        ("in.csv", "no/out.csv", "no folder"),
        ("lacks.csv", "out.csv", "lacks 'c', 'd', which the model takes"),
        ("bad.parquet", "out.csv", r"bad\.parquet"),
    ],
)
def test_what_cannot_be_scored_is_said_and_leaves_nothing(
    tmp_path: Path, source: str, target: str, says: str
) -> None:
    write(tmp_path / "in.csv", rows_of("two classes", 3))
    (tmp_path / "lacks.csv").write_text("a,b\n1,2\n")
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 no")
    before = {file: file.read_bytes() for file in tmp_path.iterdir()}
    with pytest.raises(DataError, match=says):
        run(released("two classes", "mlp"), tmp_path / source, tmp_path / target)
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_artifact_of_another_manifest_is_refused(tmp_path: Path) -> None:
    manifest, artifact = released("two classes", "mlp")
    write(tmp_path / "in.csv", rows_of("two classes", 3))
    with pytest.raises(DataError, match="not the manifest's"):
        run((manifest, artifact + b"\0"), tmp_path / "in.csv", tmp_path / "out.csv")


@pytest.mark.parametrize("at", [0, 1, 2])
def test_full_disk_leaves_the_earlier_output_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    monkeypatch.setattr(answering, "_AT_ONCE", 50)
    writes = iter(range(10))
    real = outputs.Lines.write

    def write_some(self: outputs.Lines, table: pa.Table) -> None:
        if next(writes) == at:
            raise OSError(errno.ENOSPC, "no space left on device")
        real(self, table)

    monkeypatch.setattr(outputs.Lines, "write", write_some)
    write(tmp_path / "in.csv", rows_of("two classes", 150))
    (tmp_path / "out.jsonl").write_text("earlier")
    with pytest.raises(DiskFullError, match="as it was"):
        run(released("two classes", "mlp"), tmp_path / "in.csv", tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl").read_text() == "earlier"
    assert {file.name for file in tmp_path.iterdir()} == {"in.csv", "out.jsonl"}


def test_progress_is_told_up_to_the_end(tmp_path: Path) -> None:
    write(tmp_path / "in.csv", rows_of("values", 20))
    told: list[tuple[float, int]] = []
    task = Task(*released("values", "linear"), tmp_path / "in.csv", tmp_path / "out.csv")
    score(task, lambda share, rows: told.append((share, rows)))
    assert told[-1] == (1.0, 20)
    assert np.all(np.diff([share for share, _ in told]) >= 0)
