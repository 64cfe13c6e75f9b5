"""The evidence: windows in a row, early alarms, and who has moved by the devices' profiles."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from fleetloop_hub.monitoring import alarms
from fleetloop_hub.monitoring.fleet_profiles import FleetProfiles
from fleetloop_hub.records import Verdict
from fleetloop_hub.retraining.advice import Finding
from fleetloop_hub.retraining.decide import decide
from fleetloop_hub.retraining.evidence import DeviceDrift, Evidence
from fleetloop_hub.retraining.watch import Watch
from fleetloop_hub.spec.retrain_table import RetrainTable
from fleetloop_hub.storage.telemetry import SqliteTelemetry
from fleetloop_hub.verdict_records import FleetVerdict, Who
from fleetloop_shared.codec import encode, encode_compressed
from fleetloop_shared.reports import DriftReport, ProfileReport
from support.examples import MESSAGES
from support.fleet_rows import Rows, World
from support.hubparts import Parts, parts
from support.hubrecords import a_device, a_drift, a_rollout
from support.hubweb import show_up
from support.reports import labels, sample, samples

ROWS = 256
WORLD = World()
[WINDOW] = [m for m in MESSAGES if isinstance(m, ProfileReport)]


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Parts]:
    WORLD.random = np.random.default_rng(5)
    with parts(tmp_path) as made:
        yield made


def drift(
    seq: int, ratio: float = 0.5, *, closed: bool = True, device: str = "d0", version: int = 1
) -> DriftReport:
    report = a_drift(seq, ratio, device=device, version=version)
    assert isinstance(report, DriftReport)
    since = report.first_row if report.alarm else None
    return replace(report, closed=closed, since_row=since, at=float(seq))


def tell(kept: Parts, *reports: DriftReport | ProfileReport) -> None:
    kept.telemetry.store(
        [
            ("profile", encode_compressed(r), r)
            if isinstance(r, ProfileReport)
            else ("drift", encode(r), r)
            for r in reports
        ]
    )


def seen(watch: Watch) -> list[DeviceDrift]:
    return watch.gather("rain", 1, 0.0).drift


def test_windows_in_a_row_are_counted_as_they_come(kept: Parts) -> None:
    watch = Watch(kept.catalog, kept.telemetry)
    assert seen(watch) == []
    tell(kept, drift(1), drift(2, 2.0), drift(3, 3.0))
    assert seen(watch) == [DeviceDrift("d0", 2, 0, 3.0, "temperature")]
    assert seen(watch) == [DeviceDrift("d0", 2, 0, 3.0, "temperature")]
    tell(kept, drift(4))
    assert seen(watch) == [DeviceDrift("d0", 0, 1, 0.5, "temperature")]


def test_early_alarm_counts_once_and_its_window_takes_its_place(kept: Parts) -> None:
    watch = Watch(kept.catalog, kept.telemetry)
    tell(kept, drift(1), drift(2), drift(3, 2.0, closed=False))
    [device] = seen(watch)
    assert (device.alarms, device.quiet) == (1, 0)
    tell(kept, drift(4, 2.0))
    [device] = seen(watch)
    assert (device.alarms, device.quiet) == (1, 0)
    tell(kept, drift(5, 2.0, closed=False))
    [device] = seen(watch)
    assert (device.alarms, device.quiet) == (2, 0)


def test_window_that_looks_quiet_as_a_whole_is_told_by_its_early_alarm(kept: Parts) -> None:
    watch = Watch(kept.catalog, kept.telemetry)
    closing = replace(drift(2, 0.5), alarm=True, since_row=1)
    tell(kept, drift(1, 2.0, closed=False), closing)
    assert seen(watch) == [DeviceDrift("d0", 1, 0, 2.0, "temperature")]
    tell(kept, drift(3, 0.25))
    assert seen(watch) == [DeviceDrift("d0", 0, 1, 0.25, "temperature")]


def test_early_alarm_and_its_window_are_one_alarm(kept: Parts) -> None:
    tell(kept, drift(1), drift(2, 2.0, closed=False), drift(3, 2.0), drift(4, 2.0, closed=False))
    found = alarms.count(kept.telemetry)
    assert (found.windows, found.alarms) == (3, 2)


def test_a_restarted_hub_counts_the_same(kept: Parts) -> None:
    show_up(kept.telemetry, "d0")
    watch = Watch(kept.catalog, kept.telemetry)
    tell(kept, drift(1), drift(2, 2.0), drift(3, 2.0), drift(4, 2.0, closed=False))
    assert seen(watch) == seen(Watch(kept.catalog, kept.telemetry))
    assert seen(watch)[0].alarms == 3


def test_rollout_holds_up_only_what_devices_of_its_own_cohort_ask_for(kept: Parts) -> None:
    watch = Watch(kept.catalog, kept.telemetry)
    here, there = a_device("d0"), replace(a_device("d1"), cohort="hills")
    kept.catalog.put(here, there, replace(a_rollout(), cohort="hills"))
    tell(kept, drift(1, 2.0, device="d0"), drift(1, device="d1"))
    assert watch.gather("rain", 1, 0.0).busy is None
    tell(kept, drift(2, 2.0, device="d1"))
    assert watch.gather("rain", 1, 0.0).busy == "rollout rollout-1 is under way"


def test_a_report_that_comes_late_changes_nothing(kept: Parts) -> None:
    watch = Watch(kept.catalog, kept.telemetry)
    tell(kept, drift(2, 2.0), drift(3, 2.0))
    before = seen(watch)
    tell(kept, drift(1))
    assert seen(watch) == before


def test_labels_count_from_the_first_alarm_on(kept: Parts) -> None:
    kept.telemetry.store(
        [
            samples(1, *(sample(f"p{at}", at=float(at)) for at in range(10))),
            labels(2, *((f"p{at}", 1.0) for at in range(10))),
        ]
    )
    watch = Watch(kept.catalog, kept.telemetry)
    tell(kept, drift(4))
    assert watch.gather("rain", 1, 0.0).labels == 0
    tell(kept, drift(6, 2.0), drift(8, 2.0))
    assert watch.gather("rain", 1, 0.0).labels == 4


def test_windows_of_another_version_are_told_apart(kept: Parts) -> None:
    watch = Watch(kept.catalog, kept.telemetry)
    tell(kept, drift(1, 2.0), drift(2, version=2))
    assert watch.gather("rain", 2, 0.0).drift[0].quiet == 1
    assert seen(watch) == []


# --- who has moved -------------------------------------------------------------------------------


def window(
    device: str, number: int, rows: Rows, *, alarm: bool = False
) -> tuple[DriftReport, ProfileReport]:
    """What a device says at the end of its window of this number, from 1."""
    first = ROWS * (number - 1) + 1
    told = drift(2 * number, 2.0 if alarm else 0.5, device=device)
    profile = replace(WINDOW, device=device, boot=1, first_row=first, seq=2 * number + 1)
    counted = WORLD.profile(rows)
    return replace(told, first_row=first, rows=ROWS), replace(profile, profile=counted)


def profiles(kept: Parts) -> FleetProfiles:
    return FleetProfiles(
        kept.telemetry, lambda _, version: WORLD.yardstick if version == 1 else None
    )


def live(kept: Parts, devices: int, windows: range, odd_from: int = 99) -> None:
    """Windows of all devices; the first one's f0 is off from a window on."""
    for number in windows:
        for k in range(devices):
            rows = WORLD.rows(ROWS)
            off = k == 0 and number >= odd_from
            if off:
                rows[:, 0] += 15
            tell(kept, *window(f"d{k}", number, rows, alarm=off))


COHORTS = {f"d{k}": "default" for k in range(6)}


def test_one_device_goes_off_and_is_named_in_its_first_window(kept: Parts) -> None:
    fleet = profiles(kept)
    live(kept, 6, range(1, 6))
    verdict = fleet.verdict("rain", 1, COHORTS, 0.0)
    assert verdict is not None
    assert (verdict.who, verdict.judged, verdict.rows) == (Who.NOBODY, 6, 6 * 4 * ROWS)
    live(kept, 6, range(6, 7), odd_from=6)
    verdict = fleet.verdict("rain", 1, COHORTS, 0.0)
    assert verdict is not None
    assert verdict.who is Who.DEVICES
    [odd] = verdict.devices
    assert (odd.name, odd.rows, odd.differences[0].feature) == ("d0", 4 * ROWS, "f0")


def test_windows_of_changing_times_make_no_device_odd(kept: Parts) -> None:
    """All devices see the same season, and one of them passes its threshold first."""
    fleet = profiles(kept)
    named = set[str]()
    for number in range(1, 9):
        for k in range(6):
            rows = WORLD.rows(ROWS)
            rows[:, 0] += 15 * np.sin(number / 4)
            tell(kept, *window(f"d{k}", number, rows, alarm=number > 3 and k == 0))
        verdict = fleet.verdict("rain", 1, COHORTS, 0.0)
        assert verdict is not None
        named |= {odd.name for odd in verdict.devices}
    assert not named


def test_nothing_new_costs_no_new_verdict(kept: Parts) -> None:
    fleet = profiles(kept)
    live(kept, 4, range(1, 3))
    first = fleet.verdict("rain", 1, COHORTS, 0.0)
    assert fleet.verdict("rain", 1, COHORTS, 1.0) is first


def test_a_restarted_hub_finds_the_same(kept: Parts) -> None:
    for k in range(6):
        show_up(kept.telemetry, f"d{k}")
    fleet = profiles(kept)
    live(kept, 6, range(1, 6), odd_from=4)
    assert fleet.verdict("rain", 1, COHORTS, 0.0) == profiles(kept).verdict("rain", 1, COHORTS, 0.0)


def test_profile_of_another_reference_is_merged_with_nothing_and_counted(kept: Parts) -> None:
    fleet = profiles(kept)
    live(kept, 4, range(1, 3))
    tell(kept, replace(WINDOW, device="d1", boot=9, model="rain", version=1))
    verdict = fleet.verdict("rain", 1, COHORTS, 0.0)
    assert verdict is not None
    assert verdict.judged == 4
    assert kept.telemetry.refusals() == {("d1", "implausible"): 1}


def test_device_that_was_last_heard_of_in_another_time_is_not_compared(
    kept: Parts, tmp_path: Path
) -> None:
    clock = [0.0]
    telemetry = SqliteTelemetry(tmp_path / "later.sqlite", now=lambda: clock[0])
    later = dataclasses.replace(kept, telemetry=telemetry)
    fleet = profiles(later)
    for number in range(1, 31):
        clock[0] = number * 600.0
        for k in range(int(number > 1), 6):
            tell(later, *window(f"d{k}", number, WORLD.rows(ROWS)))
    verdict = fleet.verdict("rain", 1, COHORTS, 0.0)
    telemetry.close()
    assert verdict is not None
    assert (verdict.judged, verdict.silent) == (5, ["d0"])
    assert verdict.reasons[-1].endswith("it cannot be compared: d0")


def test_devices_that_send_in_bursts_are_waited_for(kept: Parts, tmp_path: Path) -> None:
    clock = [0.0]
    telemetry = SqliteTelemetry(tmp_path / "bursts.sqlite", now=lambda: clock[0])
    bursts = dataclasses.replace(kept, telemetry=telemetry)
    fleet = profiles(bursts)
    rows = WORLD.rows(ROWS)
    for number in range(1, 20):
        clock[0] = number + 900.0 * (number > 10)
        for k in range(int(number > 18), 3):
            tell(bursts, *window(f"d{k}", number, rows))
    clock[0] += 1_700.0
    tell(bursts, *window("d1", 20, rows))
    verdict = fleet.verdict("rain", 1, COHORTS, 0.0)
    telemetry.close()
    assert verdict is not None
    assert (verdict.judged, verdict.silent) == (3, [])


def test_device_that_changes_its_version_starts_anew(kept: Parts) -> None:
    fleet = profiles(kept)
    live(kept, 4, range(1, 3))
    _, profile = window("d1", 9, WORLD.rows(ROWS))
    tell(kept, replace(profile, version=2))
    verdict = fleet.verdict("rain", 1, COHORTS, 0.0)
    assert verdict is not None
    assert verdict.judged == 3
    assert fleet.verdict("rain", 2, COHORTS, 0.0) is None


def test_device_that_is_not_enrolled_is_not_looked_at(kept: Parts) -> None:
    fleet = profiles(kept)
    live(kept, 4, range(1, 3))
    verdict = fleet.verdict("rain", 1, {"d0": "default"}, 0.0)
    assert verdict is not None
    assert verdict.judged == 1


# --- what follows --------------------------------------------------------------------------------

POLICY = RetrainTable(drift_devices=0.5, min_labels=1, cooldown_s=0.0)


def verdict_on(kept: Parts, devices: int = 6) -> FleetVerdict:
    fleet = profiles(kept)
    live(kept, devices, range(1, 6), odd_from=5)
    found = fleet.verdict("rain", 1, COHORTS, 0.0)
    assert found is not None
    return found


def test_one_odd_device_is_looked_at_and_not_learned_from(kept: Parts) -> None:
    verdict = verdict_on(kept)
    evidence = Watch(kept.catalog, kept.telemetry).gather("rain", 1, 0.0, verdict)
    advice = decide(evidence, POLICY)
    assert (advice.verdict, advice.finding) == (Verdict.INVESTIGATE, Finding.ODD_ONE)
    assert advice.devices == ["d0"]
    assert advice.reasons[0] == (
        "d0 is odd, the others are not: look at its sensors, do not retrain"
    )
    assert advice.reasons[1].startswith("d0: f0 reads 1")
    assert advice.noted_once == (Finding.ODD_ONE, "d0")


def test_odd_device_without_an_alarm_of_its_own_is_no_decision(kept: Parts) -> None:
    verdict = verdict_on(kept)
    evidence = Watch(kept.catalog, kept.telemetry).gather("rain", 1, 0.0, verdict)
    quiet = [DeviceDrift(d.device, 0, 1, 0.5, d.feature) for d in evidence.drift]
    assert decide(Evidence(quiet, 9, 1e9, None, verdict), POLICY).verdict is Verdict.WAIT


def test_no_device_is_odd_where_so_many_see_drift_that_it_is_the_world(kept: Parts) -> None:
    verdict = verdict_on(kept)
    seeing = [DeviceDrift(f"d{k}", int(k < 4), int(k >= 4), 2.0, "f0") for k in range(6)]
    assert decide(Evidence(seeing, 9, 1e9, None, verdict), POLICY).verdict is Verdict.RETRAIN


def test_odd_cohort_is_looked_at_and_not_mixed_into_the_world(kept: Parts) -> None:
    verdict = replace(verdict_on(kept), who=Who.COHORTS, text="cohort south has moved", cohorts=[])
    drift_ = [DeviceDrift("d0", 3, 0, 2.0, "f0"), DeviceDrift("d1", 3, 0, 2.0, "f0")]
    advice = decide(Evidence(drift_, 9, 1e9, None, verdict), POLICY)
    assert (advice.verdict, advice.finding) == (Verdict.INVESTIGATE, Finding.ODD_COHORT)
    assert advice.reasons[0].startswith("cohort south has moved: look at what is different there")


@pytest.mark.parametrize("who", [Who.FLEET, Who.UNDECIDED])
def test_world_that_has_moved_is_learned_as_the_policy_says(kept: Parts, who: Who) -> None:
    verdict = replace(verdict_on(kept), who=who)
    drift_ = [DeviceDrift(f"d{k}", 3, 0, 2.0, "f0") for k in range(6)]
    assert decide(Evidence(drift_, 9, 1e9, None, verdict), POLICY).verdict is Verdict.RETRAIN


def test_an_alarm_of_the_year_2038_does_not_keep_labels_of_today_from_counting(kept: Parts) -> None:
    watch = Watch(kept.catalog, kept.telemetry)
    tell(kept, replace(drift(1, 2.0), at=2_147_483_647.0))
    now = kept.telemetry.reports("drift")[0].stored_at
    kept.telemetry.store([samples(7, sample("p", at=now + 1)), labels(8, ("p", 1))])
    assert watch.gather("rain", 1, now).labels == 1
