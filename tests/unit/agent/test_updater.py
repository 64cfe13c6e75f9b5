"""The way from one model to the next, step by step."""

import msgspec
import pytest

from fleetloop_agent.ports import Finding
from fleetloop_agent.update import updater, verify
from fleetloop_agent.update.acquire import DEFER_S
from fleetloop_agent.update.parts import PARTS
from fleetloop_agent.update.slots import ARTIFACTS, artifact_path, manifest_path
from fleetloop_agent.update.states import State
from fleetloop_agent.update.trial import GROWTH_BYTES
from fleetloop_firmware_sim.flash import Flash
from fleetloop_shared.codec import encode
from fleetloop_shared.errors import DiskFullError
from fleetloop_shared.messages import ChunkRequest
from fleetloop_shared.reports import EventKind
from fleetloop_shared.topics import Topic
from support.agent_board import Bench
from support.hubside import EVERYONE, Hubside
from support.update_rig import DEVICE, Rig

HUB = Hubside()
ONE, TWO, THREE = (HUB.ship(v, padding_bytes=40_000, chunk_bytes=4_000) for v in (1, 2, 3))


@pytest.fixture
def rig() -> Rig:
    return Rig(Bench(Flash()), HUB)


def artifacts(rig: Rig) -> set[str]:
    return set(rig.bench.disk.names(ARTIFACTS))


def file_of(sha256: str) -> str:
    return artifact_path(sha256).name


def test_a_first_model_is_fetched_tried_and_committed(rig: Rig) -> None:
    rig.commit(ONE, sequence=1)
    assert rig.bench.serving.version == 1
    assert rig.events == [EventKind.FETCHED, EventKind.TRIAL, EventKind.COMMITTED]
    assert rig.journal.active == rig.journal.factory
    assert rig.journal.previous is None
    assert rig.bench.disk.names(PARTS) == []


def test_previous_and_factory_are_kept_and_nothing_else(rig: Rig) -> None:
    four = HUB.ship(4)
    for sequence, shipment in enumerate([ONE, TWO, THREE, four], start=1):
        rig.commit(shipment, sequence)
    kept = {file_of(s.manifest.sha256) for s in (ONE, THREE, four)}
    assert artifacts(rig) == kept
    assert len(rig.bench.disk.names(manifest_path("x").parent)) == 3


def test_a_rollback_is_a_newer_statement_that_names_an_older_version(rig: Rig) -> None:
    rig.commit(ONE, 1)
    rig.commit(TWO, 2)
    asked = len(rig.bench.link.subscribed)
    rig.commit(ONE, 3)
    assert rig.bench.serving.version == 1
    assert len(rig.bench.link.subscribed) == asked, "it was here: nothing is fetched"


def test_a_device_outside_the_phase_keeps_what_it_has(rig: Rig) -> None:
    rig.commit(ONE, 1)
    rig.publish(TWO, 2, phase=0)
    rig.run()
    assert rig.bench.serving.version == 1
    assert rig.journal.desired is not None
    assert rig.journal.desired.sequence == 2
    rig.publish(TWO, 3, phase=EVERYONE)
    rig.run(State.TRIAL)


def test_a_device_outside_the_phase_takes_the_control(rig: Rig) -> None:
    rig.commit(TWO, 1)
    rig.publish(ONE, 2)
    rig.publish(TWO, 3, phase=0, control=ONE.release)
    rig.run(State.TRIAL)
    rig.run()
    assert rig.bench.serving.version == 1


def test_the_trial_commits_after_its_soak_also_without_rows(rig: Rig) -> None:
    rig.publish(ONE, 1, soak_s=30.0)
    rig.run(State.TRIAL)
    rig.run()
    rig.bench.clock.at += 29.9
    rig.run()
    assert EventKind.COMMITTED not in rig.events
    rig.bench.clock.at += 0.2
    rig.run()
    assert rig.state is State.SERVING
    assert rig.events[-1] is EventKind.COMMITTED


def test_a_broken_model_rolls_back_without_any_network(rig: Rig) -> None:
    rig.commit(ONE, 1)
    rig.publish(TWO, 2)
    rig.run(State.TRIAL)
    rig.run()
    assert rig.bench.serving.version == 2
    rig.bench.link.disconnect()
    rig.bench.serving.errors = 1
    rig.run()
    assert rig.state is State.SERVING
    assert rig.bench.serving.version == 1
    assert [slot.version for slot in rig.journal.quarantine] == [2]
    assert "failed on 1 of 1 rows" in rig.bench.outbox.events()[-1].text
    assert file_of(TWO.manifest.sha256) not in artifacts(rig)


def test_a_model_under_which_the_agent_grows_and_grows_rolls_back(rig: Rig) -> None:
    rig.commit(ONE, 1)
    rig.publish(TWO, 2)
    rig.run(State.TRIAL)
    rig.run()
    may = TWO.manifest.budget.memory_bytes + GROWTH_BYTES
    rig.bench.host.rss += may
    rig.run()
    assert rig.bench.serving.version == 2
    rig.bench.host.rss += 1
    rig.run()
    assert rig.bench.serving.version == 1
    assert [slot.version for slot in rig.journal.quarantine] == [2]
    assert "bytes of memory in the trial of rain 2" in rig.bench.outbox.events()[-1].text


def test_a_model_that_does_not_load_rolls_back(rig: Rig) -> None:
    rig.commit(ONE, 1)
    rig.bench.serving.unloadable = {2}
    rig.publish(TWO, 2)
    rig.run()
    assert rig.bench.serving.version == 1
    assert rig.events[-1] is EventKind.ROLLED_BACK


def test_a_first_model_that_fails_leaves_nothing_that_serves(rig: Rig) -> None:
    rig.publish(ONE, 1)
    rig.run(State.TRIAL)
    rig.run()
    rig.bench.serving.errors = 3
    rig.run()
    assert rig.bench.serving.manifest is None
    assert "nothing to go back to" in rig.bench.outbox.events()[-1].text


def test_a_failed_self_test_is_never_tried_on_live_rows(rig: Rig) -> None:
    rig.commit(ONE, 1)
    rig.bench.self_test.finding = Finding(passed=False, text="scores differ by 0.3")
    rig.publish(TWO, 2)
    rig.run()
    assert rig.bench.serving.loads == [1]
    assert rig.journal.last_error is not None
    assert "scores differ by 0.3" in rig.journal.last_error
    assert [slot.version for slot in rig.journal.quarantine] == [2]


def test_what_is_quarantined_is_refused_once_a_statement_and_never_fetched_again(rig: Rig) -> None:
    rig.bench.self_test.finding = Finding(passed=False, text="no")
    rig.publish(ONE, 1)
    rig.run()
    rig.bench.self_test.finding = Finding(passed=True, text="yes")
    asked = len(rig.bench.link.subscribed)
    for sequence in (2, 3):
        rig.publish(ONE, sequence)
        rig.run()
        rig.run()
    assert rig.journal.refusals == {"quarantined": 2, "self-test": 1}
    assert len(rig.bench.link.subscribed) == asked
    assert rig.bench.serving.loads == []


def test_the_same_bytes_under_a_new_version_stay_quarantined(rig: Rig) -> None:
    rig.bench.self_test.finding = Finding(passed=False, text="no")
    rig.publish(ONE, 1)
    rig.run()
    renamed = HUB.ship_bytes(msgspec.structs.replace(ONE.manifest, version=5), ONE.artifact)
    rig.publish(renamed, 2)
    rig.run()
    assert rig.journal.refusals == {"quarantined": 1, "self-test": 1}
    assert rig.state is State.SERVING


def test_a_refused_release_is_not_tried_again_for_its_statement(rig: Rig) -> None:
    rig.commit(ONE, 1)
    wrong = HUB.ship(2, hardware=["board-z"])
    rig.publish(wrong, 2)
    rig.run()
    rig.run()
    rig.restart()
    rig.run()
    assert rig.journal.refusals == {"wrong-hardware": 1}
    assert rig.bench.serving.version == 1
    assert rig.events.count(EventKind.REFUSED) == 1
    assert rig.error is not None
    assert "board-z" in rig.error


def test_a_floor_raised_during_the_fetch_stops_the_release(rig: Rig) -> None:
    rig.publish(ONE, 1)
    rig.run(State.FETCHING)
    rig.step()
    rig.offer(2, ONE, floor=4)
    rig.run()
    assert rig.journal.refusals == {"below-floor": 1}
    assert rig.journal.active is None
    assert rig.journal.floor == 4
    assert EventKind.FETCHED not in rig.events, "not even fetched"


def test_a_floor_raised_during_the_self_test_stops_the_release(rig: Rig) -> None:
    rig.bench.self_test.finding = None
    rig.publish(ONE, 1)
    rig.run(State.STAGED)
    rig.step()
    rig.offer(2, ONE, floor=4)
    rig.step()
    assert rig.journal.refusals == {"below-floor": 1}
    assert rig.bench.serving.loads == []


@pytest.mark.parametrize("state", [State.PLANNED, State.FETCHING, State.STAGED])
def test_a_newer_statement_supersedes_what_is_under_way(rig: Rig, state: State) -> None:
    rig.bench.self_test.finding = None
    rig.publish(ONE, 1)
    rig.run(state)
    rig.bench.self_test.finding = Finding(passed=True, text="yes")
    rig.commit(TWO, 2)
    assert rig.bench.serving.loads == [2]
    assert artifacts(rig) == {file_of(TWO.manifest.sha256)}


def test_a_newer_statement_supersedes_a_stuck_fetch(rig: Rig) -> None:
    rig.offer(1, ONE)
    rig.run()
    assert rig.state is State.PLANNED
    rig.commit(TWO, 2)


def test_the_same_release_in_the_next_phase_does_not_start_over(rig: Rig) -> None:
    large = HUB.ship(4, padding_bytes=100_000, chunk_bytes=4_000)
    rig.publish(large, 1)
    rig.run(State.FETCHING)
    for _ in range(2):
        rig.step()
    before = rig.progress
    assert before[0] > 0
    rig.offer(2, large)
    rig.step()
    assert rig.progress[0] >= before[0]
    assert rig.journal.desired is not None
    assert rig.journal.desired.sequence == 2


def test_without_room_the_update_waits_and_is_taken_up_again(rig: Rig) -> None:
    assert isinstance(rig.bench.disk, Flash)
    rig.bench.disk.limit_bytes = 900_000
    rig.publish(ONE, 1)
    rig.run()
    assert rig.state is State.DEFERRED
    assert rig.error is not None
    assert "free some space" in rig.error
    rig.bench.disk.limit_bytes = 64_000_000
    rig.run()
    assert rig.state is State.DEFERRED
    rig.bench.clock.at += DEFER_S
    rig.run(State.TRIAL)


def test_a_deferred_update_is_superseded(rig: Rig) -> None:
    assert isinstance(rig.bench.disk, Flash)
    rig.bench.disk.limit_bytes = 900_000
    rig.publish(ONE, 1)
    rig.run()
    rig.bench.disk.limit_bytes = 64_000_000
    rig.commit(TWO, 2)


def test_a_corrupt_chunk_is_counted_and_asked_for_until_it_is_right(rig: Rig) -> None:
    index = 3
    topic = Topic.BLOB.at(sha256=ONE.manifest.transport.sha256, index=index)
    right = ONE.blobs[topic]
    rig.publish(ONE, 1)
    rig.bench.link.keep(topic, b"x" + right[1:])
    rig.run()
    assert rig.state is State.FETCHING
    rig.bench.clock.at += 60.0
    rig.step()
    (request,) = rig.bench.link.sent(Topic.GET.at(device=DEVICE))
    missing = ChunkRequest(sha256=ONE.manifest.transport.sha256, missing=[index])
    assert request == encode(missing)
    rig.bench.link.keep(topic, right)
    rig.run(State.TRIAL)
    assert rig.updater.refusals.counts["corrupt-chunk"] == 2
    assert rig.events.count(EventKind.REFUSED) == 1


def test_signed_chunks_that_make_another_file_than_signed_are_refused(rig: Rig) -> None:
    manifest = msgspec.structs.replace(ONE.manifest, sha256="c" * 64)
    rig.publish(HUB.ship_bytes(manifest, ONE.artifact), 1)
    rig.run()
    assert rig.journal.refusals == {"mix-and-match": 1}
    assert artifacts(rig) == set()


def test_signed_chunks_that_do_not_decompress_are_refused(rig: Rig) -> None:
    transport = msgspec.structs.replace(ONE.manifest.transport, encoding="zlib")
    manifest = msgspec.structs.replace(ONE.manifest, transport=transport)
    rig.publish(HUB.ship_bytes(manifest, ONE.artifact), 1)
    rig.run()
    assert rig.journal.refusals == {"undecodable": 1}


def test_a_disk_that_changes_the_chunks_has_them_fetched_again(rig: Rig) -> None:
    rig.publish(ONE, 1)
    rig.run(State.FETCHING)
    rig.updater.step(rig.bench.clock.at)
    transport = ONE.manifest.transport
    for index in range(len(transport.chunks)):
        chunk = ONE.blobs[Topic.BLOB.at(sha256=transport.sha256, index=index)]
        rig.updater.receive(transport.sha256, index, chunk, rig.bench.clock.at)
    rig.bench.disk.write(PARTS / f"{transport.sha256}.data", bytes(100), 0)
    rig.run(State.STAGED)
    assert rig.updater.refusals.counts == {"corrupt-chunk": 1}


def test_a_manifest_that_vanishes_during_the_fetch_is_fetched_again(rig: Rig) -> None:
    rig.publish(ONE, 1)
    rig.run(State.FETCHING)
    rig.restart()
    rig.bench.disk.remove(manifest_path(ONE.release.manifest_sha256))
    rig.run(State.TRIAL)


def test_an_artifact_that_is_damaged_before_its_self_test_is_fetched_again(rig: Rig) -> None:
    rig.publish(ONE, 1)
    rig.run(State.STAGED)
    rig.bench.disk.write(artifact_path(ONE.manifest.sha256), b"rot", 7)
    rig.run(State.TRIAL)
    assert rig.bench.self_test.started == [ONE.manifest.sha256]


def test_a_statement_that_a_stranger_signed_is_reported_once_however_often_it_comes(
    rig: Rig,
) -> None:
    rig.commit(ONE, 1)
    generation = rig.journal.generation
    forged = Hubside().direct(HUB.desire(2, TWO.release))
    for _ in range(1_000):
        rig.hand_over(forged)
    rig.run()
    assert rig.updater.refusals.counts == {"arbitrary-software": 1_000}
    assert rig.events.count(EventKind.REFUSED) == 1
    assert rig.journal.generation <= generation + 1, "a replay must not wear the flash"
    assert rig.bench.serving.version == 1


def test_refusals_are_counted_over_a_restart(rig: Rig) -> None:
    rig.hand_over(b"junk")
    rig.run()
    rig.hand_over(b"more junk")
    rig.bench.clock.at += updater.IDLE_S
    rig.run()
    rig.restart()
    assert rig.updater.refusals.counts == {"undecodable": 2}


def test_a_cleared_director_topic_changes_nothing(rig: Rig) -> None:
    rig.commit(ONE, 1)
    rig.hand_over(b"")
    rig.run()
    assert rig.journal.refusals == {}
    assert rig.bench.serving.version == 1


def test_an_older_statement_after_a_newer_one_is_refused_before_and_after_it_is_stored(
    rig: Rig,
) -> None:
    rig.offer(2, TWO)
    rig.offer(1, ONE)
    rig.run()
    rig.offer(1, ONE)
    assert rig.updater.refusals.counts == {"rollback": 2}
    assert rig.journal.desired is not None
    assert rig.journal.desired.sequence == 2


def test_the_retained_statement_after_a_reconnect_is_a_no_op(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.commit(ONE, 1)
    generation = rig.journal.generation
    payload = HUB.direct(HUB.desire(1, ONE.release))
    monkeypatch.delattr(verify, "statement")
    for _ in range(2):
        rig.hand_over(payload)
        rig.run()
    assert rig.journal.generation == generation


def test_a_chunk_that_nobody_waits_for_is_left_alone(rig: Rig) -> None:
    rig.updater.receive("a" * 64, 0, b"unasked", rig.bench.clock.at)
    assert rig.updater.refusals.counts == {}


def test_progress_counts_the_artifacts_chunks(rig: Rig) -> None:
    assert rig.progress == (0, 0)
    rig.publish(ONE, 1)
    rig.run(State.FETCHING)
    rig.step()
    assert rig.progress == (0, len(ONE.manifest.transport.chunks))
    rig.step()
    assert rig.progress[0] == 8


def test_asking_for_what_is_not_there_is_a_mistake_that_is_seen(rig: Rig) -> None:
    with pytest.raises(ValueError, match="while the update is serving"):
        _ = rig.updater._tx.target


def test_a_connection_that_is_lost_in_the_fetch_is_made_good(rig: Rig) -> None:
    rig.publish(ONE, 1)
    rig.run(State.FETCHING)
    rig.step()
    rig.bench.link.disconnect()
    rig.step()
    rig.bench.link.connect()
    rig.run(State.TRIAL)


def test_a_self_test_that_cannot_be_started_is_tried_again_and_bars_nothing(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object) -> None:
        raise DiskFullError("no process for a self-test")

    rig.publish(ONE, 1)
    rig.run(State.STAGED)
    with monkeypatch.context() as patch:
        patch.setattr(rig.bench.self_test, "start", no_room)
        rig.run()
    assert rig.error == "no process for a self-test"
    assert rig.journal.quarantine == ()
    rig.bench.clock.at += updater.PAUSE_S
    rig.run(State.TRIAL)


def test_a_self_test_is_waited_for_while_the_old_model_serves(rig: Rig) -> None:
    rig.commit(ONE, 1)
    rig.bench.self_test.finding = None
    rig.publish(TWO, 2)
    rig.run(State.STAGED)
    for _ in range(5):
        assert rig.step() > rig.bench.clock.at
        assert (rig.state, rig.bench.serving.version) == (State.STAGED, 1)
    rig.bench.self_test.finding = Finding(passed=True, text="yes")
    rig.run(State.TRIAL)
