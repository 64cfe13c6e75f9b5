"""A rollout as a function of events: what devices report, and what a person does."""

import contextlib
from collections.abc import Mapping
from dataclasses import replace as replaced

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from fleetloop_hub.delivery.rollout import Look, Policy, come, harmed, may_exclude, see
from fleetloop_hub.delivery.rollout_states import MEANINGS, TRANSITIONS, Effect, Event, follow
from fleetloop_hub.delivery.standing import Sighting, Standing, standing
from fleetloop_hub.fleet_records import UNDER_WAY, Rollout, RolloutState
from fleetloop_hub.judgement_records import Finding, Judgement
from fleetloop_hub.spec.judge_table import JudgeTable
from fleetloop_hub.spec.rollout_table import RolloutTable

NEW, OLD = "ab" * 32, "cd" * 32
S, E = RolloutState, Event


def make_rollout(phase: int = 0, state: RolloutState = RolloutState.OPEN) -> Rollout:
    return Rollout(
        key="rain-2-default-1",
        model="rain",
        version=2,
        control=1,
        cohort="default",
        salt="s",
        phases=[0.25, 1.0],
        phase=phase,
        state=state,
        phase_since=0.0,
        started_at=0.0,
    )


LOADED_NEW = Sighting(
    online=True, artifact=NEW, settled=True, quarantined=frozenset(), sequence=5, silent_s=0.0
)
LOADED_OLD = replaced(LOADED_NEW, artifact=OLD)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (LOADED_NEW, Standing.OK),
        (replaced(LOADED_NEW, settled=False), Standing.RUNNING),
        (replaced(LOADED_OLD, settled=False, waits=True), Standing.DEFERRED),
        (LOADED_OLD, Standing.RUNNING),
        (replaced(LOADED_OLD, quarantined=frozenset({NEW})), Standing.FAILED),
        (replaced(LOADED_NEW, online=False), Standing.OK),
        (replaced(LOADED_OLD, online=False, sequence=4, silent_s=999), Standing.UNSEEN),
        (replaced(LOADED_OLD, online=False, silent_s=59), Standing.RUNNING),
        (replaced(LOADED_OLD, online=False, silent_s=61), Standing.LOST),
    ],
)
def test_a_device_stands_as_it_reports(seen: Sighting, expected: Standing) -> None:
    assert standing(seen, NEW, 5, 60) is expected


# --- the table ------------------------------------------------------------------------------------


def test_every_state_has_a_meaning_and_whatever_is_under_way_a_row() -> None:
    assert set(MEANINGS) == set(RolloutState)
    assert set(TRANSITIONS) == set(UNDER_WAY)


@pytest.mark.parametrize("state", sorted(UNDER_WAY))
@pytest.mark.parametrize("event", list(Event))
def test_an_event_that_comes_twice_changes_nothing_the_second_time(
    state: RolloutState, event: Event
) -> None:
    once, effect = come(make_rollout(state=state), event, 1.0, "a")
    if effect is None:
        assert once == make_rollout(state=state)
        return
    again, _ = come(once, event, 2.0, "b")
    moves_on = event in {E.HARM, E.EXPIRE, E.SUPERSEDE} and state is S.HALTING
    assert again == once or moves_on or event is E.EXPIRE


@pytest.mark.parametrize("state", [s for s in RolloutState if s not in UNDER_WAY])
@pytest.mark.parametrize("event", list(Event))
def test_what_has_ended_does_not_move(state: RolloutState, event: Event) -> None:
    ended = make_rollout(state=state)
    assert come(ended, event, 1.0, "") == (ended, None)


def test_what_was_paused_before_any_device_was_told_goes_on_there_and_says_nothing() -> None:
    paused, effect = come(make_rollout(state=S.WAITING), E.PAUSE, 1.0, "ann: lunch")
    assert (paused.state, effect) == (S.PAUSED, Effect.KEEP)
    resumed, effect = come(paused, E.RESUME, 2.0, "")
    assert (resumed.state, effect) == (S.WAITING, Effect.KEEP)
    assert follow(S.PAUSED, E.WITHDRAW, S.WAITING) == follow(S.WAITING, E.WITHDRAW)


def test_a_pause_is_no_part_of_the_time_that_a_rollout_has() -> None:
    begun = replace(make_rollout(), expires_at=100.0, deadline=50.0)
    paused, effect = come(begun, E.PAUSE, 10.0, "")
    assert effect is Effect.STOP
    assert see(paused, Look(1e9), POLICY).event is None
    resumed, effect = come(paused, E.RESUME, 40.0, "")
    assert (resumed.expires_at, resumed.deadline, effect) == (130.0, 80.0, Effect.GO_ON)


# --- what a look says ----------------------------------------------------------------------------

POLICY = Policy(RolloutTable(), JudgeTable())


def look_at(
    standings: Mapping[str, Standing], state: RolloutState = S.OPEN, **policy: float
) -> Event | None:
    table = RolloutTable(min_devices=int(policy.pop("min_devices", 1)), **policy)  # type: ignore[arg-type]  # thresholds only
    rollout = make_rollout(state=state)
    return see(rollout, Look(1.0, standings), Policy(table, JudgeTable())).event


def some(**counts: int) -> dict[str, Standing]:
    return {f"{n}-{k}": Standing(n) for n, count in counts.items() for k in range(count)}


@pytest.mark.parametrize(
    ("counts", "event"),
    [
        ({"running": 1}, None),
        ({"deferred": 1, "ok": 1}, None),
        ({"ok": 1}, E.DECIDED),
        ({"ok": 1, "unseen": 97}, E.DECIDED),
        ({"ok": 1, "exempt": 3}, E.DECIDED),
        ({"ok": 2, "failed": 1, "unseen": 97}, E.HARM),
        ({"lost": 1}, E.HARM),
        ({"failed": 1}, E.HARM),
        ({"failed": 1, "running": 2}, None),
        ({"failed": 2, "running": 2}, E.HARM),
        ({"ok": 10, "running": 90}, None),
        ({"ok": 11, "running": 90}, E.DECIDED),
        ({"ok": 17, "failed": 3}, None),
    ],
)
def test_a_phase_is_decided_by_those_who_have_decided(
    counts: dict[str, int], event: Event | None
) -> None:
    """One failure of one is no proof while others are on their way, two of two are."""
    assert look_at(some(**counts)) is event


def test_nothing_is_judged_before_enough_devices_have_decided() -> None:
    assert look_at(some(failed=1, ok=1), min_devices=3) is None


def test_a_phase_is_watched_for_its_soak_and_stopped_meanwhile_if_a_device_fails() -> None:
    soaking = replace(make_rollout(state=S.SOAKING), since=10.0)
    policy = Policy(RolloutTable(phase_soak_s=60.0), JudgeTable())
    well, ill = some(ok=2), some(ok=1, failed=1)
    assert see(soaking, Look(69.0, well), policy).event is None
    assert see(soaking, Look(70.0, well), policy).event is E.SOAKED
    assert see(soaking, Look(11.0, ill), policy).event is E.HARM
    late = {**well, "late": Standing.RUNNING}
    assert see(soaking, Look(70.0, late), policy).event is E.SOAKED, "late joiners hold nobody up"


def judgement(finding: Finding, **changes: object) -> Judgement:
    found = Judgement(finding=finding, text="errors 2 points more", comparisons=[])
    return replace(found, **changes)


@pytest.mark.parametrize(
    ("phase", "finding", "at", "event"),
    [
        (0, Finding.HEALTHY, 1.0, E.PASSED),
        (0, Finding.UNDECIDED, 1.0, None),
        (0, Finding.UNDECIDED, 301.0, E.PASSED),
        (1, Finding.UNDECIDED, 1.0, E.COMPLETED),
        (0, Finding.HARMFUL, 1.0, E.HARM),
        (1, Finding.HARMFUL, 1.0, E.HARM),
    ],
)
def test_the_next_phase_needs_the_judge_s_word_or_his_patience(
    phase: int, finding: Finding, at: float, event: Event | None
) -> None:
    rollout = make_rollout(phase, S.JUDGED)
    look = Look(at, some(ok=1), judgement=judgement(finding))
    assert see(rollout, look, POLICY).event is event


def test_what_speaks_against_a_version_is_not_waited_out() -> None:
    told = judgement(Finding.UNDECIDED, speaks_against=["errors"])
    look = Look(1e6, some(ok=1), judgement=told)
    assert see(make_rollout(state=S.JUDGED), look, POLICY).event is None
    assert see(make_rollout(1, S.JUDGED), look, POLICY).event is None


def test_harm_on_some_hardware_types_is_named_and_may_be_left_out() -> None:
    kinds = {"a": "pi3", "b": "pi4"}
    look = Look(1.0, {"a": Standing.FAILED, "b": Standing.OK}, kinds)
    assert harmed(look) == ["pi3"]
    assert not may_exclude(look, RolloutTable())
    assert may_exclude(look, RolloutTable(on_harm="exclude"))
    everywhere = replaced(look, standings=dict.fromkeys(kinds, Standing.FAILED))
    assert not may_exclude(everywhere, RolloutTable(on_harm="exclude"))
    told = judgement(Finding.HARMFUL, hardware=["pi4"])
    assert harmed(replaced(look, judgement=told)) == ["pi4"]


def test_a_rollout_whose_devices_refuse_to_go_on_ends_at_its_deadline() -> None:
    late = replace(make_rollout(), deadline=100.0)
    stuck = some(running=3)
    assert see(late, Look(279.0, stuck), POLICY).event is None
    assert see(late, Look(280.0, stuck), POLICY).event is E.EXPIRE
    assert see(late, Look(280.0, {**stuck, "x": Standing.OK}), POLICY).event is E.DECIDED
    over = replace(make_rollout(), expires_at=50.0)
    assert see(over, Look(50.0, stuck), POLICY).event is E.EXPIRE


def test_whoever_waits_says_for_what() -> None:
    waiting, ready = make_rollout(state=S.WAITING), make_rollout(state=S.APPROVED)
    assert "rollouts approve rain-2-default-1" in see(waiting, Look(1.0), POLICY).text
    assert see(ready, Look(1.0), POLICY).event is E.READY


@pytest.mark.parametrize(("deadline_h", "passes"), [(0.0, True), (2.5, True), (2.0, False)])
def test_a_deadline_leaves_every_device_time_to_begin(*, deadline_h: float, passes: bool) -> None:
    with contextlib.nullcontext() if passes else pytest.raises(ValueError, match="deadline_h = 2"):
        RolloutTable(start_after_h=1.0, spread_s=3_600.0, deadline_h=deadline_h)


# --- whatever happens -----------------------------------------------------------------------------

looks = st.dictionaries(st.text(max_size=2), st.sampled_from(Standing), max_size=8)
persons = st.sampled_from(
    [None, None, E.APPROVE, E.PAUSE, E.RESUME, E.ABORT, E.WITHDRAW, E.SUPERSEDE]
)


@settings(max_examples=60)
@given(days=st.lists(st.tuples(looks, persons, st.booleans()), max_size=25))
def test_whatever_happens_it_only_goes_forward_and_ends_with_its_time(
    days: list[tuple[dict[str, Standing], Event | None, bool]],
) -> None:
    rollout = replace(make_rollout(state=S.WAITING), expires_at=1e4)
    for day, (standings, person, judged) in enumerate(days):
        finding = Finding.HEALTHY if judged else Finding.UNDECIDED
        look = Look(float(day), standings, judgement=judgement(finding))
        event = person or see(rollout, look, POLICY).event
        if event is None:
            continue
        moved, effect = come(rollout, event, float(day), "")
        assert rollout.phase <= moved.phase < len(moved.phases)
        assert (moved.ended_at is None) == moved.under_way
        if rollout.state is S.PAUSED and person is None:
            assert moved == rollout
        if rollout.state in {S.HALTING, S.REVERTED}:
            assert effect is not Effect.OPEN
            assert moved.state not in {S.OPEN, S.DONE}
        rollout = moved
    if rollout.state is S.PAUSED:
        rollout, _ = come(rollout, E.RESUME, 30.0, "")
    for at in (2e4, 2.1e4):
        event = see(rollout, Look(at), POLICY).event
        rollout = rollout if event is None else come(rollout, event, at, "")[0]
    assert not rollout.under_way
