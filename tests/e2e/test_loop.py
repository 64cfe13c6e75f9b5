"""The whole loop with real processes: the README's demo and other stories, checked from outside."""

import json
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fleetloop_agent.device.clock import RealClock
from fleetloop_agent.trust.belief import listed
from fleetloop_hub.fleet_records import Listing
from fleetloop_hub.records import Version
from fleetloop_hub.storage.blobs import FileBlobs
from fleetloop_hub.storage.catalog import TinyDbCatalog
from fleetloop_hub.storage.telemetry import SqliteTelemetry
from fleetloop_shared.codec import decode
from fleetloop_shared.manifest import Manifest
from fleetloop_shared.reports import DriftReport
from fleetloop_shared.trust import manifest_target
from support.brokers import mosquitto_is_missing
from support.bundles import device_of, trust_in

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

DEMO = [sys.executable, "-m", "fleetloop_hub", "demo", "--json"]


def play(folder: Path, *options: str) -> tuple[int, str, dict[str, Any]]:
    done = subprocess.run(
        [*DEMO, "--folder", str(folder), *options],
        capture_output=True,
        text=True,
        timeout=390,
        check=False,
    )
    lines = done.stdout.splitlines()
    assert lines, done.stderr
    return done.returncode, done.stdout, json.loads(lines[-1])


def test_the_fleet_notices_a_changed_world_and_a_better_version_takes_over(tmp_path: Path) -> None:
    code, story, summary = play(tmp_path / "demo")
    assert code == 0, story
    assert summary["closed"]
    assert summary["champion_after"] > summary["champion_before"] == 1
    assert summary["accuracy_gain_low"] > 0
    assert summary["accuracy_gain_low"] < summary["accuracy_gain"] < summary["accuracy_gain_high"]
    assert summary["drift_alarms"] > 0
    assert summary["devices_committed"] == summary["devices"] == 6
    assert summary["resumed_fetches"] >= 1
    assert summary["artifact_bytes"] < summary["float_bytes"]
    assert summary["reports_stored"] == summary["reports_sent"] > 0
    assert "goes on fetching rain 1" in story
    assert "the broker is killed" in story
    assert summary["champion_after"] >= len(artifacts_served(tmp_path / "demo")) >= 2
    assert artifacts_served(tmp_path / "demo") <= artifacts_signed(tmp_path / "demo")


def artifacts_signed(folder: Path) -> set[str]:
    """The artifact of every version that the image repository lists, as a device checks it."""
    trust, blobs = trust_in(folder / "hub", time.time()), FileBlobs(folder / "hub" / "blobs")
    device = device_of(trust, "default", RealClock())
    with closing(TinyDbCatalog(folder / "hub" / "catalog")) as catalog:
        [listing] = catalog.all(Listing)
        versions = [v for v in catalog.all(Version) if v.manifest is not None]
    assert device.take_image(blobs.get(listing.statement))
    signed = [listed(device.image, manifest_target(v.model, v.number)) for v in versions]
    return {decode(blobs.get(entry[1]), Manifest).sha256 for entry in signed if entry}


def artifacts_served(folder: Path) -> set[str]:
    """The artifact of every window that any device has judged."""
    with closing(SqliteTelemetry(folder / "hub" / "telemetry.sqlite")) as telemetry:
        stored = telemetry.reports("drift", limit=100_000)
    return {s.report.artifact for s in stored if isinstance(s.report, DriftReport)}


def test_a_model_of_shuffled_labels_never_reaches_a_device(
    tmp_path: Path, shuffled_weather: Path
) -> None:
    code, story, summary = play(tmp_path / "demo", "--data", str(shuffled_weather))
    assert code == 1
    assert "FAILED" in story
    assert summary["champion_before"] is None
    assert summary["reports_sent"] == 0


@pytest.mark.skipif(mosquitto_is_missing(), reason="apt-get install mosquitto")
def test_over_mosquitto_nothing_is_lost_and_a_world_that_does_not_change_is_left_alone(
    tmp_path: Path, weather_without_summer: Path
) -> None:
    data = ["--data", str(weather_without_summer), "--devices", "3"]
    code, story, summary = play(tmp_path / "demo", "--broker", "mosquitto", *data)
    assert code == 1, story
    assert summary["resumed_fetches"] >= 1
    assert "the broker is killed" in story
    assert "broker restarted, every device is back" in story
    assert summary["champion_before"] == summary["champion_after"] == 1
    assert "retrain:" not in story
    assert summary["drift_alarms"] <= 2
    assert summary["reports_stored"] == summary["reports_sent"] > 0
