"""A newer statement in every state: followed, and no armed trial is left behind."""

from collections.abc import Callable

import pytest

from fleetloop_agent.ports import Finding
from fleetloop_agent.update.acquire import DEFER_S
from fleetloop_agent.update.states import State
from fleetloop_firmware_sim.flash import Flash
from support.agent_board import Bench
from support.hubside import Hubside
from support.update_rig import Rig

HUB = Hubside()
ONE, TWO, THREE = (HUB.ship(v, padding_bytes=40_000, chunk_bytes=4_000) for v in (1, 2, 3))
PASSED, FAILED = Finding(passed=True, text="yes"), Finding(passed=False, text="no")


def fetching(rig: Rig) -> None:
    rig.run(State.FETCHING)


def staged(rig: Rig) -> None:
    rig.bench.self_test.finding = None
    rig.run(State.STAGED)
    rig.step()
    rig.bench.self_test.finding = PASSED


def armed(rig: Rig) -> None:
    rig.run(State.TRIAL)


def tried(rig: Rig) -> None:
    rig.run(State.TRIAL)
    rig.run()


def committed(rig: Rig) -> None:
    tried(rig)
    rig.bench.serving.rows = 1_000
    rig.run(State.COMMITTED)


def rolled_back(rig: Rig) -> None:
    tried(rig)
    rig.bench.serving.errors = 1
    rig.run(State.ROLLED_BACK)


def quarantined(rig: Rig) -> None:
    rig.bench.self_test.finding = FAILED
    rig.run(State.QUARANTINED)
    rig.bench.self_test.finding = PASSED


def deferred(rig: Rig) -> None:
    assert isinstance(rig.bench.disk, Flash)
    room, rig.bench.disk.limit_bytes = rig.bench.disk.limit_bytes, 900_000
    rig.run(State.DEFERRED)
    rig.bench.disk.limit_bytes = room


def planned(rig: Rig) -> None:
    rig.run(State.PLANNED)


def serving(rig: Rig) -> None:
    assert rig.state is State.SERVING


WAYS = [
    serving, planned, fetching, deferred, staged, armed, tried, committed, rolled_back, quarantined
]  # fmt: skip
BARRED = {"rolled_back", "quarantined"}


@pytest.fixture(params=WAYS, ids=lambda way: way.__name__)
def way(request: pytest.FixtureRequest) -> Callable[[Rig], None]:
    found: Callable[[Rig], None] = request.param
    return found


def on_the_way(way: Callable[[Rig], None]) -> Rig:
    """A device that serves version 1, on its way to version 2."""
    rig = Rig(Bench(Flash()), HUB)
    rig.commit(ONE, 1)
    rig.publish(TWO, 2)
    way(rig)
    return rig


def at_rest(rig: Rig) -> None:
    """Let what is under way end, with rows that go well."""
    for _ in range(6):
        rig.run()
        rig.bench.serving.rows = 1_000
        rig.bench.clock.at += DEFER_S
    assert (rig.state, rig.journal.attempts_left) == (State.SERVING, 0)
    assert rig.journal.active is not None
    assert rig.bench.serving.version == rig.journal.active.version


@pytest.mark.parametrize("restart", [False, True])
def test_another_release_is_followed(way: Callable[[Rig], None], *, restart: bool) -> None:
    rig = on_the_way(way)
    rig.publish(THREE, 3)
    if restart:
        rig.step()
        rig.restart()
    at_rest(rig)
    assert rig.bench.serving.version == 3
    barred = [slot.version for slot in rig.journal.quarantine]
    assert barred == ([2] if way.__name__ in BARRED else [])


def test_the_same_release_goes_on(way: Callable[[Rig], None]) -> None:
    rig = on_the_way(way)
    rig.offer(3, TWO)
    at_rest(rig)
    assert rig.bench.serving.version == (1 if way.__name__ in BARRED else 2)
    assert rig.bench.serving.loads.count(2) <= 1, "a trial goes on"


def test_no_release_keeps_what_is_committed(way: Callable[[Rig], None]) -> None:
    rig = on_the_way(way)
    rig.publish(THREE, 3, phase=0)
    at_rest(rig)
    assert rig.bench.serving.version == (2 if way is committed else 1)


def test_an_older_one_changes_nothing(way: Callable[[Rig], None]) -> None:
    rig = on_the_way(way)
    rig.offer(1, THREE)
    at_rest(rig)
    assert rig.journal.refusals["rollback"] == 1
    assert rig.bench.serving.version == (1 if way.__name__ in BARRED else 2)


def test_a_trial_is_left_at_once_and_what_was_committed_serves() -> None:
    rig = on_the_way(tried)
    assert rig.bench.serving.version == 2
    rig.offer(3, ONE)
    rig.step()
    assert (rig.state, rig.journal.attempts_left) == (State.SERVING, 0)
    assert rig.bench.serving.version == 1
    assert rig.journal.quarantine == ()


def test_a_trial_that_has_failed_is_barred_before_a_newer_statement_is_followed() -> None:
    rig = on_the_way(tried)
    rig.bench.serving.errors = 1
    rig.publish(THREE, 3)
    at_rest(rig)
    assert [slot.version for slot in rig.journal.quarantine] == [2]
    assert rig.bench.serving.version == 3


def test_a_trial_that_has_used_up_its_attempts_is_barred_first() -> None:
    rig = on_the_way(armed)
    rig.updater._tx.note(attempts_left=0)
    rig.publish(THREE, 3)
    at_rest(rig)
    assert [slot.version for slot in rig.journal.quarantine] == [2]
