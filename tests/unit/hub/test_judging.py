"""Reports are counted once, by device, version and phase, and become a judgement."""

from pathlib import Path

import msgspec

from fleetloop_hub.fleet_records import Device, Rollout
from fleetloop_hub.judgement_records import Finding
from fleetloop_hub.judging.judging import Judging
from fleetloop_hub.judging.phase_book import Phase, PhaseBook
from fleetloop_hub.spec.judge_table import JudgeTable
from fleetloop_hub.storage.catalog import TinyDbCatalog
from fleetloop_hub.storage.telemetry import SqliteTelemetry
from fleetloop_shared.codec import encode
from support.hubrecords import a_rollout
from support.judged import report, window

PHASE = Phase("rain", 2, 1, 1_050.0)


def book() -> PhaseBook:
    made = PhaseBook(PHASE)
    made.devices = {"station-1"}
    return made


def test_a_report_counts_once_and_the_first_of_a_version_not_at_all() -> None:
    kept = book()
    said = [report(seq, version=2, at=1_100.0 + seq) for seq in range(1, 5)]
    kept.take(said)
    kept.take(said)
    assert kept.now("station-1", 2).rows == 300
    assert kept.now("station-1", 1).rows == 0


def test_what_was_before_the_phase_is_kept_apart() -> None:
    kept = book()
    kept.take([report(seq, at=1_000.0 + 10 * seq) for seq in range(1, 11)])
    before = kept.before("station-1")
    assert before is not None
    assert (before.rows, kept.now("station-1", 1).rows) == (300, 600)


def test_a_restart_and_windows_are_counted() -> None:
    kept = book()
    kept.take([report(1, at=1_100.0), report(2, at=1_110.0), report(1, boot=2, at=1_120.0)])
    kept.take([window(7, 2.0, at=1_130.0), window(8, 2.0, at=1_140.0, closed=False)])
    tallies = kept.now("station-1", 1)
    assert (tallies.restarts, tallies.served_s, tallies.drift.count) == (1, 20.0, 1)


def test_another_model_version_or_device_is_passed_over() -> None:
    kept = book()
    for said in ({"model": "toy"}, {"version": 9}, {"device": "stranger"}):
        kept.take([report(seq, at=1_100.0 + seq, **said) for seq in (1, 2, 3)])
    assert kept.now("station-1", 2).rows == 0
    assert kept.now("stranger", 1).rows == 0


def test_a_phase_is_judged_by_what_its_devices_have_stored(tmp_path: Path) -> None:
    catalog, telemetry = TinyDbCatalog(tmp_path / "c"), SqliteTelemetry(tmp_path / "t.db")
    names = [f"station-{k}" for k in range(8)]
    for name in names:
        catalog.put(
            Device(key=name, cohort="stations", hardware="pi4", password="x", enrolled_at=0.0)
        )
    rollout: Rollout = msgspec.structs.replace(a_rollout(), phase_since=1_000.0, control=1)
    judging = Judging(catalog, telemetry)
    treated, control = names[:3], names[3:]
    first = judging.look(rollout, treated, control, JudgeTable(), 1_000.0)
    assert first.finding is Finding.UNDECIDED
    said = [
        report(
            seq,
            device=name,
            version=rollout.version if name in treated else 1,
            labels_correct=20 if name in treated else 45,
        )
        for name in names
        for seq in range(1, 30)
    ]
    telemetry.store([("health", encode(r), r) for r in said])
    for judge in (judging, Judging(catalog, telemetry)):  # also after the hub was started anew
        found = judge.look(rollout, treated, control, JudgeTable(), 2_000.0)
        assert found.finding is Finding.HARMFUL
        assert found.speaks_against == ["accuracy"]
    telemetry.close()
    catalog.close()
