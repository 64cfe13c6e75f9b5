"""What labels say of a champion: proven or not, shared or one device's, and the version before."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from fleetloop_hub.records import Alias, Version, VersionState
from fleetloop_hub.retraining.evidence import LabelLoss
from fleetloop_hub.retraining.label_losses import LabelLosses
from fleetloop_hub.retraining.predecessors import Predecessors
from fleetloop_hub.retraining.ranked import RankedTest
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.tracking.registry import Registry
from fleetloop_shared.codec import encode
from fleetloop_shared.estimate.records import LabelEvidence
from fleetloop_shared.reports import HealthReport
from support import accuracy
from support.hubparts import Parts, parts
from support.hubrecords import a_health, a_version
from support.learnable import labelled, toy_spec
from support.serving_rig import model

SPEC = toy_spec()
EVIDENCE = LabelEvidence(
    labels=60,
    metric="accuracy",
    value=0.5,
    demanded=0.7,
    demanded_by="gate",
    e_value=200.0,
    largest=200.0,
    alarm=True,
)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Parts]:
    with parts(tmp_path) as made:
        yield made


def look(kept: Parts, since: float | None = None, spec: ModelSpec = SPEC) -> LabelLoss:
    found = LabelLosses(kept.telemetry).look(accuracy.manifest(), spec, since, ())
    assert found is not None
    return found


def test_without_labels_nothing_is_said(kept: Parts) -> None:
    assert LabelLosses(kept.telemetry).look(accuracy.manifest(), SPEC, None, ()) is None


def test_answers_that_are_wrong_everywhere_prove_a_loss(kept: Parts) -> None:
    for device in ("a", "b", "c"):
        accuracy.label(kept.telemetry, device, 200, wrong=2)
    loss = look(kept)
    assert (loss.proven, loss.shared, loss.device, loss.well) == (True, True, "", False)
    assert loss.labels == 600
    assert loss.text.endswith("0.700 demanded by the gate: not kept (risk of error 1 %)")


def test_wrong_answers_of_one_device_prove_nothing_about_the_model(kept: Parts) -> None:
    for device, wrong in (("a", 10), ("b", 1), ("c", 10), ("d", 10)):
        accuracy.label(kept.telemetry, device, 200, wrong=wrong)
    loss = look(kept)
    assert (loss.proven, loss.shared, loss.device) == (True, False, "b")


def test_of_two_devices_nobody_can_tell_which_is_wrong(kept: Parts) -> None:
    for device, wrong in (("a", 10), ("b", 1)):
        accuracy.label(kept.telemetry, device, 200, wrong=wrong)
    loss = look(kept)
    assert (loss.proven, loss.shared, loss.device) == (True, False, "")


def test_only_labels_of_rows_since_the_drift_say_that_all_is_well(kept: Parts) -> None:
    accuracy.label(kept.telemetry, "a", 400, wrong=10)
    assert look(kept).well
    assert not look(kept, since=1e18).well


def test_labels_are_weighed_once_as_they_come(kept: Parts) -> None:
    losses = LabelLosses(kept.telemetry)
    accuracy.label(kept.telemetry, "a", 50, wrong=10)
    first = losses.look(accuracy.manifest(), SPEC, None, ())
    assert losses.look(accuracy.manifest(), SPEC, None, ()) == first
    assert len(losses.newest("storm")) == 50
    accuracy.label(kept.telemetry, "b", 30, wrong=10)
    after = losses.look(accuracy.manifest(), SPEC, None, ())
    assert after is not None
    assert after.labels == 80


def test_devices_that_know_it_by_labels_of_their_own_are_heard(kept: Parts) -> None:
    health = a_health(9)
    assert isinstance(health, HealthReport)
    for device, alarm in (("a", True), ("b", True), ("c", False)):
        said = replace(
            health,
            device=device,
            model="storm",
            version=1,
            evidence=replace(EVIDENCE, alarm=alarm),
        )
        kept.telemetry.store([("health", encode(said), said)])
    loss = look(kept)
    assert (loss.proven, loss.shared) == (True, True)
    assert loss.text.startswith("2 of 3 devices say by labels of their own")
    one = replace(SPEC, retrain=replace(SPEC.retrain, drift_devices=1.0))
    assert not look(kept, spec=one).shared


# --- rare classes --------------------------------------------------------------------------------


def ranked(lift: float, rows: int = 3_000) -> RankedTest:
    """A rare class whose rows score higher by so much."""
    rng = np.random.default_rng(4)
    gates = replace(SPEC.gates, metric="average_precision", floor=0.3)
    test = RankedTest(model()[0].signature, gates, 1)
    truth = rng.random(rows) < 0.04
    scores = 1 / (1 + np.exp(-(rng.normal(size=rows) + lift * truth)))
    told = []
    for k in range(rows):
        one = labelled(f"d{k % 5}", k, [0.0, 0.0], int(truth[k]))
        told.append(type(one)(one.device, replace(one.sample, score=float(scores[k])), one.label))
    test.look(rows, told)
    return test


def test_rank_metric_of_a_rare_class_is_tested_by_itself() -> None:
    lost, kept_ = ranked(0.0), ranked(4.0)
    assert (lost.proven, lost.shared, lost.well) == (True, True, False)
    assert (kept_.proven, kept_.well) == (False, True)
    assert lost.value is not None
    assert lost.value < 0.1


def test_too_few_of_the_rare_class_say_nothing() -> None:
    assert ranked(0.0, rows=300).value is None


# --- the version before --------------------------------------------------------------------------


def test_version_before_is_asked_about_the_same_rows(kept: Parts) -> None:
    manifest, artifact = model()
    before = versioned(kept, 1, artifact)
    champion = versioned(kept, 2, artifact)
    kept.catalog.put(before, champion, Alias(key="storm/previous", version=1))
    compared = Predecessors(Registry(kept.catalog, kept.blobs))
    rng = np.random.default_rng(2)
    drawn = rng.normal(size=(80, len(manifest.signature.features)))
    rows = [labelled("d", k, row.tolist(), int(row[0] > 0)) for k, row in enumerate(drawn)]
    found = compared.look(champion, "accuracy", 80, rows)
    assert found is not None
    assert (found.version, found.rows, found.low) == (1, 80, 0.0)
    assert found.value == found.champion_value
    assert compared.look(champion, "accuracy", 90, []) is None
    kept.catalog.put(replace(before, state=VersionState.REVERTED))
    assert compared.look(champion, "accuracy", 200, rows) is None


def versioned(kept: Parts, number: int, artifact: bytes) -> Version:
    signed = replace(model()[0], version=number)
    return replace(
        a_version(number),
        key=f"storm/{number}",
        model="storm",
        number=number,
        state=VersionState.RELEASED,
        artifact=kept.blobs.put(artifact),
        manifest=kept.blobs.put(encode(signed)),
    )
