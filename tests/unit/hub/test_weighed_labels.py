"""Accuracy from selected samples: weighed they tell that of all rows, unweighed they do not."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from fleetloop_hub.errors import ImplausibleError
from fleetloop_hub.fresh_labels import evenly
from fleetloop_hub.monitoring import plausible
from fleetloop_hub.monitoring.weighed_labels import weighed
from fleetloop_hub.storage.telemetry import SqliteTelemetry
from fleetloop_shared.codec import encode
from fleetloop_shared.reports import Label, LabelReport, Sample, SampleReport
from fleetloop_shared.sampling import Reason

SURE, UNSURE = 0.95, 0.55
CHANCES = {True: 0.05, False: 0.8}


@pytest.fixture
def telemetry(tmp_path: Path) -> Iterator[SqliteTelemetry]:
    opened = SqliteTelemetry(tmp_path / "t.db")
    yield opened
    opened.close()


def field(telemetry: SqliteTelemetry, device: str, rows: int, seed: int) -> float:
    """Rows of which nine of ten are sure ones, seldom sent; returns the true accuracy."""
    random = np.random.default_rng(seed)
    sure = random.random(rows) < 0.9
    right = random.random(rows) < np.where(sure, SURE, UNSURE)
    sent = random.random(rows) < np.where(sure, CHANCES[True], CHANCES[False])
    samples = [
        Sample(
            prediction_id=f"{device}.1.{k}",
            at=float(k),
            values=[0.0],
            score=0.5,
            label=1,
            version=1,
            reason=Reason.RANDOM if sure[k] else Reason.LOW_CONFIDENCE,
            probability=CHANCES[bool(sure[k])],
        )
        for k in np.flatnonzero(sent).tolist()
    ]
    labels = [
        Label(prediction_id=s.prediction_id, label=int(right[int(s.at)]), at=1.0) for s in samples
    ]
    told = SampleReport(device=device, boot=1, seq=1, at=0.0, model="rain", samples=samples)
    truth = LabelReport(device=device, boot=1, seq=2, at=0.0, labels=labels)
    telemetry.store([("samples", encode(told), told), ("labels", encode(truth), truth)])
    return float(right.mean())


def test_weighed_samples_tell_the_accuracy_of_all_rows_with_its_interval(
    telemetry: SqliteTelemetry,
) -> None:
    truths = [field(telemetry, f"s{k}", 8_000, seed=k) for k in range(2)]
    fleet, *devices = weighed(telemetry.label_sums("rain", 1))
    labelled, right = telemetry.labelled_count("rain")
    assert right / labelled < np.mean(truths) - 0.1, "selected rows are answered worse"
    assert fleet.value == pytest.approx(np.mean(truths), abs=0.02)
    assert fleet.low < np.mean(truths) < fleet.high
    assert [d.device for d in devices] == ["s0", "s1"]
    assert fleet.labels == labelled
    assert fleet.effective_labels < labelled


def test_labels_drawn_evenly_are_like_all_rows(telemetry: SqliteTelemetry) -> None:
    truth = field(telemetry, "s0", 30_000, seed=4)
    found = list(evenly(telemetry.labelled("rain"), CHANCES[True]))
    accuracy = np.mean([s.label.label == s.sample.label for s in found])
    assert accuracy == pytest.approx(truth, abs=0.025)
    assert len(found) == pytest.approx(30_000 * CHANCES[True], rel=0.1)


def test_rows_that_were_picked_afterwards_stand_for_no_other(telemetry: SqliteTelemetry) -> None:
    row = Sample(
        prediction_id="s.1.1",
        at=1.0,
        values=[0.0],
        score=0.5,
        label=1,
        version=1,
        reason=Reason.DISAGREEMENT,
        probability=None,
    )
    told = SampleReport(device="s", boot=1, seq=1, at=0.0, model="rain", samples=[row])
    label = Label(prediction_id="s.1.1", label=0, at=1.0)
    truth = LabelReport(device="s", boot=1, seq=2, at=0.0, labels=[label])
    telemetry.store([("samples", encode(told), told), ("labels", encode(truth), truth)])
    assert weighed(telemetry.label_sums("rain", 1)) == []
    assert list(evenly(telemetry.labelled("rain"), 1.0)) == []
    (kept,) = telemetry.labelled("rain")
    assert (kept.sample.reason, kept.sample.probability) == (Reason.DISAGREEMENT, None)


@pytest.mark.parametrize("probability", [0.0, -0.5, 1.5, 1e-300])
def test_a_probability_that_would_outweigh_all_others_is_refused(probability: float) -> None:
    row = Sample(
        prediction_id="s.1.1", at=1.0, values=[0.0], score=0.5, label=1, version=1,
        probability=probability,
    )  # fmt: skip
    report = SampleReport(device="s", boot=1, seq=1, at=0.0, model="rain", samples=[row])
    with pytest.raises(ImplausibleError, match="probability"):
        plausible.check(report)
    plausible.check(msgspec.structs.replace(report, samples=[]))
