"""The overview: what catalog and telemetry say, as one struct and in words."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.console import Console

from fleetloop_hub.fleet_records import RolloutState
from fleetloop_hub.monitoring.attempts import NAMES
from fleetloop_hub.monitoring.overview import Level, Overview
from fleetloop_hub.monitoring.overview_reader import OverviewReader
from fleetloop_hub.records import RunState, Verdict, Version, VersionState
from fleetloop_hub.tables.versions import versions_table
from fleetloop_shared.errors import reasons
from fleetloop_shared.reports import EventKind, Report
from support.hubrecords import (
    SHA,
    a_decision,
    a_device,
    a_drift,
    a_health,
    a_rollout,
    a_run,
    a_version,
    an_event,
)
from support.hubweb import WebHub, fill, show_up, tell, web_hub
from support.reports import labels, sample, samples


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with web_hub(tmp_path) as hub:
        yield hub


def look(hub: WebHub) -> Overview:
    return OverviewReader(hub.catalog, hub.telemetry).read()


def stage(overview: Overview, name: str) -> tuple[str, Level]:
    return next((s.number, s.level) for s in overview.stages if s.name == name)


def test_an_empty_hub_says_so_and_asks_for_a_model(hub: WebHub) -> None:
    overview = look(hub)
    assert overview.health.level is Level.OFF
    assert overview.next_step.command == "fleetloop train SPEC.toml"
    assert [s.number for s in overview.stages] == ["-"] * 8
    assert overview.rollout is None


def test_a_loop_that_has_gone_round_is_told_whole(hub: WebHub) -> None:
    fill(hub)
    overview = look(hub)
    (device,) = overview.devices
    assert (device.cohort, device.hardware, device.online) == ("default", "pi4", True)
    assert (device.model, device.version, device.artifact) == ("rain", 1, SHA[:12])
    assert (device.level, device.words) == (Level.GOOD, "serving v1")
    assert (device.rows, device.outbox, device.labels, device.accuracy) == (100, 3, 50, 0.8)
    assert (device.drift_ratio, device.drift_feature, device.alarm) == (0.5, "temperature", False)
    (version,) = overview.versions
    assert (version.metric, version.value) == ("balanced accuracy", 0.81)
    assert (version.low, version.high) == (0.79, 0.83)
    assert (version.aliases, version.serving, version.gates_passed) == (["champion"], 1, 2)
    assert (version.float_bytes, version.artifact_bytes) == (40_000, 11_000)
    assert version.why == "3 of 4 devices see drift"
    assert overview.rollout is not None
    assert (overview.rollout.phase, overview.rollout.shares) == (1, [0.25, 1.0])
    assert overview.rollout.counts == {"ok": 1, "failed": 0}
    assert [d.key for d in overview.decisions] == ["decision-1"]
    assert [e.text for e in overview.events] == ["keeps rain v1"]
    assert {s.name: s.number for s in overview.stages} == {
        "Collect": "3",
        "Prepare": "2,000",
        "Train": "1",
        "Track": "1",
        "Validate": "2/2",
        "Deploy": "1/1",
        "Monitor": "0/1",
        "Retrain": "1",
    }
    assert overview.health.text == "1 of 1 devices online, all on rain v1; no drift."
    assert overview.next_step.text == "Nothing: rain v1 is on its way."


def test_blocked_version_that_drift_led_to_is_said_to_wait_for_labels(hub: WebHub) -> None:
    hub.catalog.put(a_device(), a_version(passes=False), a_decision())
    told = "rain v1 is blocked by a gate: see why."
    assert look(hub).next_step.text == f"{told} Retraining waits for new labels."
    hub.catalog.put(msgspec.structs.replace(a_decision(), trigger="person"))
    assert look(hub).next_step.text == told


def test_rows_add_up_over_reports_and_each_report_counts_once(hub: WebHub) -> None:
    reader = OverviewReader(hub.catalog, hub.telemetry, keep_s=0.0)
    show_up(hub.telemetry)
    for seq, total in ((1, 100), (2, 200), (3, 300)):
        tell(hub.telemetry, a_health(seq))
        assert [reader.read().devices[0].rows for _ in range(2)] == [total] * 2
    tell(hub.telemetry, a_health(3))
    assert reader.read().devices[0].rows == 300


def test_labels_add_up_under_the_loaded_version_only(hub: WebHub) -> None:
    show_up(hub.telemetry, version=2)
    tell(hub.telemetry, *(a_health(seq, version=2 if seq > 1 else 1) for seq in (1, 2, 3)))
    (device,) = look(hub).devices
    assert (device.labels, device.accuracy) == (100, 0.8)


def test_a_regression_has_labels_but_no_right_answers(hub: WebHub) -> None:
    fill(hub)
    hub.catalog.put(msgspec.structs.replace(a_version(), task="regression"))
    tell(hub.telemetry, _of_a_regression(a_health(20)))
    rows = [sample("p", label=2.5), sample("q", label=-1)]
    hub.telemetry.store([samples(1, *rows), labels(2, ("p", 3.0), ("q", -2.0))])
    overview = look(hub)
    (device,), (version,) = overview.devices, overview.versions
    assert (device.labels, device.accuracy) == (57, None)
    assert (version.field_labels, version.field_accuracy) == (2, None)
    assert version.field_error == 0.75
    page = hub.client().get("/").get_data(as_text=True)
    assert "0.75" in page
    assert "off on average, 2 labels" in page
    console = Console(width=300, record=True, file=io.StringIO())
    console.print(versions_table([version]))
    assert "0.75 off, 2 labels" in console.export_text()


def _of_a_regression(report: Report) -> Report:
    return msgspec.structs.replace(report, labels=7, labels_correct=None)


def test_the_later_report_counts_by_its_number_not_by_its_arrival(hub: WebHub) -> None:
    show_up(hub.telemetry)
    reader = OverviewReader(hub.catalog, hub.telemetry, keep_s=0.0)
    tell(hub.telemetry, a_drift(7, 0.3))
    assert reader.read().devices[0].drift_ratio == 0.3
    tell(hub.telemetry, a_drift(4, 5.0))
    assert reader.read().devices[0].drift_ratio == 0.3
    assert not reader.read().devices[0].alarm


def test_drift_and_labels_of_another_version_say_nothing_about_the_loaded_one(
    hub: WebHub,
) -> None:
    show_up(hub.telemetry, version=2)
    tell(hub.telemetry, a_drift(1, 4.0, version=1), a_health(2, version=1))
    (device,) = look(hub).devices
    assert (device.alarm, device.drift_ratio, device.accuracy) == (False, None, None)
    assert device.drift_history == [4.0]
    assert device.rows == 100


def test_an_alarm_is_told_in_the_sentence_with_its_feature(hub: WebHub) -> None:
    fill(hub)
    tell(hub.telemetry, a_drift(9, 3.0))
    overview = look(hub)
    assert overview.devices[0].level is Level.WARN
    assert overview.health.level is Level.WARN
    assert "station-1 sees drift, most in temperature" in overview.health.text
    assert stage(overview, "Monitor") == ("1/1", Level.WARN)


@pytest.mark.parametrize(
    ("reported", "words", "level"),
    [
        ({"version": None, "model": None}, "no model yet", Level.OFF),
        ({"state": "planned", "target": 2}, "about to fetch v2", Level.BUSY),
        (
            {"state": "fetching", "target": 2, "chunks_have": 3, "chunks_total": 9},
            "fetching v2, 3 of 9 chunks",
            Level.BUSY,
        ),
        ({"state": "staged", "target": 2}, "testing v2 before use", Level.BUSY),
        ({"state": "trial", "version": 2, "target": 2}, "trying v2 on live rows", Level.BUSY),
        ({"state": "committed", "version": 2}, "serving v2", Level.GOOD),
        ({"state": "rolled-back", "target": 2}, "going back from v2", Level.BUSY),
        ({"error": "v2 failed its test"}, "serving v1; v2 failed its test", Level.WARN),
        ({"state": "a-state-of-a-later-agent", "target": 2}, "serving v1", Level.GOOD),
    ],
)
def test_what_a_device_does_is_told_in_plain_words(
    hub: WebHub, reported: dict[str, Any], words: str, level: Level
) -> None:
    show_up(hub.telemetry, **reported)
    (device,) = look(hub).devices
    assert (device.words, device.level) == (words, level)


def test_an_offline_device_keeps_its_last_word_and_is_missed(hub: WebHub) -> None:
    fill(hub)
    hub.catalog.put(a_rollout(state=RolloutState.DONE))
    show_up(hub.telemetry, online=False)
    overview = look(hub)
    assert (overview.devices[0].level, overview.devices[0].words) == (Level.OFF, "serving v1")
    assert overview.health.level is Level.BAD
    assert "station-1" in overview.next_step.text


def test_a_device_that_never_came_and_one_that_never_enrolled_are_both_listed(hub: WebHub) -> None:
    hub.catalog.put(a_device("quiet"))
    show_up(hub.telemetry, "stranger")
    quiet, stranger = look(hub).devices
    assert (quiet.device, quiet.words, quiet.seen_at) == ("quiet", "enrolled, never heard of", None)
    assert (stranger.device, stranger.cohort, stranger.hardware) == ("stranger", "", "pi4")


@pytest.mark.parametrize("payload", [b"", b"{", b"\xff", b'{"online": "yes"}', b"[1]"])
def test_retained_messages_that_nobody_can_read_do_not_hide_the_device(
    hub: WebHub, payload: bytes
) -> None:
    hub.telemetry.pulse("station-1", state=payload, reported=payload)
    (device,) = look(hub).devices
    assert (device.device, device.online) == ("station-1", False)


def test_attempts_on_hub_and_devices_are_listed_by_name_the_last_one_first(hub: WebHub) -> None:
    topic = "fleetloop/v1/cohorts/plains/director"
    refused_text = "refused (rollback): 1 is older than 2"
    refused = an_event(9, refused_text, EventKind.REFUSED)
    told = msgspec.structs.replace(refused, reason="rollback", topic=topic)
    tell(hub.telemetry, told)
    show_up(hub.telemetry, refusals={"corrupt-chunk": 2, "rollback": 7})
    hub.telemetry.refuse("station-9", "undecodable", "not JSON", "up/drift")
    found = look(hub).attempts
    assert [(a.by, a.device, a.name, a.count, a.text, a.topic) for a in found] == [
        ("hub", "station-9", "undecodable", 1, "not JSON", "up/drift"),
        ("station-1", "station-1", "corrupt-chunk", 2, "", ""),
        ("station-1", "station-1", "rollback", 7, refused_text, topic),
    ]
    assert [a.level for a in found] == [Level.WARN, Level.BAD, Level.BAD]
    assert look(hub).events == []


def test_reasons_that_a_device_makes_up_are_one_line(hub: WebHub) -> None:
    made_up = [an_event(n, "x", EventKind.REFUSED) for n in range(50)]
    tell(hub.telemetry, *(msgspec.structs.replace(e, reason=f"r{e.seq}") for e in made_up))
    show_up(hub.telemetry, refusals={f"reason-{n}": 3 for n in range(100)})
    assert [(a.name, a.count) for a in look(hub).attempts] == [("other", 300)]


def test_a_device_that_floods_its_events_hides_no_other(hub: WebHub) -> None:
    show_up(hub.telemetry)
    show_up(hub.telemetry, "station-2")
    quiet = msgspec.structs.replace(an_event(1, "quiet"), device="station-2")
    tell(hub.telemetry, quiet, *(an_event(n, "loud") for n in range(1, 300)))
    assert "quiet" in {e.text for e in look(hub).events}


def test_every_name_that_is_counted_has_its_words() -> None:
    words = {title for _, title in NAMES.values()}
    assert reasons() <= NAMES.keys()
    assert len(words) == len(NAMES)


def test_events_and_decisions_are_newest_first(hub: WebHub) -> None:
    show_up(hub.telemetry)
    fault = an_event(2, "second", EventKind.FAULT)
    tell(hub.telemetry, an_event(1, "first"), fault, an_event(3, "third"))
    late = msgspec.structs.replace(a_decision("late"), at=2_000_000_000.0)
    hub.catalog.put(late, a_decision("early"))
    overview = look(hub)
    assert [(e.text, e.level) for e in overview.events] == [
        ("third", Level.GOOD),
        ("second", Level.BAD),
        ("first", Level.GOOD),
    ]
    assert [d.key for d in overview.decisions] == ["late", "early"]


@pytest.mark.parametrize(
    ("version", "command"),
    [
        (a_version(), "fleetloop rollouts start rain@1"),
        (a_version(passes=False), "fleetloop why rain@1"),
        (a_version(state=VersionState.REVERTED), "fleetloop why rain@1"),
        (a_version(state=VersionState.RELEASED), None),
    ],
    ids=["ready", "blocked", "reverted", "released"],
)
def test_the_next_step_follows_from_the_newest_version(
    hub: WebHub, version: Version, command: str | None
) -> None:
    hub.catalog.put(version, a_device())
    show_up(hub.telemetry)
    assert look(hub).next_step.command == command


def test_a_model_without_devices_asks_for_a_device(hub: WebHub) -> None:
    hub.catalog.put(a_version())
    overview = look(hub)
    assert overview.next_step.command == "fleetloop token"
    assert overview.health.text == "There is a model, but no device to serve it."


def test_a_suspect_device_is_named_before_anything_else_is_missed(hub: WebHub) -> None:
    hub.catalog.put(a_version(state=VersionState.RELEASED), a_device())
    show_up(hub.telemetry, online=False)
    suspect = a_decision(verdict=Verdict.INVESTIGATE)
    hub.catalog.put(msgspec.structs.replace(suspect, devices=["station-7"]))
    assert look(hub).next_step.text.startswith("Look at station-7: apart")


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (RunState.RUNNING, ("…", Level.BUSY)),
        (RunState.FAILED, ("0", Level.BAD)),
        (RunState.FINISHED, ("1", Level.GOOD)),
    ],
)
def test_the_training_stage_follows_the_newest_run(
    hub: WebHub, state: RunState, shown: tuple[str, Level]
) -> None:
    old = msgspec.structs.replace(a_run("old", state=RunState.FAILED), started_at=1.0)
    hub.catalog.put(old, a_run("new", state=state))
    assert stage(look(hub), "Train") == shown


def test_a_blocked_version_and_a_reverted_rollout_stand_out(hub: WebHub) -> None:
    hub.catalog.put(a_version(passes=False), a_rollout(state=RolloutState.REVERTED))
    overview = look(hub)
    assert stage(overview, "Validate") == ("1/2", Level.BAD)
    assert overview.rollout is not None
    assert overview.rollout.level is Level.BAD


def test_the_sentence_tells_versions_apart_and_counts_long_lists(hub: WebHub) -> None:
    for number in range(1, 5):
        show_up(hub.telemetry, f"station-{number}", version=number)
    hub.catalog.put(a_version(state=VersionState.RELEASED))
    text = look(hub).health.text
    assert text == "4 of 4 devices online, on rain v1, v2 and 2 more; no drift."


def test_many_who_look_at_once_share_one_overview(hub: WebHub) -> None:
    reader = OverviewReader(hub.catalog, hub.telemetry, keep_s=60.0)
    first = reader.read()
    hub.catalog.put(a_device())
    assert reader.read() is first


@pytest.mark.parametrize(
    ("until", "words"),
    [
        (
            1_700_000_000.0,
            "waits with v2: no trial outside 02:00-05:00, until 2023-11-14 22:13 UTC",
        ),
        (1e300, "waits with v2: no trial outside 02:00-05:00"),
        (None, "waits with v2: no trial outside 02:00-05:00"),
    ],
)
def test_a_device_that_waits_says_for_what_and_until_when(
    hub: WebHub, until: float | None, words: str
) -> None:
    show_up(
        hub.telemetry,
        state="deferred",
        target=2,
        waits_for="no trial outside 02:00-05:00",
        waits_until=until,
    )
    (device,) = look(hub).devices
    assert (device.words, device.level) == (words, Level.BUSY)
