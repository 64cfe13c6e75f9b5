"""Models of PyTorch, XGBoost, LightGBM and scikit-learn become artifacts that answer the same."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from fleetloop_agent.runtime import OrtRuntime
from fleetloop_agent.serving.predictor import Predictor
from fleetloop_hub.errors import ModelFileError
from fleetloop_hub.packaging.artifact import Artifact
from fleetloop_hub.storage.blobs import FileBlobs
from fleetloop_hub.training.imported import Entered
from fleetloop_hub.training.run import train
from fleetloop_hub.validation.metrics import Answers, measure
from fleetloop_shared.manifest_check import check
from support.agent_board import StandingClock
from support.foreign import EXPECTED, data_of, entered, import_job, rows_of
from support.learnable import silent
from support.onnx_files import linear, model, node, value

CONVERTED_ROUGHLY = {"lightgbm_diabetes": 0.01}
"""What onnxmltools has written answers one of the 88 rows otherwise than LightGBM, by 19.4."""

LARGEST_LOSS = 0.005
"""What the spec allows unless it says otherwise."""


def newest(name: str) -> tuple[np.ndarray, np.ndarray]:
    rows = rows_of(EXPECTED[name]["data"])
    truth = (rows.y == 0) if EXPECTED[name]["task"] == "anomaly" else rows.y
    return rows.x[rows.old :], truth[rows.old :].astype(np.float64)


def quality(name: str, made: Entered, data: bytes) -> float:
    x, truth = newest(name)
    outputs = Artifact(data, made.signature).outputs(x)
    return measure(EXPECTED[name]["metric"], Answers(truth, outputs, made.signature))


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_import_is_as_good_as_the_library_it_comes_from(name: str) -> None:
    made, expected = entered(name), EXPECTED[name]
    within = CONVERTED_ROUGHLY.get(name, 1e-4)
    assert quality(name, made, made.packed.float_data) == pytest.approx(
        expected["value"], abs=within
    )
    least = expected["value"] - within - LARGEST_LOSS
    assert quality(name, made, made.packed.data) >= least
    if not name.startswith("scikit"):
        assert len(made.packed.data) < 0.8 * len(made.packed.float_data)
    x, _ = newest(name)
    answers = np.array(expected["answers"])
    ours = Artifact(made.packed.float_data, made.signature).outputs(x)[: len(answers)]
    if expected["task"] == "anomaly":
        assert (ours[:, 1].argsort() == answers[:, 0].argsort()).all()
    else:
        np.testing.assert_allclose(ours, answers, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["torch_dense_old", "torch_image", "scikit_wine"])
def test_missing_values_are_filled_where_the_model_does_not_know_them(name: str) -> None:
    made = entered(name)
    x, _ = newest(name)
    lacking = np.where(np.arange(x.shape[1]) % 2 == 0, np.nan, x[:5]).astype(np.float32)
    rows = rows_of(EXPECTED[name]["data"])
    train = rows.x[: round(rows.old * 0.8)]
    filled = np.where(np.isnan(lacking), np.median(train, axis=0), lacking).astype(np.float32)
    artifact = Artifact(made.packed.float_data, made.signature)
    np.testing.assert_array_equal(artifact.outputs(lacking), artifact.outputs(filled))
    assert any("does not know missing values" in note for note in made.notes)


@pytest.mark.parametrize("name", ["xgboost_wine", "lightgbm_breast_cancer"])
def test_missing_values_reach_trees_that_know_them(name: str) -> None:
    made = entered(name)
    assert any("given to it as they are" in note for note in made.notes)
    assert b"IsNaN" not in made.packed.data


def test_nothing_of_the_machine_it_was_made_on_travels() -> None:
    made = entered("torch_dense")
    graph = onnx.load_from_string(made.packed.float_data)
    assert not any(n.metadata_props or n.name or n.doc_string for n in graph.graph.node)
    assert len(made.packed.float_data) < len(data_of("torch_dense"))


def test_limits_that_the_spec_declares_hold_inside_the_graph() -> None:
    clipped = '[[features]]\nname = "f0"\nlow = 11.5\nhigh = 14.0\noutside = "clip"'
    made = entered("xgboost_wine", change=('[[features]]\nname = "f0"', clipped))
    x, _ = newest("xgboost_wine")
    far, near = x[:5].copy(), x[:5].copy()
    far[:, 0], near[:, 0] = 99.0, 14.0
    artifact = Artifact(made.packed.data, made.signature)
    np.testing.assert_array_equal(artifact.outputs(far), artifact.outputs(near))


def test_model_that_answers_otherwise_than_the_spec_says_is_refused() -> None:
    with pytest.raises(ModelFileError, match="a row of 13 values, but the spec names 30 features"):
        entered("xgboost_breast_cancer", data=data_of("xgboost_wine"))
    with pytest.raises(ModelFileError, match="30 values, but the spec names 13 features"):
        entered("xgboost_wine", data=data_of("xgboost_breast_cancer"))
    three = model(
        [node("MatMul", "x", "w")],
        inputs=[value("x", ("rows", 30))],
        outputs=[value("y", ("rows", 3))],
        weights={"w": np.ones((30, 3), np.float32)},
    )
    with pytest.raises(ModelFileError, match="3 numbers a row, but there are 2 classes"):
        entered("torch_logit", data=three.SerializeToString())


def test_places_of_categories_that_are_looked_up_are_filled_before_they_are_whole_numbers() -> None:
    table = np.random.default_rng(0).normal(size=(17, 10)).astype(np.float32)
    found = model(
        [
            node("Gather", "table", "x", output="looked up", axis=0),
            node("ReduceSum", "looked up", "second", keepdims=0),
        ],
        inputs=[value("x", ("rows", 64), TensorProto.INT64)],
        outputs=[value("y", ("rows", 10))],
        weights={"table": table, "second": np.array([1], np.int64)},
    )
    made = entered("torch_dense", data=found.SerializeToString())
    x, _ = newest("torch_dense")
    artifact = Artifact(made.packed.float_data, made.signature)
    raw = table[x[:4].astype(int)].sum(axis=1)
    power = np.exp(raw - raw.max(axis=1, keepdims=True))
    wanted = power / power.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(artifact.outputs(x[:4]), wanted, atol=1e-5)
    assert np.isfinite(artifact.outputs(np.full((1, 64), np.nan, np.float32))).all()


def test_file_that_was_changed_or_is_gone_is_not_taken(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"cannot be read.*import it again"):
        entered("xgboost_wine", path=tmp_path / "gone.onnx")
    (tmp_path / "other.onnx").write_bytes(linear().SerializeToString())
    with pytest.raises(ModelFileError, match=r"is not .*: import it again"):
        entered("xgboost_wine", path=tmp_path / "other.onnx")


@pytest.mark.parametrize("name", ["torch_logit", "scikit_wine_names"])
def test_import_goes_the_whole_way_to_a_manifest_and_is_served(name: str, tmp_path: Path) -> None:
    output = train(import_job(name, FileBlobs(tmp_path / "blobs"), tmp_path), silent)
    run, manifest = output.result.run, check(output.result.manifest)
    assert [gate.text for gate in output.result.gates if not gate.passed] == []
    assert run.imported is not None
    assert run.imported.file == f"{name}.onnx"
    assert run.chosen == "imported"
    assert run.candidates[0].parameters["family"] == "imported"
    assert run.metrics[EXPECTED[name]["metric"]] == pytest.approx(EXPECTED[name]["value"])
    x, truth = newest(name)
    predictor = Predictor("station-1", 0, OrtRuntime(), StandingClock())
    predictor.load(manifest, output.artifact)
    said = [answer.label for answer in predictor.predict(x)]
    assert np.mean(np.array(said) == truth) == pytest.approx(EXPECTED[name]["value"])
