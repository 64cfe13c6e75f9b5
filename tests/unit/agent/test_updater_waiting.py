"""When an update waits: start and spread, hours, an application, a deadline, and wrong clocks."""

from pathlib import Path

import pytest

from fleetloop_agent.config import UpdateConfig
from fleetloop_agent.hours import Hours
from fleetloop_agent.update.acquire import DEFER_S
from fleetloop_agent.update.parts import PARTS
from fleetloop_agent.update.states import State
from fleetloop_agent.update.updater import IDLE_S
from fleetloop_agent.update.waiting import begins_at
from fleetloop_firmware_sim.flash import Flash
from fleetloop_shared.ids import bucket
from fleetloop_shared.reports import EventKind
from support.agent_board import Bench
from support.hubside import Hubside
from support.update_rig import DEVICE, Rig

HUB = Hubside()
ONE, TWO = (HUB.ship(v, padding_bytes=40_000, chunk_bytes=4_000) for v in (1, 2))
HOUR_S = 3600.0
AT_22_30 = 1_700_001_000.0  # Tuesday 2023-11-14 22:30 UTC, where a bench's clock stands
LOCK = Path("/run/pump/busy")


def rig_with(window: str | None = None, lock_max_s: float = HOUR_S) -> Rig:
    hours = Hours() if window is None else Hours.parse(window)
    update = UpdateConfig(window=hours, lock_file=LOCK, lock_max_s=lock_max_s)
    return Rig(Bench(Flash()), HUB, update=update)


def wait_for(rig: Rig, seconds: float) -> None:
    rig.bench.clock.at += seconds
    rig.run()


def asked(rig: Rig) -> int:
    return len(rig.bench.link.subscribed)


def test_nothing_is_fetched_before_the_start_and_the_device_says_until_when() -> None:
    rig = rig_with()
    rig.publish(ONE, 1, start_not_before=AT_22_30 + HOUR_S)
    rig.run()
    said = rig.updater.reported()
    assert (rig.state, asked(rig)) == (State.DEFERRED, 0)
    assert said.waits_until == AT_22_30 + HOUR_S
    assert said.waits_for is not None
    assert "23:30:00 UTC" in said.waits_for
    wait_for(rig, HOUR_S - 1)
    assert asked(rig) == 0
    wait_for(rig, 1)
    rig.run(State.TRIAL)
    assert rig.updater.reported().waits_for is None


def test_a_device_waits_for_its_share_of_the_spread_also_after_a_restart() -> None:
    rig = rig_with()
    begin = begins_at(HUB.desire(1, ONE.release, spread_s=HOUR_S, issued_at=AT_22_30), DEVICE)
    assert 0 < begin - AT_22_30 < HOUR_S
    rig.publish(ONE, 1, spread_s=HOUR_S, issued_at=AT_22_30)
    rig.run()
    wait_for(rig, begin - AT_22_30 - 1)
    rig.restart()
    rig.run()
    assert (rig.state, rig.updater.reported().waits_until) == (State.DEFERRED, begin)
    wait_for(rig, 1)
    rig.run(State.TRIAL)


def test_a_canary_is_spread_over_the_whole_time() -> None:
    desired = HUB.desire(1, ONE.release, spread_s=1000.0, start_not_before=5e9)
    canary = [d for d in (f"d-{i}" for i in range(2000)) if bucket(d, desired.salt) < 1000]
    begins = [begins_at(desired, d) - 5e9 for d in canary]
    assert min(begins) < 100
    assert max(begins) > 900


def test_a_model_is_fetched_at_any_hour_and_tried_in_the_window() -> None:
    rig = rig_with("02:00-05:00")
    rig.publish(ONE, 1)
    rig.run()
    assert rig.events == [EventKind.FETCHED]
    said = rig.updater.reported()
    assert (said.state, said.waits_until) == ("deferred", AT_22_30 + 3.5 * HOUR_S)
    assert said.waits_for == "no trial begins outside 02:00-05:00, local time"
    assert rig.bench.self_test.started == []
    before = rig.journal.generation
    wait_for(rig, 3.5 * HOUR_S - 1)
    assert rig.journal.generation == before, "waiting must not wear the flash"
    wait_for(rig, 1)
    rig.run(State.TRIAL)


def test_the_window_is_in_local_time() -> None:
    rig = rig_with("02:00-05:00")
    rig.bench.clock.ahead = 4 * HOUR_S
    rig.publish(ONE, 1)
    rig.run(State.TRIAL)


def test_a_window_that_closes_during_the_self_test_arms_nothing() -> None:
    rig = rig_with("22:00-22:31")
    rig.bench.self_test.finding = None
    rig.publish(ONE, 1)
    rig.run(State.STAGED)
    rig.step()
    finding = Bench(Flash()).self_test.finding
    rig.bench.self_test.finding = finding
    wait_for(rig, 60)
    assert (rig.state, rig.journal.attempts_left) == (State.DEFERRED, 0)
    assert rig.bench.serving.loads == []


def test_no_trial_begins_while_an_application_asks_to_wait() -> None:
    rig = rig_with()
    rig.bench.application.at = AT_22_30 - 60
    rig.publish(ONE, 1)
    rig.run()
    said = rig.updater.reported()
    assert (said.state, said.waits_until) == ("deferred", AT_22_30 - 60 + HOUR_S)
    assert said.waits_for == f"an application asks to wait: the lock file {LOCK} is there"
    rig.bench.application.at = None
    wait_for(rig, 6)
    rig.run(State.TRIAL)


def test_a_lock_that_nobody_touches_is_ignored_and_reported_once() -> None:
    rig = rig_with()
    rig.bench.application.at = AT_22_30
    rig.publish(ONE, 1)
    rig.run()
    wait_for(rig, HOUR_S - 1)
    assert rig.state is State.DEFERRED
    wait_for(rig, 6)
    rig.run(State.TRIAL)
    faults = [e.text for e in rig.bench.outbox.events() if e.kind is EventKind.FAULT]
    assert len(faults) == 1
    assert "was not touched for 3,605 s (may: 3,600 s): it is ignored" in faults[0]


def test_an_application_that_goes_on_touching_its_lock_is_waited_for() -> None:
    rig = rig_with()
    rig.publish(ONE, 1)
    for _ in range(3):
        rig.bench.application.at = AT_22_30 - 1000 + rig.bench.clock.at
        wait_for(rig, HOUR_S - 1)
    assert rig.state is State.DEFERRED


@pytest.mark.parametrize("touched_at", [0.0, AT_22_30 + 1e9])
def test_a_lock_that_a_wrong_clock_dated_is_timed_by_the_agent(touched_at: float) -> None:
    rig = rig_with()
    rig.bench.application.at = touched_at
    rig.publish(ONE, 1)
    rig.run()
    assert rig.state is State.DEFERRED
    wait_for(rig, HOUR_S + 1)
    rig.run(State.TRIAL)


def test_after_its_deadline_nothing_is_begun_and_the_device_says_so() -> None:
    rig = rig_with()
    rig.publish(ONE, 1, deadline=AT_22_30 - 1)
    rig.run()
    assert (rig.state, asked(rig)) == (State.SERVING, 0)
    assert rig.error is not None
    assert "by its deadline, 2023-11-14 22:29:59 UTC" in rig.error
    before = rig.journal.generation
    wait_for(rig, IDLE_S)
    assert rig.journal.generation == before


def test_a_fetch_that_its_deadline_stops_keeps_its_part_for_a_later_statement() -> None:
    rig = rig_with()
    rig.publish(ONE, 1, deadline=AT_22_30 + 60)
    rig.run(State.FETCHING)
    for _ in range(2):
        rig.step()
    have = rig.progress[0]
    assert have > 0
    parts = rig.bench.disk.names(PARTS)
    wait_for(rig, 61)
    assert rig.state is State.SERVING
    rig.restart()
    rig.run()
    assert rig.bench.disk.names(PARTS) == parts
    before = asked(rig)
    rig.offer(2, ONE, deadline=AT_22_30 + HOUR_S)
    rig.run(State.TRIAL)
    assert asked(rig) - before <= len(ONE.manifest.transport.chunks) - have


def test_what_a_deadline_has_left_is_collected_when_something_else_is_wanted() -> None:
    rig = rig_with()
    rig.publish(ONE, 1, deadline=AT_22_30 + 60)
    rig.run(State.FETCHING)
    for _ in range(2):
        rig.step()
    wait_for(rig, 61)
    rig.publish(TWO, 2, phase=0)
    rig.run()
    assert rig.bench.disk.names(PARTS) == []


def test_a_trial_is_not_armed_after_the_deadline() -> None:
    rig = rig_with("02:00-05:00")
    rig.publish(ONE, 1, deadline=AT_22_30 + HOUR_S)
    rig.run()
    states = [rig.state]
    wait_for(rig, HOUR_S + 1)
    states.append(rig.state)
    wait_for(rig, 3 * HOUR_S)
    assert states == [State.DEFERRED, State.SERVING]
    assert rig.bench.serving.loads == []


def test_a_deadline_that_a_wrong_clock_saw_pass_is_looked_at_again() -> None:
    rig = rig_with()
    rig.bench.clock.wrong_by_s = 100 * HOUR_S
    rig.publish(ONE, 1, deadline=AT_22_30 + HOUR_S)
    rig.run()
    assert rig.state is State.SERVING
    rig.bench.clock.wrong_by_s = 0.0
    wait_for(rig, IDLE_S)
    rig.run(State.TRIAL)


def test_a_clock_behind_what_was_signed_holds_no_device_for_ever() -> None:
    rig = rig_with("02:00-05:00")
    rig.bench.clock.wrong_by_s = -1e9
    rig.publish(ONE, 1)
    rig.run()
    said = rig.updater.reported()
    assert said.state == "deferred"
    assert said.waits_for is not None
    assert "this device's clock is wrong" in said.waits_for
    wait_for(rig, 24 * HOUR_S - 1)  # the floor is 22:13:20: the guessed hours have come by once
    for _ in range(24):
        if rig.state is State.TRIAL:
            return
        wait_for(rig, HOUR_S)
    raise AssertionError("it waits for ever")


def test_a_device_without_room_says_what_it_waits_for() -> None:
    rig = rig_with()
    assert isinstance(rig.bench.disk, Flash)
    rig.bench.disk.limit_bytes = 900_000
    rig.publish(ONE, 1)
    rig.run()
    said = rig.updater.reported()
    assert said.waits_for == said.error is not None
    assert said.waits_until == AT_22_30 + DEFER_S


@pytest.mark.parametrize("at", [1e300, -1e300, 9e15])
def test_a_moment_that_no_calendar_has_breaks_nothing(at: float) -> None:
    rig = rig_with()
    rig.publish(ONE, 1, start_not_before=at, deadline=abs(at))
    rig.run()
    assert rig.state is (State.DEFERRED if at > 0 else State.TRIAL)
