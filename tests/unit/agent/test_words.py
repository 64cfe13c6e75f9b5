"""What a daemon says of itself, as people read it."""

import time

import msgspec
import pytest

from fleetloop_agent.device import words
from fleetloop_shared.messages import ReportedState


@pytest.fixture
def in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def test_an_update_is_told_in_words() -> None:
    update = ReportedState(
        at=0.0,
        boot=1,
        sequence=2,
        state="deferred",
        model="rain",
        version=1,
        target=2,
        waits_for="an application asks to wait",
        waits_until=1_700_000_000.0,
    )
    serves, moves, waits, _ = words.update_in_words(update)
    assert (serves, moves) == ("serves rain 1", "moves to version 2: deferred")
    assert waits.startswith("waits: an application asks to wait, until ")
    assert "2023" in waits
    trial = msgspec.structs.replace(update, state="trial", waits_for=None, attempts_left=2)
    assert words.update_in_words(trial)[2] == "if the agent ends, 2 more starts try this version"
    none = ReportedState(at=0.0, boot=1, sequence=0, state="serving")
    assert words.update_in_words(none) == ["serves no model yet", ""]
    assert words.time_in_words(1e300) == "further away than a calendar reaches"


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("model", None, "-"),
        ("slots", [], "-"),
        ("rows", 0, "0"),
        ("connected", False, "no"),
        ("connected", True, "yes"),
        ("refusals", {"rollback": 2, "foreign": 1}, "rollback 2, foreign 1"),
        ("slots", ["a", "b"], "a, b"),
        ("state", "trial", "trial"),
        ("at", 1_700_000_000.0, "2023-11-14 22:13:20 UTC"),
        ("time_floor", 0.0, "-"),
        ("free_bytes", 0, "0 B"),
        ("free_bytes", 1536, "1.5 KiB"),
        ("free_bytes", 2**60, "1048576.0 TiB"),
        ("machine_cpu_ratio", 0.123, "12.3 %"),
        ("temperature_c", 61.54, "61.5 °C"),
        ("offset_s", -0.0125, "-0.013 s"),
        ("machine_uptime_s", 90_061.0, "1 day, 1:01:01 h"),
        ("offset_s", -3_600.0, "-1:00:00 h"),
        ("offset_s", 1e300, "1e+300 s"),
    ],
)
@pytest.mark.usefixtures("in_utc")
def test_values_are_shown_as_people_read_them(name: str, value: object, shown: str) -> None:
    assert words.value_in_words(name, value) == shown


def test_groups_stand_under_their_names() -> None:
    told = {
        "device": "a",
        "system": {"temperature_c": None},
        "clock": None,
        "reported": {"state": "serving"},
    }
    assert [line.split() for line in words.fields_in_words(told)] == [
        ["device", "a"],
        ["system:"],
        ["temperature_c", "-"],
        ["clock", "-"],
        ["state", "serving"],
    ]
