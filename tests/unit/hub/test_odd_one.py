"""One odd device, one odd cohort, a changed world: who has moved, told from merged profiles."""

import re
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetloop_hub.monitoring.odd_one import judge_fleet
from fleetloop_hub.monitoring.swapped import CHANCE
from fleetloop_hub.monitoring.yardstick import Standing
from fleetloop_hub.verdict_records import FleetVerdict, Who
from support.fleet_rows import Rows, World

ROWS = 1_024
Fault = Callable[[Rows], None]

WORLD = World()
"""Six features: f0 to f3 are numbers, f4 a category, f5 never varies."""


@pytest.fixture(autouse=True)
def drawn_alike() -> None:
    """Every test draws the same rows, whichever ran before."""
    WORLD.random = np.random.default_rng(7)


def offset(rows: Rows) -> None:
    rows[:, 0] += 15


def swap(rows: Rows) -> None:
    rows[:, [0, 1]] = rows[:, [1, 0]]


def stuck(rows: Rows) -> None:
    rows[:, 2] = 20


def lost(rows: Rows) -> None:
    rows[::4, 3] = np.nan


def miscoded(rows: Rows) -> None:
    rows[:, 4] = 0


def outside(rows: Rows) -> None:
    rows[::50, 3] = -999


def awake(rows: Rows) -> None:
    rows[:, 5] = 1


FAULTS: dict[str, tuple[Fault, str, str]] = {
    "one wire on another sensor": (offset, "mean", "f0"),
    "two wires exchanged": (swap, "swapped", "f0"),
    "a sensor that is stuck": (stuck, "spread", "f2"),
    "a loose contact": (lost, "missing", "f3"),
    "values that cannot be": (outside, "mean", "f3"),
    "a category miscoded": (miscoded, "category", "f4"),
    "a constant that has changed": (awake, "category", "f5"),
}


def fleet(  # noqa: PLR0913  # five by keyword only
    count: int,
    fault: Fault | None = None,
    *,
    faulty: int = 1,
    quiet_times: bool = True,
    everywhere: Fault | None = None,
    cohort: Callable[[int], str] = lambda _: "default",
) -> list[Standing]:
    """Devices d0, d1 and so on; the first of them have the fault."""
    standings = []
    for k in range(count):
        own = WORLD.own()
        rows, usual = WORLD.rows(ROWS, own), WORLD.rows(ROWS, own)
        if everywhere is not None:
            everywhere(rows)
        if fault is not None and k < faulty:
            fault(rows)
        before = usual if quiet_times else None
        standings.append(WORLD.stand(f"d{k}", rows, cohort=cohort(k), usual=before))
    return standings


def judge(standings: list[Standing], silent: Sequence[Standing] = ()) -> FleetVerdict:
    return judge_fleet("rain", 3, WORLD.yardstick, standings, silent)


@pytest.mark.parametrize("count", [5, 50])
@pytest.mark.parametrize("name", FAULTS)
def test_one_device_with_a_fault_is_named_with_what_is_wrong(name: str, count: int) -> None:
    fault, what, feature = FAULTS[name]
    verdict = judge(fleet(count, fault))
    assert verdict.who is Who.DEVICES
    [odd] = verdict.devices
    assert odd.name == "d0"
    assert (odd.differences[0].what, odd.differences[0].feature) == (what, feature)
    assert odd.differences[0].chance < CHANCE
    assert verdict.text == "d0 is odd"


def test_size_is_told_in_the_unit_of_the_feature() -> None:
    verdict = judge(fleet(8, offset))
    difference = verdict.devices[0].differences[0]
    assert difference.size == pytest.approx(15, abs=2)
    assert difference.unit == "°C"
    assert " °C higher (3" in verdict.reasons[0]


def test_category_is_told_by_its_name() -> None:
    difference = judge(fleet(8, miscoded)).devices[0].differences[0]
    assert difference.other == "a"
    assert difference.here == pytest.approx(1.0)


def test_several_odd_devices_do_not_hide_each_other() -> None:
    verdict = judge(fleet(20, offset, faulty=5))
    assert verdict.who is Who.DEVICES
    assert {odd.name for odd in verdict.devices} == {f"d{k}" for k in range(5)}


def test_devices_that_are_all_apart_from_each_other_are_not_called_odd() -> None:
    faults = [offset, stuck, lost, miscoded]
    standings = fleet(7)
    for k, fault in enumerate(faults):
        rows = WORLD.rows(ROWS)
        fault(rows)
        standings[k] = WORLD.stand(f"d{k}", rows, usual=WORLD.rows(ROWS))
    verdict = judge(standings)
    assert verdict.who is Who.UNDECIDED
    assert not verdict.devices
    told = "devices are apart from each other, too many to call one of them odd: d0, d1, d2"
    assert any(told in reason for reason in verdict.reasons)


def test_nothing_is_said_of_the_whole_fleet_against_an_alarm_of_a_silent_device() -> None:
    standings = fleet(4)
    assert judge(standings[:1], silent=standings[1:]).who is Who.NOBODY
    rows = WORLD.rows(ROWS)
    offset(rows)
    standings[3] = WORLD.stand("d3", rows)
    verdict = judge(standings[:1], silent=standings[1:])
    assert verdict.who is Who.UNDECIDED
    assert verdict.silent == ["d1", "d2", "d3"]
    assert verdict.reasons[-2:] == [
        "the last window of d3 saw drift",
        "1 of 4 devices can be compared: too few to speak of the whole fleet",
    ]


def test_fleet_of_which_most_are_silent_has_not_moved_as_a_whole() -> None:
    standings = fleet(11, everywhere=offset)
    assert judge(standings[:6], silent=standings[6:]).who is Who.FLEET
    assert judge(standings[:4], silent=standings[4:]).who is Who.UNDECIDED


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (-1.0, r"f4 is unlisted in (19|20|21)\.\d% of the rows, 0\.0% in training \("),
        (2.0, r"f4 is another category than in training in 1\d\.\d% of the rows \("),
        (np.nan, r"f4 is missing in (19|20|21)\.\d% of the rows, 0\.0% in training \("),
    ],
)
def test_fleet_of_other_categories_is_told_by_their_shares(code: float, words: str) -> None:
    def other(rows: Rows) -> None:
        rows[::5, 4] = code

    verdict = judge(fleet(4, everywhere=other))
    assert verdict.who is Who.FLEET
    assert re.match(words, verdict.reasons[0]), verdict.reasons[0]


def test_fault_since_the_first_row_is_found_without_any_quiet_time() -> None:
    assert judge(fleet(8, offset, quiet_times=False)).who is Who.DEVICES


def test_a_fleet_in_peace_is_left_in_peace() -> None:
    verdict = judge(fleet(12))
    assert verdict.who is Who.NOBODY
    assert not verdict.devices
    assert not verdict.cohorts


def test_a_world_that_has_moved_is_no_device() -> None:
    verdict = judge(fleet(12, everywhere=offset))
    assert verdict.who is Who.FLEET
    assert not verdict.devices
    assert verdict.ratio >= 1
    assert verdict.reasons[0].startswith("f0 reads 1")
    assert "higher than in training" in verdict.reasons[0]


def test_device_that_does_not_follow_a_moved_world_is_named_beside_it() -> None:
    standings = fleet(12, everywhere=offset)
    standings[0] = WORLD.stand("d0", WORLD.rows(ROWS), usual=WORLD.rows(ROWS))
    verdict = judge(standings)
    assert verdict.who is Who.FLEET
    assert [odd.name for odd in verdict.devices] == ["d0"]


def test_cohort_with_another_climate_is_neither_a_device_nor_the_world() -> None:
    halves = fleet(16, offset, faulty=6, cohort=lambda k: "south" if k < 6 else "north")
    verdict = judge(halves)
    assert verdict.who is Who.COHORTS
    [cohort] = verdict.cohorts
    assert cohort.name == "south"
    assert cohort.differences[0].feature == "f0"
    assert cohort.differences[0].size == pytest.approx(15, abs=2)
    assert not verdict.devices
    assert verdict.text == "cohort south has moved"


def test_odd_device_of_an_odd_climate_is_seen_among_its_own() -> None:
    standings = fleet(16, offset, faulty=6, cohort=lambda k: "south" if k < 6 else "north")
    rows = WORLD.rows(ROWS)
    offset(rows)
    stuck(rows)
    standings[2] = WORLD.stand("d2", rows, cohort="south", usual=WORLD.rows(ROWS))
    verdict = judge(standings)
    assert [odd.name for odd in verdict.devices] == ["d2"]
    assert verdict.devices[0].differences[0].feature == "f2"


@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two_devices_cannot_be_told_from_the_world(count: int) -> None:
    verdict = judge(fleet(count, offset))
    assert verdict.who is Who.UNDECIDED
    assert "3 are needed to tell a device from the world" in verdict.reasons[-1]


def test_device_with_few_rows_is_named_as_not_judged() -> None:
    few = WORLD.rows(100)
    offset(few)
    verdict = judge([*fleet(6), WORLD.stand("new", few)])
    assert verdict.who is Who.NOBODY
    assert verdict.unjudged == ["new"]
    assert "too few rows yet of new" in verdict.reasons


def test_nobody_to_judge_is_nobody_moved() -> None:
    verdict = judge([])
    assert (verdict.who, verdict.judged) == (Who.NOBODY, 0)


def test_devices_that_move_apart_from_each_other_are_not_decided_on() -> None:
    standings = [
        WORLD.stand(f"d{k}", WORLD.rows(ROWS, np.array([sign * 3.0, *[0.0] * 5])))
        for k, sign in enumerate([-1, 1, -1, 1, -1, 1])
    ]
    verdict = judge(standings)
    assert verdict.who is Who.UNDECIDED
    assert any("beyond chance" in reason for reason in verdict.reasons)


@settings(max_examples=10, deadline=None)
@given(order=st.permutations(range(7)))
def test_order_of_devices_changes_nothing(order: list[int]) -> None:
    WORLD.random = np.random.default_rng(3)
    standings = fleet(7, offset)
    assert judge([standings[k] for k in order]) == judge(standings)


def test_names_of_devices_change_names_only() -> None:
    standings = fleet(7, offset)
    renamed = [
        Standing(f"z{6 - k}", s.cohort, s.profile, s.values, s.ratio, s.usual)
        for k, s in enumerate(standings)
    ]
    before, after = judge(standings), judge(renamed)
    assert [o.name for o in after.devices] == ["z6"]
    assert after.devices[0].differences == before.devices[0].differences


def test_false_words_in_peace_keep_to_their_chance() -> None:
    """Devices that differ among themselves; more than 2 of 60 fleets are 2 % likely at the limit.

    `make bench-drift` has the full figures.
    """
    wrong = 0
    for _ in range(60):
        standings = []
        for k in range(5):
            own = WORLD.own() * 10
            rows, usual = WORLD.rows(512, own), WORLD.rows(512, own)
            standings.append(WORLD.stand(f"d{k}", rows, usual=usual))
        wrong += bool(judge(standings).devices)
    assert wrong <= 2
