"""The rollout's judgement, as a function of what devices report."""

import contextlib
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetloop_hub.delivery.rollout import (
    BUCKETS,
    MOVES,
    Move,
    Sighting,
    Standing,
    advance,
    draw_salt,
    in_phase,
    judge,
    standing,
)
from fleetloop_hub.fleet_records import Rollout, RolloutState
from fleetloop_hub.spec.fleet_tables import RolloutTable
from fleetloop_shared.ids import bucket

NEW, OLD = "ab" * 32, "cd" * 32


def make_rollout(phase: int = 0, state: RolloutState = RolloutState.OPEN) -> Rollout:
    return Rollout(
        key="rain-2-default-1",
        model="rain",
        version=2,
        control=1,
        cohort="default",
        salt="s",
        phases=[2_500, BUCKETS],
        phase=phase,
        state=state,
        phase_since=0.0,
        started_at=0.0,
    )


LOADED_NEW = Sighting(
    online=True, artifact=NEW, settled=True, quarantined=frozenset(), sequence=5, silent_s=0.0
)
LOADED_OLD = replace(LOADED_NEW, artifact=OLD)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (LOADED_NEW, Standing.OK),
        (replace(LOADED_NEW, settled=False), Standing.RUNNING),
        (LOADED_OLD, Standing.RUNNING),
        (replace(LOADED_OLD, quarantined=frozenset({NEW})), Standing.FAILED),
        (replace(LOADED_NEW, online=False), Standing.OK),
        (replace(LOADED_OLD, online=False, sequence=4, silent_s=999), Standing.UNSEEN),
        (replace(LOADED_OLD, online=False, silent_s=59), Standing.RUNNING),
        (replace(LOADED_OLD, online=False, silent_s=61), Standing.LOST),
    ],
)
def test_a_device_stands_as_it_reports(seen: Sighting, expected: Standing) -> None:
    assert standing(seen, NEW, 5, 60) is expected


def verdict(standings: Mapping[str, Standing], **policy: float) -> Move:
    table = RolloutTable(min_devices=1, **policy)  # type: ignore[arg-type]  # thresholds only
    return judge(make_rollout(), standings, table)[0]


def test_an_installed_model_still_on_trial_does_not_open_the_next_phase() -> None:
    assert verdict({"a": Standing.RUNNING}) is Move.STAY


def test_a_phase_of_well_devices_opens_the_next() -> None:
    assert verdict({"a": Standing.OK}) is Move.NEXT


def test_the_last_phase_finishes_the_rollout() -> None:
    move, _, _ = judge(make_rollout(phase=1), {"a": Standing.OK}, RolloutTable())
    assert move is Move.FINISH


def test_devices_that_are_switched_off_neither_block_nor_dilute() -> None:
    off = {f"off-{n}": Standing.UNSEEN for n in range(97)}
    assert verdict({"a": Standing.OK, **off}) is Move.NEXT
    assert verdict({"a": Standing.OK, "b": Standing.OK, "c": Standing.FAILED, **off}) is Move.REVERT


def test_a_device_lost_in_the_middle_counts_as_failed() -> None:
    assert verdict({"a": Standing.LOST}) is Move.REVERT


def test_nothing_is_judged_before_enough_devices_have_decided() -> None:
    table = RolloutTable(min_devices=3)
    some = {"a": Standing.FAILED, "b": Standing.OK}
    assert judge(make_rollout(), some, table)[0] is Move.STAY


def test_the_judgement_says_its_counts() -> None:
    _, evidence, text = judge(make_rollout(), {"a": Standing.OK}, RolloutTable())
    assert evidence == {"unseen": 0, "running": 0, "ok": 1, "failed": 0, "lost": 0}
    assert "1 well" in text


@pytest.mark.parametrize("state", [s for s in RolloutState if s is not RolloutState.OPEN])
@pytest.mark.parametrize("move", list(Move))
def test_a_rollout_that_has_ended_moves_no_more(state: RolloutState, move: Move) -> None:
    with pytest.raises(KeyError):
        advance(make_rollout(state=state), move, 1.0)


def test_every_move_is_in_the_table_of_the_open_state() -> None:
    assert {move for state, move in MOVES if state is RolloutState.OPEN} == set(Move)


standings_of_some = st.dictionaries(st.text(max_size=3), st.sampled_from(Standing), max_size=12)


@given(days=st.lists(standings_of_some, max_size=8))
def test_whatever_devices_report_the_phase_never_goes_back_nor_beyond_the_last(
    days: list[dict[str, Standing]],
) -> None:
    rollout = make_rollout()
    for day, standings in enumerate(days):
        if rollout.state is not RolloutState.OPEN:
            break
        move, _, text = judge(rollout, standings, RolloutTable())
        moved = advance(rollout, move, float(day), text=text)
        assert rollout.phase <= moved.phase < len(moved.phases)
        assert (moved.ended_at is None) == (moved.state is RolloutState.OPEN)
        rollout = moved


@given(devices=st.lists(st.from_regex(r"[a-z]{1,6}", fullmatch=True), min_size=2, max_size=12))
def test_the_canary_is_never_empty_and_never_everybody(devices: list[str]) -> None:
    fleet = sorted(set(devices))
    salt = draw_salt("rain-2-default-1", fleet, 0.25)
    canary = [d for d in fleet if bucket(d, salt) < 2_500]
    assert len(canary) == max(1, round(len(fleet) / 4))
    assert draw_salt("rain-2-default-1", fleet, 0.25) == salt


def test_hub_and_device_agree_on_who_is_in_the_phase() -> None:
    rollout = make_rollout()
    inside = {f"d{n}" for n in range(100) if in_phase(f"d{n}", rollout)}
    assert inside == {f"d{n}" for n in range(100) if bucket(f"d{n}", "s") < 2_500}


@pytest.mark.parametrize(("deadline_h", "passes"), [(0.0, True), (2.5, True), (2.0, False)])
def test_a_deadline_leaves_every_device_time_to_begin(*, deadline_h: float, passes: bool) -> None:
    with contextlib.nullcontext() if passes else pytest.raises(ValueError, match="deadline_h = 2"):
        RolloutTable(start_after_h=1.0, spread_s=3_600.0, deadline_h=deadline_h)
