"""A real hub takes in models of other libraries: from a file to a signed manifest, and served."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fleetloop_agent.runtime import OrtRuntime
from fleetloop_agent.serving.predictor import Predictor
from fleetloop_hub.errors import BlobError
from fleetloop_hub.records import Run, RunState, Version, VersionState
from fleetloop_hub.run_parts import Imported
from fleetloop_hub.spec import reading as specs
from fleetloop_hub.training.importing import tried
from fleetloop_shared.ids import sha256_hex
from support.agent_board import StandingClock
from support.foreign import EXPECTED, ONNX, data_of, rows_of, spec_text, write_rows
from support.hubrig import HubRig, hub_rig

pytestmark = pytest.mark.integration


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[HubRig]:
    with hub_rig(tmp_path) as made:
        yield made


def start_import(rig: HubRig, name: str, folder: Path) -> str:
    """What the route of the HTTP API does; returns the run's key."""
    write_rows(name, folder)
    said = Imported(file="", sha256="", length_bytes=0)
    imported, data = tried(ONNX / f"{name}.onnx", specs.parse(spec_text(name)), said)
    model = rig.hub.add_model(spec_text(name), folder)
    rig.kept.blobs.put(data)
    return rig.hub.train(model, "person", f"a person imported {name}", "ann", imported)


def run_of(rig: HubRig, key: str) -> Run:
    found = rig.kept.catalog.find(Run, key)
    assert found is not None
    return found


def ended(rig: HubRig, key: str) -> Run:
    rig.until(lambda: run_of(rig, key).state is not RunState.RUNNING)
    return run_of(rig, key)


def test_import_becomes_a_signed_version_with_its_origin_and_is_served(
    rig: HubRig, tmp_path: Path
) -> None:
    name = "torch_image_one_row_new"
    run = ended(rig, start_import(rig, name, tmp_path))
    assert run.error is None
    assert run.imported is not None
    assert run.imported.sha256 == sha256_hex(data_of(name))
    assert run.imported.producer.startswith("pytorch")
    assert run.asked_by == "ann"
    version = rig.kept.catalog.find(Version, "foreign/1")
    assert version is not None
    assert version.state is VersionState.READY
    manifest = rig.hub._registry.manifest(version)
    assert manifest.run == run.key
    predictor = Predictor("station-1", 0, OrtRuntime(), StandingClock())
    artifact = rig.kept.blobs.get(version.artifact)
    predictor.load(manifest, artifact)
    rows = rows_of(EXPECTED[name]["data"])
    said = np.array([answer.label for answer in predictor.predict(rows.x[rows.old :])])
    right = float(np.mean(said == rows.y[rows.old :]))
    assert right == pytest.approx(EXPECTED[name]["value"], abs=0.005)


def test_import_is_done_again_byte_for_byte_and_a_worse_one_is_blocked(
    rig: HubRig, tmp_path: Path
) -> None:
    run = ended(rig, start_import(rig, "lightgbm_wine", tmp_path))
    again = ended(rig, rig.hub.reproduce(run.key, "bob"))
    assert again.reproduction is not None
    assert again.reproduction.equal
    first = rig.kept.catalog.find(Version, "foreign/1")
    assert first is not None
    rig.hub._registry.crown(first)
    ended(rig, start_import(rig, "xgboost_wine", tmp_path))
    second = rig.kept.catalog.find(Version, "foreign/2")
    assert second is not None
    assert second.state is VersionState.BLOCKED
    assert second.manifest is None
    assert [gate.name for gate in second.gates if not gate.passed] == ["champion"]


def test_import_of_a_file_that_is_gone_fails_and_the_hub_goes_on(
    rig: HubRig, tmp_path: Path
) -> None:
    name = "xgboost_wine"
    write_rows(name, tmp_path)
    model = rig.hub.add_model(spec_text(name), tmp_path)
    lost = Imported(file="lost.onnx", sha256="0" * 64, length_bytes=1)
    with pytest.raises(BlobError, match="put it back"):
        rig.hub.train(model, "person", "lost", "ann", lost)
    assert [run.state for run in rig.kept.catalog.all(Run)] == [RunState.FAILED]
    rig.look()
