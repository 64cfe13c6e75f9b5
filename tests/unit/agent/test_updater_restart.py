"""Killed in every state, and started again: what is on the disk decides."""

import pytest

from fleetloop_agent.ports import Finding
from fleetloop_agent.sealed import copies
from fleetloop_agent.update.journal import FOLDER, Slot
from fleetloop_agent.update.slots import artifact_path, manifest_path
from fleetloop_agent.update.states import State
from fleetloop_agent.update.trial import ATTEMPTS
from fleetloop_firmware_sim.flash import Flash
from fleetloop_shared.reports import EventKind
from support.agent_board import Bench, MemoryServing
from support.hubside import Hubside
from support.update_rig import Rig

HUB = Hubside()
ONE, TWO, THREE = (HUB.ship(v, padding_bytes=40_000, chunk_bytes=4_000) for v in (1, 2, 3))
DAMAGE = b"rot"


@pytest.fixture
def rig() -> Rig:
    return Rig(Bench(Flash()), HUB)


@pytest.mark.parametrize(
    "state",
    [State.PLANNED, State.FETCHING, State.STAGED, State.TRIAL, State.COMMITTED, State.SERVING],
)
def test_killed_in_each_state_of_a_good_update_it_is_resumed(rig: Rig, state: State) -> None:
    rig.commit(ONE, 1)
    rig.publish(TWO, 2, soak_rows=0)
    rig.run(state)
    rig.restart()
    assert rig.bench.serving.version in {1, 2}, "serves before any step"
    rig.run()
    assert rig.bench.serving.version == 2
    assert rig.events.count(EventKind.COMMITTED) == 2


@pytest.mark.parametrize("state", [State.TRIAL, State.ROLLED_BACK, State.QUARANTINED])
def test_killed_in_each_state_of_a_bad_update_it_ends_with_the_old_model(
    rig: Rig, state: State
) -> None:
    rig.commit(ONE, 1)
    rig.bench.serving.unloadable = {2}
    rig.publish(TWO, 2)
    rig.run(state)
    rig.restart()
    rig.run()
    assert rig.state is State.SERVING
    assert rig.bench.serving.version == 1
    assert [slot.version for slot in rig.journal.quarantine] == [2]


def test_killed_while_deferred_it_looks_again_at_once(rig: Rig) -> None:
    assert isinstance(rig.bench.disk, Flash)
    rig.bench.disk.limit_bytes = 900_000
    rig.publish(ONE, 1)
    rig.run(State.DEFERRED)
    rig.bench.disk.limit_bytes = 64_000_000
    rig.restart()
    rig.run(State.TRIAL)


def test_without_any_network_it_serves_from_its_own_disk(rig: Rig) -> None:
    rig.commit(ONE, 1)
    rig.bench.link.accepts = False
    rig.bench.link.retained.clear()
    rig.restart()
    assert rig.bench.serving.version == 1


def test_a_fetch_that_was_killed_goes_on_where_it_was(rig: Rig) -> None:
    rig.publish(ONE, 1)
    rig.run(State.FETCHING)
    rig.step()
    rig.step()
    have = rig.progress[0]
    assert have == 8
    rig.bench.link.subscribed.clear()
    rig.restart()
    rig.run(State.TRIAL)
    chunks = len(ONE.manifest.transport.chunks)
    assert rig.journal.resumed_fetches == 1
    assert len(rig.bench.link.subscribed) == chunks - have, "nothing is fetched twice"
    assert "8 chunks were here" in next(
        e.text for e in rig.bench.outbox.events() if e.kind is EventKind.RESUMED
    )


def test_a_fetch_that_was_killed_before_its_first_chunk_is_not_called_resumed(rig: Rig) -> None:
    rig.publish(ONE, 1)
    rig.run(State.FETCHING)
    rig.restart()
    rig.run(State.TRIAL)
    assert rig.journal.resumed_fetches == 0


def test_a_trial_that_ends_the_agent_each_time_runs_out_of_attempts(rig: Rig) -> None:
    rig.commit(ONE, 1)
    rig.publish(TWO, 2)
    rig.run(State.TRIAL)
    rig.step()
    for left in range(ATTEMPTS - 2, -1, -1):
        rig.restart()
        assert (rig.journal.attempts_left, rig.bench.serving.version) == (left, 2)
    rig.restart()
    assert rig.bench.serving.version == 1
    assert rig.bench.serving.loads.count(2) == ATTEMPTS
    rig.run()
    assert [slot.version for slot in rig.journal.quarantine] == [2]
    assert "each of 3 attempts" in rig.bench.outbox.events()[-1].text


class Explosive(MemoryServing):
    """Loading version 2 ends the process, as a crash inside the runtime would."""

    def load(self, manifest: object, artifact: bytes) -> None:
        raise SystemExit


def test_the_attempt_is_counted_before_the_model_is_loaded(rig: Rig) -> None:
    rig.publish(ONE, 1)
    rig.run(State.TRIAL)
    rig.updater._tx.serving = Explosive()
    with pytest.raises(SystemExit):
        rig.step()
    rig.restart()
    assert rig.journal.attempts_left == ATTEMPTS - 2


def test_a_damaged_active_model_gives_way_to_the_previous_one_and_is_fetched_again(
    rig: Rig,
) -> None:
    rig.commit(ONE, 1)
    rig.commit(TWO, 2)
    rig.bench.disk.write(artifact_path(TWO.manifest.sha256), DAMAGE, 3)
    rig.restart()
    assert rig.bench.serving.version == 1
    rig.run()
    assert "rain 2 cannot be served" in next(
        e.text for e in rig.bench.outbox.events() if e.kind is EventKind.FAULT
    )
    rig.bench.serving.rows = 10
    rig.run()
    assert rig.bench.serving.version == 2


def test_with_active_and_previous_damaged_the_factory_model_serves(rig: Rig) -> None:
    for sequence, shipment in enumerate([ONE, TWO, THREE], start=1):
        rig.commit(shipment, sequence)
    rig.bench.disk.write(artifact_path(THREE.manifest.sha256), DAMAGE)
    rig.bench.disk.remove(manifest_path(TWO.release.manifest_sha256))
    rig.restart()
    assert rig.bench.serving.version == 1


def test_with_every_model_damaged_it_says_that_it_has_none(rig: Rig) -> None:
    rig.commit(ONE, 1)
    rig.bench.disk.write(artifact_path(ONE.manifest.sha256), DAMAGE)
    rig.restart()
    assert rig.bench.serving.manifest is None
    rig.bench.link.disconnect()
    rig.run()
    assert rig.journal.active is None
    assert rig.events[-1] is EventKind.FAULT


def test_a_manifest_on_the_disk_whose_bytes_are_not_its_name_is_not_served(rig: Rig) -> None:
    rig.commit(ONE, 1)
    forged = HUB.ship(1, floor=9)
    assert rig.journal.active is not None
    rig.bench.disk.write(manifest_path(rig.journal.active.manifest), forged.document)
    with pytest.raises(Exception, match="damaged"):
        rig.updater._tx.slots.load(rig.journal.active)


def test_a_manifest_on_the_disk_of_another_artifact_is_not_served(rig: Rig) -> None:
    rig.commit(ONE, 1)
    assert rig.journal.active is not None
    mixed = Slot(model="rain", version=1, artifact="d" * 64, manifest=rig.journal.active.manifest)
    with pytest.raises(Exception, match="another artifact"):
        rig.updater._tx.slots.load(mixed)


def test_a_trial_whose_artifact_rots_goes_back_and_fetches_it_again(rig: Rig) -> None:
    rig.commit(ONE, 1)
    rig.publish(TWO, 2)
    rig.run(State.TRIAL)
    rig.step()
    rig.bench.disk.write(artifact_path(TWO.manifest.sha256), DAMAGE)
    rig.restart()
    assert (rig.state, rig.bench.serving.version) == (State.PLANNED, 1)
    rig.run()
    assert rig.bench.serving.version == 2
    assert rig.journal.quarantine == ()


def test_without_a_journal_the_newest_whole_model_serves_and_its_floor_holds(rig: Rig) -> None:
    rig.commit(ONE, 1)
    rig.commit(HUB.ship(2, floor=2), 2, floor=2)
    rig.commit(HUB.ship(3, floor=3), 3, floor=3)
    for copy in copies(FOLDER):
        rig.bench.disk.write(copy, b"torn")
    rig.bench.disk.write(artifact_path(ONE.manifest.sha256), DAMAGE)
    rig.restart()
    assert rig.bench.serving.version == 3
    assert rig.journal.floor == 3
    assert rig.journal.previous is not None
    assert rig.journal.previous.version == rig.journal.factory.version == 2  # type: ignore[union-attr]  # it is there
    rig.run()
    texts = [e.text for e in rig.bench.outbox.events() if e.kind is EventKind.FAULT]
    assert len(texts) == 3
    assert "there is no journal" in texts[-1]


def test_a_self_test_that_was_killed_is_run_again(rig: Rig) -> None:
    rig.bench.self_test.finding = None
    rig.publish(ONE, 1)
    rig.run(State.STAGED)
    rig.step()
    rig.restart()
    rig.bench.self_test.finding = Finding(passed=True, text="yes")
    rig.run(State.TRIAL)
    assert len(rig.bench.self_test.started) == 1
