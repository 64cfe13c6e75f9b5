"""The overview tells what a device says of its own accuracy, and warns if labels contradict it."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from fleetloop_hub.fleet_records import RolloutState
from fleetloop_hub.monitoring.overview import Level, Overview
from fleetloop_hub.monitoring.overview_reader import OverviewReader
from fleetloop_hub.tables.fleet import devices_table
from fleetloop_shared.estimate.records import Estimate, LabelEvidence
from fleetloop_shared.reports import Report
from support.hubrecords import a_drift, a_health, a_rollout
from support.hubweb import WebHub, fill, show_up, tell, web_hub

ESTIMATE = Estimate(metric="accuracy", value=0.861, low=0.84, high=0.88)
EVIDENCE = LabelEvidence(
    labels=240,
    metric="accuracy",
    value=0.75,
    demanded=0.83,
    demanded_by="gate",
    e_value=130.0,
    largest=130.0,
    alarm=True,
    since_label=240,
)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with web_hub(tmp_path) as hub:
        yield hub


def look(hub: WebHub) -> Overview:
    """The overview of now."""
    return OverviewReader(hub.catalog, hub.telemetry).read()


def estimated(seq: int, *, version: int = 1) -> Report:
    """A quiet window with an estimate."""
    return msgspec.structs.replace(a_drift(seq, 0.4, version=version), estimate=ESTIMATE)


def contradicted(seq: int, *, version: int = 1) -> Report:
    """A health report whose labels contradict the gate."""
    return msgspec.structs.replace(a_health(seq, version=version), evidence=EVIDENCE)


def test_the_estimate_of_the_last_closed_window_is_the_devices(hub: WebHub) -> None:
    show_up(hub.telemetry)
    early = msgspec.structs.replace(a_drift(3, 1.4), closed=False)
    tell(hub.telemetry, estimated(2), early)
    [device] = look(hub).devices
    assert device.estimate == ESTIMATE
    text = str(list(devices_table([device]).columns[6].cells))
    assert "about 86.1 %" in text
    assert "about 86.1 %" in hub.client().get("/devices").text.replace("\n", " ")


@pytest.mark.parametrize(
    "said", [Estimate(metric="accuracy", value=1e300), Estimate(metric="<b>", value=0.5)]
)
def test_an_estimate_that_none_can_be_is_not_shown(hub: WebHub, said: Estimate) -> None:
    show_up(hub.telemetry)
    tell(hub.telemetry, msgspec.structs.replace(a_drift(2, 0.4), estimate=said))
    [device] = look(hub).devices
    assert device.estimate is None


def test_labels_below_the_gate_are_a_warning_in_words(hub: WebHub) -> None:
    fill(hub)
    hub.catalog.put(a_rollout(state=RolloutState.DONE))
    tell(hub.telemetry, contradicted(90))
    overview = look(hub)
    [device] = overview.devices
    assert device.level is Level.WARN
    assert (
        "accuracy 0.75 by 240 labels, at least 0.83 demanded by the gate: not kept" in device.words
    )
    assert "labels show station-1 below what the gate demands" in overview.health.text
    assert "could not take an update" not in overview.health.text
    assert overview.next_step.command == "fleetloop accuracy rain"


def test_what_is_about_another_version_says_nothing(hub: WebHub) -> None:
    show_up(hub.telemetry, version=2)
    tell(hub.telemetry, estimated(2, version=1), contradicted(90, version=1))
    [device] = look(hub).devices
    assert device.estimate is None
    assert "gate" not in device.words
