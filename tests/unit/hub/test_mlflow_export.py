"""What of a run an MLflow server is told, and what happens where mlflow is not installed."""

import sys

import pytest
from msgspec.structs import replace

from fleetloop_hub.errors import ExportError
from fleetloop_hub.records import Run
from fleetloop_hub.tracking.mlflow_export import Copy, copied, metrics, parameters, tags
from support.hubrecords import a_run


@pytest.fixture
def run() -> Run:
    [small] = a_run().candidates
    taken = replace(
        small,
        parameters={"alpha": 0.5, "hidden": [8, 4]},
        curves={"validation loss": [0.9, 0.5]},
        fold_scores=[0.8, 0.7],
    )
    other = replace(small, name="other: #2", parameters={"trees": 9})
    return replace(
        a_run(), candidates=[taken, other], metrics={"f1": 0.5, "f1_low": 0.4}, asked_by="ann"
    )


def test_settings_of_the_taken_candidate_are_the_parameters(run: Run) -> None:
    told = parameters(run)
    assert told["alpha"] == "0.5"
    assert told["hidden"] == "[8, 4]"
    assert told["taken"] == "small"
    assert "trees" not in told


def test_curves_have_steps_and_names_that_mlflow_takes(run: Run) -> None:
    told = list(metrics(run))
    assert ("small/validation loss", 0.9, 1) in told
    assert ("small/validation loss", 0.5, 2) in told
    assert ("small/fold_score", 0.7, 2) in told
    assert ("f1_low", 0.4, 0) in told
    assert ("other_ _2/score", 0.82, 0) in told


def test_hashes_version_and_reason_are_tags(run: Run) -> None:
    told = tags(run, "rain@4")
    assert told["fleetloop.dataset_sha256"] == run.dataset
    assert told["fleetloop.spec_sha256"] == run.spec
    assert told["fleetloop.version"] == "rain@4"
    assert told["mlflow.user"] == "ann"
    assert "fleetloop.error" not in told


def test_without_mlflow_the_command_to_install_it_is_told(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(ExportError, match=r"pip install 'fleetloop-hub\[mlflow\]'"):
        copied(Copy(run=run, version=None, files={}), "http://127.0.0.1:1", "rain")
