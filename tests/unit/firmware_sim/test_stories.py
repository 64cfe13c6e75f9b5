"""Stories: found by name, drawn from a seed, and judged so that each demand can fail."""

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner

import fleetloop_firmware_sim
from fleetloop_firmware_sim.cli import app
from fleetloop_firmware_sim.errors import NoStoryError, RecordingError
from fleetloop_firmware_sim.stories import hub_kills, shelf, steady
from fleetloop_firmware_sim.stories.bad_release import summary as bad_release
from fleetloop_firmware_sim.stories.bad_release import world as bad_world
from fleetloop_firmware_sim.stories.bad_release.summary import BadReleaseSummary
from fleetloop_firmware_sim.stories.miswired import summary as miswired
from fleetloop_firmware_sim.stories.miswired.story import SWAPPED_AT_ROW, Miswired
from fleetloop_firmware_sim.stories.miswired.summary import MiswiredSummary
from fleetloop_firmware_sim.stories.playing import as_json
from fleetloop_firmware_sim.stories.quiet import summary as quiet
from fleetloop_firmware_sim.stories.quiet.summary import QuietSummary
from fleetloop_firmware_sim.stories.story import Asked, Story
from fleetloop_firmware_sim.stories.summary import Summary, judge
from fleetloop_firmware_sim.stories.weather import summary as weather
from fleetloop_firmware_sim.stories.weather.summary import WeatherSummary
from fleetloop_firmware_sim.stories.weather.world import build

RECORDING = Path(str(fleetloop_firmware_sim.__file__)).parent / "data" / "noaa_weather.csv"

RIGHT: dict[str, tuple[Summary, Any]] = {
    "weather": (
        WeatherSummary(
            story="weather",
            seed=1,
            devices=6,
            champion_before=1,
            champion_after=2,
            accuracy_gain_low=0.01,
            drift_alarms=3,
            devices_committed=6,
            resumed_fetches=1,
            reports_sent=9,
            reports_stored=9,
        ),
        weather.demands,
    ),
    "quiet": (
        QuietSummary(
            story="quiet",
            seed=1,
            devices=20,
            rows=200_000,
            rows_wanted=200_000,
            windows=780,
            drift_alarms=1,
            alarms_budgeted=1,
            versions=1,
            devices_committed=20,
            reports_sent=9,
            reports_stored=9,
        ),
        quiet.demands,
    ),
    "miswired": (
        MiswiredSummary(
            story="miswired",
            seed=1,
            devices=8,
            miswired="station-7",
            investigated=("station-7",),
            rows_until_named=320,
            rows_after_named=768,
            versions=1,
            devices_committed=8,
            reports_sent=9,
            reports_stored=9,
        ),
        miswired.demands,
    ),
    "bad-release": (
        BadReleaseSummary(
            story="bad-release",
            seed=1,
            devices=8,
            bad_board="board-b",
            gates_passed=True,
            rollout="reverted",
            phases_opened=1,
            canary_devices=2,
            took_it=("station-1", "station-2"),
            rows_of_it=900,
            statements=2,
            proof=("accuracy",),
            quarantined=("board-b",),
            control=("station-3", "station-4"),
            control_probes=128,
            devices_back=8,
            versions=2,
            why=("It was asked for.", "It went to stations and was taken back."),
            reports_sent=9,
            reports_stored=9,
        ),
        bad_release.demands,
    ),
}

WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("weather", {"champion_before": None}, "no version was released"),
    ("weather", {"drift_alarms": 0}, "no device saw drift"),
    ("weather", {"champion_after": 1}, "no better version took over"),
    ("weather", {"accuracy_gain_low": 0.0}, "the gain in accuracy is not beyond chance"),
    ("weather", {"devices_committed": 5}, "not every device runs the champion"),
    ("weather", {"resumed_fetches": 0}, "the killed device did not resume its fetch"),
    ("weather", {"reports_stored": 8}, "reports were lost"),
    ("weather", {"reports_sent": 0, "reports_stored": 0}, "reports were lost"),
    ("weather", {"killed_hub": True}, "the hub was never killed"),
    ("quiet", {"rows": 199_999}, "not every row was answered"),
    ("quiet", {"windows": 0}, "no window was judged"),
    ("quiet", {"drift_alarms": 2}, "more false alarms than budgeted"),
    ("quiet", {"retrainings": 1}, "something was retrained"),
    ("quiet", {"versions": 2}, "something was retrained"),
    ("quiet", {"devices_committed": 19}, "not every device runs the first version"),
    ("miswired", {"investigated": ()}, "the miswired device was not named"),
    ("miswired", {"investigated": ("station-1", "station-7")}, "another device was named"),
    ("miswired", {"rows_until_named": None}, "it took more rows than allowed"),
    ("miswired", {"rows_until_named": 1_025}, "it took more rows than allowed"),
    ("miswired", {"rows_until_named": -1}, "it was named before its sensors were swapped"),
    ("miswired", {"rows_after_named": 0}, "the others were not watched afterwards"),
    ("miswired", {"versions": 2}, "something was retrained"),
    ("miswired", {"devices_committed": 7}, "not every device runs the first version"),
    ("bad-release", {"gates_passed": False}, "the candidate did not pass the offline gates"),
    ("bad-release", {"rollout": "done"}, "the rollout was not reverted"),
    ("bad-release", {"phases_opened": 2}, "it came further than the canary"),
    ("bad-release", {"took_it": (), "rows_of_it": 0}, "no device has tried it"),
    ("bad-release", {"canary_devices": 1}, "more devices than the canary have tried it"),
    (
        "bad-release",
        {"statements": 1},
        "it was not taken back by a statement after the one that offered it",
    ),
    ("bad-release", {"control": ()}, "there was no control"),
    ("bad-release", {"control_unanswered": 1}, "the control has left rows unanswered"),
    ("bad-release", {"control_changed": 1}, "the control answers otherwise than before"),
    ("bad-release", {"quarantined": ()}, "it is not in quarantine on that hardware"),
    (
        "bad-release",
        {"quarantined": ("board-a", "board-b")},
        "it is in quarantine where it does no harm",
    ),
    ("bad-release", {"devices_back": 7}, "not every device is back at the version before"),
    (
        "bad-release",
        {"proof": ("drift",)},
        "it was not stopped for its labelled accuracy on that hardware",
    ),
    ("bad-release", {"retrainings": 1}, "something was retrained"),
    ("bad-release", {"versions": 3}, "something was retrained"),
    ("bad-release", {"why": ()}, "its record does not tell that it was taken back"),
]


@pytest.mark.parametrize("name", RIGHT)
def test_a_story_in_which_all_has_happened_ended_right(name: str) -> None:
    found, demands = RIGHT[name]
    judged = judge(found, demands(found))
    assert judged.closed
    assert judged.missing == []


@pytest.mark.parametrize(("name", "change", "missing"), WRONG)
def test_a_story_in_which_one_thing_is_missing_did_not_end_right(
    name: str, change: dict[str, Any], missing: str
) -> None:
    found, demands = RIGHT[name]
    worse = msgspec.structs.replace(found, **change)
    judged = judge(worse, demands(worse))
    assert not judged.closed
    assert missing in judged.missing


def test_every_demand_of_every_story_was_seen_to_fail() -> None:
    for name, (found, demands) in RIGHT.items():
        failed = {missing for story, _, missing in WRONG if story == name}
        assert demands(found).keys() <= failed


def test_the_summary_says_which_story_and_seed_it_is_about() -> None:
    told = json.loads(as_json(RIGHT["weather"][0]))
    assert (told["story"], told["seed"], told["closed"]) == ("weather", 1, False)


def test_an_unknown_story_is_refused_with_the_names_of_those_that_there_are() -> None:
    with pytest.raises(NoStoryError, match="weather"):
        shelf.find("wether")


def test_the_stories_are_listed_with_what_happens() -> None:
    told = CliRunner().invoke(app, ["demo", "--list"]).stdout
    for story in shelf.STORIES:
        assert story.name in told
        assert story.caption in told


@pytest.mark.parametrize("story", shelf.STORIES, ids=lambda story: story.name)
def test_a_story_with_too_few_devices_is_refused(story: type[Story[Any]]) -> None:
    with pytest.raises(RecordingError, match="devices"):
        story(Asked(devices=story.fewest_devices - 1))


def test_kills_of_the_hub_are_drawn_from_the_seed() -> None:
    assert hub_kills.draw(3) == hub_kills.draw(3)
    assert hub_kills.draw(3) != hub_kills.draw(4)
    assert all(kill.after_s >= hub_kills.SOONEST_S for kill in hub_kills.draw(3))


def test_a_seed_means_the_same_weather_and_another_seed_other_years() -> None:
    first, again, other = (build(RECORDING, 4, seed) for seed in (1, 1, 2))
    assert first.training_csv == again.training_csv != other.training_csv
    assert all(
        np.array_equal(a.rows, b.rows) for a, b in zip(first.stations, again.stations, strict=True)
    )
    assert not np.array_equal(first.stations[0].rows, other.stations[0].rows)


@pytest.mark.parametrize("seed", range(6))
def test_no_day_of_the_weather_is_in_two_parts_of_the_story(seed: int) -> None:
    world = build(RECORDING, 3, seed)
    trained = {int(line.partition(",")[0]) for line in world.training_csv.splitlines()[1:]}
    lived = {int(day) for station in world.stations for day in station.rows[:, 0]}
    held_out = {int(day) for part in world.held_out for day in part.rows[:, 0]}
    assert trained
    assert lived
    assert held_out
    assert max(trained) < min(lived)
    assert max(lived) < min(held_out)


def test_a_steady_world_is_the_same_for_the_same_seed_and_station() -> None:
    one, again, other = steady.life(99, 1, 2), steady.life(99, 1, 2), steady.life(99, 1, 3)
    assert np.array_equal(one.rows, again.rows)
    assert one.labels == again.labels
    assert not np.array_equal(one.rows, other.rows)


def test_only_the_miswired_station_differs_and_only_from_its_row_on() -> None:
    story = Miswired(Asked(seed=2, devices=5))
    a, b = (steady.COLUMNS.index(name) for name in story.pair)
    for number, life in enumerate(story.lives):
        right = steady.life(len(life.labels), 2, number + 1).rows
        first = SWAPPED_AT_ROW if number == story.victim else len(right)
        assert np.array_equal(life.rows[:first], right[:first])
        assert np.array_equal(life.rows[first:, a], right[first:, b])
        assert np.array_equal(life.rows[first:, b], right[first:, a])


def test_the_boards_of_the_bad_release_differ_in_the_hour_of_humidity_alone() -> None:
    good, bad = (bad_world.life(99, 1, 2, b) for b in (bad_world.GOOD_BOARD, bad_world.BAD_BOARD))
    at = good.columns.index(bad_world.HUMIDITY)
    assert np.array_equal(good.rows[:-1, at], bad.rows[1:, at])
    assert np.array_equal(np.delete(good.rows, at, 1), np.delete(bad.rows, at, 1))
    assert good.labels == bad.labels


def test_no_column_of_the_bad_board_looks_otherwise_than_where_the_model_comes_from() -> None:
    lines = bad_world.training_csv(3).splitlines()
    names = lines[0].split(",")
    trained = np.array([[float(cell) for cell in line.split(",")] for line in lines[1:]])
    bad = bad_world.life(20_000, 3, 1, bad_world.BAD_BOARD)
    before = trained[:, [names.index(name) for name in bad.columns]]
    spread = before.std(axis=0)
    assert np.all(np.abs(bad.rows.mean(axis=0) - before.mean(axis=0)) < 0.05 * spread)
    alike = np.corrcoef(bad.rows.T) - np.corrcoef(before.T)
    assert np.all(np.abs(alike) < 0.05)
