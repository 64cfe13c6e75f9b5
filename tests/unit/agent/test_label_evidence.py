"""A device says how accurate it is: by its scores, and by the labels it is given."""

import msgspec
import numpy as np
import pytest

from fleetloop_agent.runtime import OrtRuntime
from fleetloop_agent.serving.predictor import Predictor
from fleetloop_agent.serving.reports import Backlog, Reports
from fleetloop_shared.drift.bins import count_scores
from fleetloop_shared.estimate.records import AccuracyReference, LabelEvidence
from fleetloop_shared.manifest import Manifest
from fleetloop_shared.manifest_check import check
from fleetloop_shared.reports import DriftReport, HealthReport
from support.agent_board import SmallHost, StandingClock
from support.serving_rig import DEVICE, WINDOW_ROWS, model, rows


def known() -> tuple[Manifest, bytes]:
    """The model with what labels once said about it: nine in ten answers are right."""
    manifest, artifact = model()
    counts = count_scores(np.linspace(0, 1, 320)).tolist()
    accuracy = AccuracyReference(
        metric="accuracy",
        value=0.9,
        low=0.85,
        high=0.95,
        rows=320,
        counts=counts,
        expected=[0.9] * 32,
        spread=[0.3] * 32,
        loss_bound=0.2,
        loss_cap=1.0,
        bound_from="gate",
    )
    return check(msgspec.structs.replace(manifest, accuracy=accuracy)), artifact


class Device:
    """A predictor, and the reports on it."""

    def __init__(self) -> None:
        self.predictor = Predictor(DEVICE, 3, OrtRuntime(), StandingClock())
        self.reports = Reports(DEVICE, StandingClock(), SmallHost())
        self.predictor.load(*known())

    def drift(self) -> list[DriftReport]:
        """Reports on all windows since the last time."""
        drafts = self.reports.of(self.predictor.collect(), self.predictor.manifest)
        made = [build(1, seq) for seq, (_, build) in enumerate(drafts, 1)]
        return [report for report in made if isinstance(report, DriftReport)]

    def evidence(self) -> LabelEvidence | None:
        """What a health report of now says about labels."""
        self.drift()
        _, build = self.reports.health(self.predictor.manifest, Backlog(0, 0, 0), None)
        report = build(1, 1)
        assert isinstance(report, HealthReport)
        return report.evidence

    def label(self, count: int, *, wrong: int) -> None:
        """Answer rows and say the truth about them: one in so many is wrong."""
        answers = self.predictor.predict(rows(count))
        labels = [a.label if k % wrong else 1 - a.label for k, a in enumerate(answers)]
        self.predictor.feedback(
            [(a.prediction_id, truth) for a, truth in zip(answers, labels, strict=True)]
        )


def test_a_closed_window_carries_the_accuracy_that_its_scores_speak_of() -> None:
    device = Device()
    device.predictor.predict(rows(WINDOW_ROWS))
    [report] = [report for report in device.drift() if report.closed]
    assert report.estimate is not None
    assert report.estimate.value == pytest.approx(0.9)
    assert not report.estimate.refused


def test_windows_with_few_rows_are_taken_together_until_there_are_enough() -> None:
    device = Device()
    told = []
    for _ in range(12):
        device.predictor.predict(rows(WINDOW_ROWS))
        told += [r.estimate.rows for r in device.drift() if r.closed and r.estimate is not None]
    assert told == [*range(50, 501, 50), 550, 550]
    manifest, artifact = known()
    other = msgspec.structs.replace(manifest, sha256="0" * 64, version=2)
    device.predictor.load(other, artifact)
    device.predictor.predict(rows(WINDOW_ROWS))
    [report] = [r for r in device.drift() if r.closed]
    assert report.estimate is not None
    assert report.estimate.rows == WINDOW_ROWS


def test_a_model_without_held_out_labels_is_estimated_and_tested_by_nothing() -> None:
    device = Device()
    device.predictor.load(*model())
    device.predictor.predict(rows(WINDOW_ROWS))
    assert [report.estimate for report in device.drift() if report.closed] == [None]
    device.label(10, wrong=2)
    assert device.evidence() is None


def test_health_says_what_all_labels_since_the_load_say() -> None:
    device = Device()
    assert device.evidence() is None
    device.label(100, wrong=10)
    assert device.evidence() == device.evidence()
    device.label(100, wrong=10)
    found = device.evidence()
    assert found is not None
    assert (found.labels, found.value, found.alarm) == (200, 0.9, False)


def test_labels_that_contradict_the_gate_are_an_alarm_that_stays() -> None:
    device = Device()
    device.label(300, wrong=2)
    device.label(300, wrong=100)
    found = device.evidence()
    assert found is not None
    assert found.alarm
    assert found.since_label is not None
    assert found.since_label < 100


def test_labels_are_weighed_anew_after_every_load() -> None:
    device = Device()
    device.label(300, wrong=2)
    device.predictor.load(*known())
    assert device.evidence() is None
    device.label(20, wrong=10)
    found = device.evidence()
    assert found is not None
    assert found.labels == 20
