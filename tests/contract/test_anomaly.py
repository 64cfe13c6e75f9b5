"""Anomaly models that the hub has trained: served with score and label, watched, judged late."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from fleetloop_agent.runtime import OrtRuntime
from fleetloop_agent.serving.predictor import Predictor
from fleetloop_agent.update.examine import examine
from fleetloop_hub.monitoring.ingest import Ingest
from fleetloop_hub.spec.reading import parse
from fleetloop_hub.training.run import train
from fleetloop_shared.manifest import Manifest
from fleetloop_shared.manifest_check import check
from fleetloop_shared.reports import DriftReport, HealthReport
from support import kinds
from support.agent_board import SmallHost, StandingClock
from support.http_client import RawClient
from support.hubparts import parts
from support.learnable import from_csv, job, silent
from support.local_api import local_api

ROWS, WINDOW_ROWS = 1_000, 256
NAMES = ["speed", "torque", "heat"]
FAMILIES = ["isolation-forest", "one-class-svm"]
SMALL = {"isolation-forest": "trees = 30"}
SPEC = """
[model]
name = "kind"
task = "anomaly"
seed = 1
[[sources]]
csv = "rows.csv"
[label]
column = "state"
classes = ["usual", "odd"]
positive = "odd"
[[features]]
name = "speed"
[[features]]
name = "torque"
[[features]]
name = "heat"
[[candidates]]
name = "only"
family = "{family}"
{more}
[drift]
window_rows = 256
[gates]
metric = "roc_auc"
"""


def ordinary(rows: int, seed: int) -> np.ndarray:
    """Torque follows speed; heat follows both."""
    lot = np.random.default_rng(seed)
    speed, noise, warmth = lot.standard_normal((3, rows))
    return np.stack([speed, speed + 0.3 * noise, speed + warmth], axis=1).astype(np.float32)


def odd(rows: int, seed: int) -> np.ndarray:
    """Torque goes against speed; each by itself is where it always is."""
    values = ordinary(rows, seed)
    values[:, 1] *= -1
    return values


def named(values: np.ndarray) -> list[dict[str, float]]:
    return [dict(zip(NAMES, row, strict=True)) for row in values.tolist()]


@dataclass(frozen=True)
class Trained:
    manifest: Manifest
    artifact: bytes


@cache
def trained(family: str) -> Trained:
    """A model of a table in which a part of the newest rows is labelled."""
    values = np.concatenate([ordinary(ROWS - 40, 0), odd(40, 1)])
    values = values[np.random.default_rng(2).permutation(ROWS)]
    states = ["odd" if row[0] * row[1] < -0.25 else "usual" for row in values]
    lines = [",".join([*map(str, row), state]) for row, state in zip(values, states, strict=True)]
    with TemporaryDirectory() as base:
        folder = Path(base)
        (folder / "rows.csv").write_text("\n".join([f"{','.join(NAMES)},state", *lines]) + "\n")
        text = SPEC.format(family=family, more=SMALL.get(family, ""))
        with parts(folder / "hub") as kept:
            dataset = from_csv(parse(text), folder / "rows.csv", kept.blobs, 1.0)
            output = train(job(text, dataset, kept.blobs), silent)
    return Trained(check(output.result.manifest), output.artifact)


def device(family: str) -> Predictor:
    made = Predictor("station-1", 3, OrtRuntime(), StandingClock())
    made.load(trained(family).manifest, trained(family).artifact)
    return made


each_family = pytest.mark.parametrize("family", FAMILIES)


@each_family
def test_a_device_proves_its_runtime_on_the_golden_rows(family: str) -> None:
    model = trained(family)
    found = examine(model.manifest, model.artifact, OrtRuntime(), StandingClock(), SmallHost())
    assert found.passed, found.text
    said = {round(row[1], 3) for row in model.manifest.golden.outputs}
    assert len(said) > 5, "golden rows from usual to odd"


@each_family
def test_over_http_an_answer_is_how_odd_a_row_is_and_whether_that_is_odd(family: str) -> None:
    served = device(family)
    api = local_api(served)
    api.start()
    try:
        with RawClient(api.address) as client:
            rows = [*named(ordinary(50, 7)), *named(odd(50, 8) * 3)]
            body = json.dumps({"rows": rows}).encode()
            answers = client.ask("POST", "/predict", body).json()["answers"]
    finally:
        api.stop()
    threshold = trained(family).manifest.signature.decision_threshold
    for answer in answers:
        assert (answer["label"] == 1) == (answer["score"] >= threshold)
        assert answer["class_name"] == ("odd" if answer["label"] else "usual")
    scores = [answer["score"] for answer in answers]
    assert np.median(scores[:50]) < threshold < np.median(scores[50:])


@each_family
def test_the_score_histogram_lies_where_the_scores_are(family: str) -> None:
    reference = trained(family).manifest.reference
    used = sum(count > 0 for count in reference.score_counts)
    assert used >= 16, "of 32 bins"
    assert max(reference.score_counts) < reference.rows / 2


@each_family
def test_a_world_of_odd_rows_is_an_alarm_of_the_scores_and_an_ordinary_one_is_quiet(
    family: str, tmp_path: Path
) -> None:
    served = device(family)
    served.predict(ordinary(4 * WINDOW_ROWS, 9))
    served.predict(odd(4 * WINDOW_ROWS, 10) * 2)
    with parts(tmp_path) as kept:
        kinds.report(served, Ingest(kept.telemetry))
        reports = [s.report for s in kept.telemetry.reports("drift")]
    drifts = [r for r in reports if isinstance(r, DriftReport) and r.closed]
    quiet = [r for r in drifts if r.first_row <= 3 * WINDOW_ROWS]
    loud = [r for r in drifts if r.first_row > 4 * WINDOW_ROWS]
    assert not any(r.alarm for r in quiet)
    assert all(r.alarm for r in loud)
    assert all(r.score_ratio > 1 for r in loud)


@each_family
def test_labels_that_come_late_are_counted_by_their_names(family: str, tmp_path: Path) -> None:
    served = device(family)
    answers = served.predict([*named(ordinary(20, 11)), *named(odd(20, 12) * 3)])
    truths = ["usual"] * 20 + ["odd"] * 20
    pairs = [(a.prediction_id, truth) for a, truth in zip(answers, truths, strict=True)]
    assert served.feedback(pairs) == 40
    with parts(tmp_path) as kept:
        kinds.report(served, Ingest(kept.telemetry))
        (health,) = [s.report for s in kept.telemetry.reports("health")]
    right = sum(a.class_name == truth for a, truth in zip(answers, truths, strict=True))
    assert isinstance(health, HealthReport)
    assert (health.labels, health.labels_correct) == (40, right)
    assert right > 30
