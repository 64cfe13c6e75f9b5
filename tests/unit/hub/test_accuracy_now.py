"""How accurate a version is now, by command, page and interface: labels, estimates, refusals."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from fleetloop_hub.monitoring.accuracy import AccuracyReader
from fleetloop_hub.monitoring.accuracy_views import BLIND, AccuracyView
from fleetloop_hub.tracking.known_classes import KnownClasses
from fleetloop_shared.codec import encode
from fleetloop_shared.estimate.records import LabelEvidence
from fleetloop_shared.reports import HealthReport
from support import accuracy
from support.commands import Run, listening_hub, runner
from support.hubrecords import a_health
from support.hubweb import WebHub
from support.serving_rig import rows


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    return runner(monkeypatch, capsys, tmp_path)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with listening_hub(tmp_path) as hub:
        yield hub


def fleet(hub: WebHub) -> None:
    """Two cohorts; station-3 sees rows of which the model is surer than usual."""
    places = {"station-1": "coast", "station-2": "coast", "station-3": "hills"}
    hub.catalog.put(*[accuracy.station(name, cohort) for name, cohort in places.items()])
    for seed, name in enumerate(places):
        values = rows(1_000, seed=20 + seed)
        if name == "station-3":
            values *= np.float32(1.3)
        accuracy.report(hub.telemetry, name, [accuracy.profile(values)])


def test_a_version_tells_which_classes_a_label_may_be(hub: WebHub) -> None:
    known = KnownClasses(hub.catalog, hub.blobs)
    assert known.of("storm", 1) == []
    hub.catalog.put(
        replace(accuracy.keep(hub.catalog, hub.blobs), key="storm/2", unsigned="0" * 64)
    )
    assert known.of("storm", 2) == []
    assert known.of("storm", 1) == [0, 1]  # what was not there is looked for again


def now(hub: WebHub) -> AccuracyView:
    """By all that has been reported."""
    version = accuracy.keep(hub.catalog, hub.blobs)
    return AccuracyReader(hub.catalog, hub.telemetry, hub.blobs).read(version)


def test_fleet_cohorts_and_devices_are_told_apart(hub: WebHub) -> None:
    fleet(hub)
    view = now(hub)
    assert [(str(s.place), s.name, s.rows) for s in view.scopes] == [
        ("fleet", "fleet", 3_000),
        ("cohort", "coast", 2_000),
        ("cohort", "hills", 1_000),
        ("device", "station-1", 1_000),
        ("device", "station-2", 1_000),
        ("device", "station-3", 1_000),
    ]
    of = {s.name: s.estimates[0].value or 0.0 for s in view.scopes}
    assert of["coast"] < of["fleet"] < of["hills"]
    assert view.held_out["accuracy"] == accuracy.labelled().answers.right.mean()
    assert view.note == BLIND


def test_only_the_newest_rows_of_this_version_are_looked_at(hub: WebHub) -> None:
    hub.catalog.put(accuracy.station("station-1", "coast"))
    old, new = accuracy.profile(rows(1_100) * np.float32(2.0)), accuracy.profile(rows(1_100))
    accuracy.report(hub.telemetry, "station-1", [old, old, new, new])
    assert now(hub).scopes[0].rows == 2_200
    other = replace(accuracy.keep(hub.catalog, hub.blobs), key="storm/2", number=2)
    hub.catalog.put(other)
    assert AccuracyReader(hub.catalog, hub.telemetry, hub.blobs).read(other).scopes == []


def test_labels_that_reach_the_hub_are_weighed_against_the_gate(hub: WebHub) -> None:
    accuracy.label(hub.telemetry, "station-2", 10, wrong=2, version=2)
    assert now(hub).labels is None
    accuracy.label(hub.telemetry, "station-1", 400, wrong=2)
    found = now(hub).labels
    assert found is not None
    assert (found.labels, found.value, found.alarm) == (400, 0.5, True)


def _evidence() -> LabelEvidence:
    return LabelEvidence(
        labels=1,
        metric="accuracy",
        value=1.0,
        demanded=0.8,
        demanded_by="gate",
        e_value=1.0,
        largest=1.0,
        alarm=False,
    )


def test_what_a_device_says_of_its_own_labels_is_told_with_it(hub: WebHub) -> None:
    fleet(hub)
    health = a_health(9)
    assert isinstance(health, HealthReport)
    said = replace(
        health,
        model="storm",
        evidence=replace(_evidence(), labels=77, value=0.25, alarm=True, since_label=70),
    )
    hub.telemetry.store([("health", encode(said), said)])
    by_name = {s.name: s.labels for s in now(hub).scopes}
    assert by_name["station-2"] is None
    assert by_name["station-1"] == said.evidence


def test_without_the_labelled_rows_the_reason_is_told_and_the_rest_as_well(hub: WebHub) -> None:
    version = accuracy.keep(hub.catalog, hub.blobs, rows_kept=False)
    accuracy.label(hub.telemetry, "station-1", 50, wrong=9)
    view = AccuracyReader(hub.catalog, hub.telemetry, hub.blobs).read(version)
    assert "train again" in view.refused
    assert view.labels is not None
    assert view.scopes == []


def test_a_version_of_which_only_the_record_is_left_is_told_so(hub: WebHub) -> None:
    version = replace(accuracy.keep(hub.catalog, hub.blobs), unsigned="0" * 64)
    view = AccuracyReader(hub.catalog, hub.telemetry, hub.blobs).read(version)
    assert "are not kept" in view.refused
    assert view.labels is None


def test_the_command_tells_estimates_refusals_and_what_they_cannot_show(
    run: Run, hub: WebHub
) -> None:
    accuracy.keep(hub.catalog, hub.blobs)
    said = run("accuracy", "storm")
    assert "no device has reported a whole window under storm@1 yet" in said.out
    fleet(hub)
    lost = rows(500, seed=4)
    lost[:300, 0] = np.nan
    hub.catalog.put(accuracy.station("station-4", "hills"))
    accuracy.report(hub.telemetry, "station-4", [accuracy.profile(lost)])
    accuracy.label(hub.telemetry, "station-1", 400, wrong=2)
    said = run("accuracy", "storm@1")
    assert said.code == 0
    assert "at least 0.7 demanded by the gate: not kept" in said.out
    assert "60% of the rows have values of wind that no labelled row has" in said.out
    assert "concept drift" in said.out
    found = json.loads(run("accuracy", "storm@champion", "--json").out)
    assert found["scopes"][1]["estimates"][0]["value"] == pytest.approx(0.72, abs=0.05)


def test_the_page_tells_the_same(hub: WebHub) -> None:
    accuracy.keep(hub.catalog, hub.blobs)
    fleet(hub)
    accuracy.label(hub.telemetry, "station-1", 400, wrong=2)
    text = hub.client().get("/accuracy/storm/champion").text
    assert "How accurate is storm v1 now?" in text
    assert "concept drift" in text
    assert "at least 0.7 demanded by the gate: not kept" in text
    assert "station-3" in text
    assert hub.client().get("/accuracy/storm/7").status_code == 404
