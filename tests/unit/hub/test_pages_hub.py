"""The overview, what was refused, and how the hub itself is, as pages."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from fleetloop_hub.alert_records import Alert, AlertKind, AlertLevel, AlertState
from fleetloop_hub.fleet_records import RolloutState
from fleetloop_hub.metrics.families import BACKLOG, CONNECTED, STEP_FAULTS, STEPPED_AT
from fleetloop_hub.records import RunState, VersionState
from fleetloop_hub.web.changes import Changes
from fleetloop_hub.web.room import Room
from support.hubrecords import START, a_device, a_rollout, a_run, a_version
from support.hubweb import WebHub, fill, show_up, web_hub

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with web_hub(tmp_path) as hub:
        yield hub


def an_alert(subject: str, level: AlertLevel = AlertLevel.WARN, at: float = START) -> Alert:
    return Alert(
        key=f"drift/{subject}",
        kind=AlertKind.DRIFT,
        subject=subject,
        level=level,
        text="3 devices see drift",
        page="/devices?alarm=drift",
        state=AlertState.OPEN,
        opened_at=at,
        changed_at=at,
    )


def test_an_empty_hub_says_in_three_steps_how_to_begin(hub: WebHub) -> None:
    text = hub.client().get("/").text
    assert re.findall(r"step (\d)", text) == ["1", "2", "3"]
    for command in ("fleetloop init NAME", "fleetloop token", "fleetloop-sim fleet --help"):
        assert command in text
    hub.catalog.put(a_version(), a_device())
    again = hub.client().get("/").text
    assert re.findall(r"step (\d)", again) == ["3"]


def test_every_stage_leads_to_its_page_and_none_to_a_page_that_is_not_there(hub: WebHub) -> None:
    fill(hub)
    reader = hub.client()
    text = reader.get("/").text
    stops = re.findall(r'<(a|div)(?: href="([^"]+)")? class="stop">', text)
    assert len(stops) == 8
    assert {path for tag, path in stops if tag == "a"} >= {"/devices", "/rollouts"}
    for path in {path for _, path in stops if path}:
        assert reader.get(path).status_code == 200


def test_the_next_step_has_its_command_and_its_page(hub: WebHub) -> None:
    hub.catalog.put(a_device(), a_version(2))
    text = hub.client().get("/").text
    assert 'href="/rollouts/new?which=rain@2"' in text
    assert 'data-copy="fleetloop rollouts start rain@2"' in text


def test_open_alerts_stand_gravest_first_and_closed_ones_do_not(hub: WebHub) -> None:
    closed = replace(an_alert("gone"), state=AlertState.CLOSED)
    seen = replace(an_alert("seen"), state=AlertState.ACKNOWLEDGED, acknowledged_by=SCRIPT)
    grave = an_alert(SCRIPT, AlertLevel.BAD)
    hub.catalog.put(closed, seen, an_alert("mild", at=START + 1), grave)
    text = hub.client().get("/").text
    assert "3 open" in text
    assert "gone" not in text
    assert SCRIPT not in text
    where = [text.index(word) for word in ("alert(1)&lt;/script&gt;</a>", ">mild<", ">seen<")]
    assert where == sorted(where)


def test_running_rollouts_are_shown_and_without_any_the_last_one(hub: WebHub) -> None:
    fill(hub)
    done = replace(a_rollout(state=RolloutState.DONE), key="older", started_at=START - 9)
    hub.catalog.put(replace(a_rollout(), key="second", evidence={"ok": 2, "failed": 1}), done)
    reader = hub.client()
    text = reader.get("/").text
    assert "2 under way" in text
    assert 'aria-label="2 ok, 1 failed"' in text
    assert "/rollouts/older" not in text
    hub.catalog.put(*(replace(r, state=RolloutState.DONE, ended_at=START) for r in
                      (a_rollout(), replace(a_rollout(), key="second"))))  # fmt: skip
    assert "none under way" in reader.get("/").text


def test_only_champions_and_the_newest_version_are_told_at_length(hub: WebHub) -> None:
    fill(hub)  # version 1 is the champion
    hub.catalog.put(*(a_version(n, state=VersionState.REVERTED) for n in range(2, 6)))
    assert re.findall(r'href="/why/rain/(\d)"', hub.client().get("/").text) == ["5", "1"]


def test_devices_that_want_a_look_are_named_those_that_are_away_last(hub: WebHub) -> None:
    hub.catalog.put(a_device(), a_device("station-2"), a_device("station-3"))
    show_up(hub.telemetry, "station-1", online=False)
    show_up(hub.telemetry, "station-2", error="no room")
    show_up(hub.telemetry, "station-3")
    found = re.findall(r'href="/devices/(station-\d)">station', hub.client().get("/").text)
    assert found == ["station-2", "station-1"]


def test_what_was_refused_is_filtered_and_exported(hub: WebHub) -> None:
    fill(hub)
    hub.telemetry.refuse("station-1", "rollback", "=cmd()", "t/1")
    hub.telemetry.refuse("unknown", "undecodable", SCRIPT)
    reader = hub.client()
    assert SCRIPT not in reader.get("/attempts").text
    text = reader.get("/attempts?level=bad").text
    assert "Rollback: an old statement replayed" in text
    assert "Malformed message" not in text
    assert 'href="/devices/station-1"' in text
    assert "Nothing like this" in reader.get("/attempts?device=nobody").text
    told = reader.get("/attempts?format=csv&name=rollback").text
    assert ",'=cmd()," in told
    rows = json.loads(reader.get("/attempts?format=json").data)["attempts"]
    assert {row["name"] for row in rows} == {"rollback", "undecodable"}


def test_the_system_page_tells_of_broker_queues_room_and_versions(hub: WebHub) -> None:
    hub.meter.set(CONNECTED, 1)
    hub.meter.set(BACKLOG, 1_234)
    hub.catalog.put(a_run("waiting", state=RunState.QUEUED))
    text = hub.client().get("/system").text
    for shown in (
        "mqtt://127.0.0.1:1883",
        "NATS server, run by the hub",
        ">connected</span>",
        "1,234",
        "telemetry.sqlite",
        "fleetloop-hub",
        f"cp -a {hub.state_dir.absolute()} BACKUP",
        'href="/healthz"',
        'href="/metrics"',
        "of 200 that are told",
    ):
        assert shown in text
    assert re.search(r"trainings</th><td[^>]*>1<", text)


def test_a_hub_that_does_not_step_is_not_called_running(hub: WebHub) -> None:
    reader = hub.client()
    for stepped_at, faults, word in [
        (0.0, 0, "running"),
        (1.0, 0, "stuck"),
        (9e9, 0, "running"),
        (9e9, 2, "with faults"),
    ]:
        hub.meter.set(STEPPED_AT, stepped_at)
        hub.meter.add(STEP_FAULTS, by=faults)
        assert f"</svg>{word}</span>" in reader.get("/system").text


def test_room_is_counted_by_part_and_no_more_than_twice_a_minute(tmp_path: Path) -> None:
    (tmp_path / "blobs" / "ab").mkdir(parents=True)
    (tmp_path / "blobs" / "ab" / "x").write_bytes(b"12345")
    (tmp_path / "telemetry.sqlite-wal").write_bytes(b"123")
    (tmp_path / "note").write_bytes(b"1")
    (tmp_path / "loop").symlink_to(tmp_path)
    now = [0.0]
    room = Room(tmp_path, lambda: now[0])
    seen = {part.name: (part.size_bytes, part.files) for part in room.read().parts}
    assert seen["blobs"] == (5, 1)
    assert seen["telemetry.sqlite"] == (3, 1)
    assert seen["other"][1] == 2
    (tmp_path / "blobs" / "y").write_bytes(b"1")
    now[0] = 29.0
    assert room.read().size_bytes == sum(size for size, _ in seen.values())
    now[0] = 30.0
    assert room.read().size_bytes == 1 + sum(size for size, _ in seen.values())


def test_open_streams_are_counted(hub: WebHub) -> None:
    changes = Changes(hub.catalog, hub.telemetry)
    stream = changes.stream(["devices"])
    assert changes.open == 0
    next(stream)
    assert changes.open == 1
    changes.stop()
    assert list(stream) == []
    assert changes.open == 0


def test_a_fleet_that_is_away_is_not_said_to_have_no_model(hub: WebHub) -> None:
    hub.catalog.put(a_device(), a_version())
    show_up(hub.telemetry, online=False)
    text = hub.client().get("/").text
    assert "0 of 1 devices online." in text
    assert "none has a model" not in text
