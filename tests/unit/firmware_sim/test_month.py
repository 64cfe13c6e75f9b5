"""A month of a fleet is told by real messages, in order, and the same again from the same seed."""

from collections import Counter

import numpy as np
import pytest

from fleetloop_firmware_sim.month.device import DAY_S, MonthDevice, Pace, Spell
from fleetloop_firmware_sim.month.windows import Weather, meet
from fleetloop_firmware_sim.recording import Recording
from fleetloop_hub.monitoring import plausible
from fleetloop_shared.codec import decode
from fleetloop_shared.messages import ReportedState
from fleetloop_shared.reports import DriftReport, HealthReport, ProfileReport, Report, SampleReport
from support.hubside import FEATURES, manifest_of, tiny_model

START = 1_700_000_000.0
STEP_S = 3_600.0
DAYS = 3


@pytest.fixture(scope="module")
def weather() -> Weather:
    rows = np.random.default_rng(1).standard_normal((64, 2)).astype(np.float32)
    artifact = tiny_model()
    recording = Recording(list(FEATURES), rows, [k % 2 for k in range(64)])
    return meet(manifest_of(artifact, 1), artifact, recording, 3)


def device(weather: Weather, seed: int = 1) -> MonthDevice:
    spells = [
        Spell(START + day * DAY_S, manifest_of(tiny_model(), version))
        for version, day in ((1, 0.0), (2, 1.5))
    ]
    return MonthDevice("coast-0001", "pi4", spells, [weather, weather], seed)


def month(said: MonthDevice) -> list[tuple[str, Report]]:
    moments = [START + k * STEP_S for k in range(round(DAYS * DAY_S / STEP_S))]
    return [s for start in moments for s in said.says(start, start + STEP_S, Pace())]


def test_a_device_reports_at_its_pace_and_every_report_is_plausible(weather: Weather) -> None:
    said = month(device(weather))
    for _, report in said:
        plausible.check(report)
    kinds = Counter(kind for kind, _ in said)
    assert kinds["health"] == 8 * DAYS
    assert kinds["profile"] == 2 * DAYS
    assert kinds["samples"] == DAYS
    assert kinds["labels"] == DAYS - 1
    assert [r.seq for _, r in said] == list(range(1, len(said) + 1))


def test_it_speaks_of_the_version_that_it_serves_at_that_moment(weather: Weather) -> None:
    told = device(weather)
    for _, report in month(told):
        moved = report.at >= START + 1.5 * DAY_S
        if isinstance(report, DriftReport | ProfileReport | HealthReport):
            assert report.version == (2 if moved else 1)
        if isinstance(report, SampleReport):
            assert {s.version for s in report.samples} == {2 if moved else 1}
    _, reported = told.retained(START, online=True)
    assert decode(reported, ReportedState).version == 2


def test_the_same_seed_tells_the_same_month_and_another_one_another(weather: Weather) -> None:
    assert month(device(weather)) == month(device(weather))
    assert month(device(weather)) != month(device(weather, seed=2))
