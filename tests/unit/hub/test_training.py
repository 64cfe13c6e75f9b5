"""Whole training runs, in this process: on the real weather, and on rows made to go wrong."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from fleetloop_hub.child import Progress
from fleetloop_hub.errors import TrainingError
from fleetloop_hub.packaging.artifact import Artifact
from fleetloop_hub.records import Dataset, RunState
from fleetloop_hub.spec import reading as specs
from fleetloop_hub.storage.blobs import FileBlobs
from fleetloop_hub.training.job import Champion
from fleetloop_hub.training.run import Output, train
from fleetloop_hub.version_parts import GateResult
from fleetloop_shared.chunks import unpack
from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.manifest import Signature
from fleetloop_shared.manifest_check import check
from support.learnable import (
    SPEC,
    WEATHER,
    YEAR,
    as_champion,
    from_csv,
    job,
    labelled,
    line_text,
    silent,
    summer_samples,
    toy_csv,
    toy_dataset,
    toy_spec,
    with_samples,
    write_winters,
)

RAIN, RAIN_TEXT = specs.load(WEATHER / "rain.toml")


@pytest.fixture
def blobs(tmp_path: Path) -> FileBlobs:
    return FileBlobs(tmp_path / "blobs")


@pytest.fixture
def toy(tmp_path: Path, blobs: FileBlobs) -> Dataset:
    return toy_dataset(blobs, tmp_path)


def missed(output: Output) -> dict[str, GateResult]:
    return {gate.name: gate for gate in output.result.gates if not gate.passed}


def test_winter_model_passes_and_a_summer_model_takes_over(
    tmp_path: Path, blobs: FileBlobs
) -> None:
    winters = from_csv(RAIN, write_winters(tmp_path), blobs, 1.0)
    first = train(job(RAIN_TEXT, winters, blobs), silent)
    assert missed(first) == {}
    assert first.result.parity.artifact_bytes < 0.3 * first.result.parity.float_bytes

    start = int(20 * YEAR) + 60
    wanted = RAIN.retrain.window_rows
    days = [d for d in range(start, start + 12 * wanted) if 60 <= d % YEAR < 244][:wanted]
    summers = with_samples(RAIN, winters, summer_samples(days), blobs, 2.0)
    assert summers.source == f"{wanted:,} labelled rows from 4 devices"
    second = train(job(RAIN_TEXT, summers, blobs, as_champion(first, blobs)), silent)
    assert missed(second) == {}
    assert second.result.run.metrics["gain_balanced_accuracy"] > 0


def test_a_reference_of_few_windows_is_noted_in_the_run(blobs: FileBlobs, tmp_path: Path) -> None:
    few = train(job(line_text(), toy_dataset(blobs, tmp_path), blobs), silent)
    short = line_text().replace("window_rows = 32", "window_rows = 16")
    many = train(job(short, toy_dataset(blobs, tmp_path), blobs), silent)
    assert any("12.5 windows of 32 rows" in note for note in few.result.run.notes)
    assert many.result.run.notes == []


def test_shuffled_labels_are_refused_by_the_floor(tmp_path: Path, blobs: FileBlobs) -> None:
    for seed in range(2):
        path = write_winters(tmp_path, np.random.default_rng(seed))
        output = train(job(RAIN_TEXT, from_csv(RAIN, path, blobs, 1.0), blobs), silent)
        assert "misses the floor" in missed(output)["floor"].text


def test_result_is_whole_and_agrees_with_itself(toy: Dataset, blobs: FileBlobs) -> None:
    told: list[Progress] = []
    output = train(job(SPEC, toy, blobs), told.append)
    result, manifest = output.result, check(output.result.manifest)
    assert sha256_hex(output.artifact) == manifest.sha256
    assert unpack(manifest.transport, output.encoded, 10**6) == output.artifact
    assert manifest.dataset == result.run.dataset == toy.key
    assert (manifest.run, manifest.model, manifest.version) == ("run-1", "toy", 1)
    assert manifest.reference.rows == toy.rows
    assert manifest.thresholds.window_rows == 32
    assert result.run.state is RunState.FINISHED
    assert {c.name for c in result.run.candidates} == {"line", "net"}
    assert result.run.candidates[0].quantized_score >= result.run.candidates[1].quantized_score
    assert all(c.note for c in result.run.candidates)
    assert {"numpy", "scikit-learn", "onnx", "onnxruntime", "python"} <= set(result.run.libraries)
    assert [p.share for p in told] == sorted(p.share for p in told)
    artifact = Artifact(output.artifact, manifest.signature)
    asked = [[np.nan if v is None else v for v in row] for row in manifest.golden.inputs]
    outputs = artifact.outputs(np.array(asked, np.float32))
    np.testing.assert_allclose(outputs, manifest.golden.outputs, atol=manifest.golden.tolerance)


def test_same_rows_and_seed_give_the_same_bytes_and_another_seed_others(
    toy: Dataset, blobs: FileBlobs
) -> None:
    text = line_text().replace('family = "linear"', 'family = "mlp"\nhidden = [64]')
    one, two = (train(job(text, toy, blobs), silent) for _ in range(2))
    other = train(job(text.replace("seed = 3", "seed = 4"), toy, blobs), silent)
    assert one.artifact == two.artifact != other.artifact
    assert msgspec.structs.replace(one.result.manifest, created_at=0.0) == msgspec.structs.replace(
        two.result.manifest, created_at=0.0
    )


def test_held_out_rows_change_nothing_but_the_judgement(tmp_path: Path, blobs: FileBlobs) -> None:
    header, *lines = toy_csv().splitlines()
    newest = [f"{line[:-1]}{1 - int(line[-1])}" for line in lines[320:]]
    honest = toy_dataset(blobs, tmp_path)
    turned = toy_dataset(blobs, tmp_path, "\n".join([header, *lines[:320], *newest]) + "\n")
    one, two = (train(job(line_text(), d, blobs), silent) for d in (honest, turned))
    assert one.artifact == two.artifact
    assert one.result.manifest.signature == two.result.manifest.signature
    assert missed(one) == {}
    assert "floor" in missed(two)


def test_artifact_answers_rows_with_missing_values(tmp_path: Path, blobs: FileBlobs) -> None:
    holes = [
        ",".join("" if (i + k) % 7 == 0 and k in {1, 2} else v for k, v in enumerate(row))
        for i, row in enumerate(line.split(",") for line in toy_csv().splitlines()[1:])
    ]
    dataset = toy_dataset(blobs, tmp_path, "\n".join(["t,a,b,y", *holes]) + "\n")
    output = train(job(line_text(), dataset, blobs), silent)
    rows = np.array([[np.nan, np.nan], [1.0, np.nan]], np.float32)
    scores = Artifact(output.artifact, output.result.manifest.signature).scores(rows)
    assert np.isfinite(scores).all()
    assert missed(output) == {}
    assert all(feature.missing for feature in output.result.manifest.reference.features)


def test_column_without_any_value_and_one_that_never_varies_do_no_harm(
    tmp_path: Path, blobs: FileBlobs
) -> None:
    lines = [line.split(",") for line in toy_csv().splitlines()[1:]]
    text = "\n".join(["t,a,b,c,d,y", *(f"{t},{a},{b},,5,{y}" for t, a, b, y in lines)]) + "\n"
    wide = SPEC.replace(
        '[[candidates]]\nname = "line"',
        '[[features]]\nname = "c"\n[[features]]\nname = "d"\n[[candidates]]\nname = "line"',
    )
    (tmp_path / "wide.csv").write_text(text)
    dataset = from_csv(specs.parse(wide), tmp_path / "wide.csv", blobs, 1.0)
    assert missed(train(job(wide, dataset, blobs), silent)) == {}


def test_candidates_over_the_budget_are_not_taken(toy: Dataset, blobs: FileBlobs) -> None:
    text = SPEC + "\n[budget]\nartifact_bytes = {}\n"
    output = train(job(text.format(600), toy, blobs), silent)
    assert output.result.run.chosen == "line"
    notes = {c.name: c.note for c in output.result.run.candidates}
    assert "of 600 bytes" in notes["net"]
    with pytest.raises(TrainingError, match="name smaller candidates or raise"):
        train(job(text.format(100), toy, blobs), silent)


def test_challenger_worse_than_the_champion_is_refused(
    tmp_path: Path, toy: Dataset, blobs: FileBlobs
) -> None:
    champion = as_champion(train(job(line_text(), toy, blobs), silent), blobs)
    header, *lines = toy_csv(400, 0).splitlines()
    rng = np.random.default_rng(0)
    noisy = [line[:-1] + str(rng.integers(2)) for line in lines[:320]]
    worse = toy_dataset(blobs, tmp_path, "\n".join([header, *noisy, *lines[320:]]) + "\n")
    output = train(job(line_text(), worse, blobs, champion), silent)
    assert "the champion stays" in missed(output)["champion"].text


def test_champion_is_judged_on_the_newest_rows_not_on_those_it_knew(
    toy: Dataset, blobs: FileBlobs
) -> None:
    """The world turns round: what the champion calls yes is no."""
    champion = as_champion(train(job(line_text(), toy, blobs), silent), blobs)
    rng = np.random.default_rng(1)
    samples = [labelled("s", n, [a, 5.0], int(a < 0)) for n, a in enumerate(rng.normal(0, 10, 300))]
    recent = line_text() + '\n[retrain]\nwindow = "sliding"\nwindow_rows = 300\n'
    grown = with_samples(specs.parse(recent), toy, samples, blobs, 2.0)
    metrics = train(job(recent, grown, blobs, champion), silent).result.run.metrics
    assert metrics["champion_balanced_accuracy"] < 0.2
    assert metrics["balanced_accuracy"] > 0.9


def test_champion_with_columns_in_another_order_is_asked_in_its_own(
    toy: Dataset, tmp_path: Path, blobs: FileBlobs
) -> None:
    champion = as_champion(train(job(line_text(), toy, blobs), silent), blobs)
    turned = line_text().replace('name = "a"\nlow = -100.0\nhigh = 100.0', 'name = "x"')
    turned = turned.replace('"b"', '"a"').replace('"x"', '"b"')
    dataset = from_csv(specs.parse(turned), tmp_path / "toy.csv", blobs, 1.0)
    metrics = train(job(turned, dataset, blobs, champion), silent).result.run.metrics
    assert metrics["champion_balanced_accuracy"] > 0.8


def test_champion_that_reads_a_forgotten_column_is_named(
    toy: Dataset, tmp_path: Path, blobs: FileBlobs
) -> None:
    champion = as_champion(train(job(line_text(), toy, blobs), silent), blobs)
    narrow = line_text().replace('[[features]]\nname = "b"\n', "")
    dataset = from_csv(specs.parse(narrow), tmp_path / "toy.csv", blobs, 1.0)
    with pytest.raises(TrainingError, match="the champion reads b"):
        train(job(narrow, dataset, blobs, champion), silent)


def test_files_that_are_gone_or_changed_are_refused(toy: Dataset, blobs: FileBlobs) -> None:
    good = job(line_text(), toy, blobs)
    path = Path(good.dataset_path)
    champion = Champion(path=str(path), sha256="0" * 64, signature=_signature(toy, blobs))
    with pytest.raises(TrainingError, match=r"the champion in .* is not 000000000000"):
        train(msgspec.structs.replace(good, champion=champion), silent)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(TrainingError, match=r"dataset version in .* is not"):
        train(good, silent)
    path.unlink()
    with pytest.raises(TrainingError, match="cannot be read"):
        train(good, silent)


def test_a_handful_of_rows_is_refused_with_what_to_change(tmp_path: Path, blobs: FileBlobs) -> None:
    few = toy_dataset(blobs, tmp_path, "t,a,b,y\n1,1,1,0\n2,1,1,1\n3,1,1,0\n")
    with pytest.raises(TrainingError, match="it needs rows of both classes: add rows"):
        train(job(line_text(), few, blobs), silent)


def test_a_single_class_is_refused(tmp_path: Path, blobs: FileBlobs) -> None:
    dry = toy_dataset(blobs, tmp_path, "t,a,b,y\n" + "".join(f"{t},1,1,0\n" for t in range(50)))
    with pytest.raises(TrainingError, match=r"labels \[0\]; a classification needs"):
        train(job(line_text(), dry, blobs), silent)


def _signature(toy: Dataset, blobs: FileBlobs) -> Signature:
    return train(job(line_text(), toy, blobs), silent).result.manifest.signature


def test_accuracy_answers_yes_from_one_half(toy: Dataset, blobs: FileBlobs) -> None:
    text = line_text() + '\n[gates]\nmetric = "accuracy"\n'
    signature = train(job(text, toy, blobs), silent).result.manifest.signature
    assert signature.decision_threshold == 0.5
    assert toy_spec().gates.metric == "balanced_accuracy"
