"""What is installed, and when: both repositories must agree, now."""

import msgspec
import pytest
from securesystemslib.signer import CryptoSigner

from fleetloop_agent.trust.trust import Trust
from fleetloop_agent.update.acquire import DEFER_S, IMAGE_WAIT_S
from fleetloop_agent.update.states import State
from fleetloop_agent.update.updater import IDLE_S
from fleetloop_firmware_sim.flash import Flash
from fleetloop_firmware_sim.scenarios.repositories import Issue, payload
from fleetloop_shared.codec import encode
from fleetloop_shared.errors import DiskFullError
from fleetloop_shared.reports import EventKind
from fleetloop_shared.topics import Topic
from fleetloop_shared.trust import desired_target
from support.agent_board import Bench
from support.hubside import COHORT, SIGNED_AT, Hubside, Shipment
from support.update_rig import Rig

HUB = Hubside()
ONE, TWO = HUB.ship(1), HUB.ship(2)
DAY_S = 86_400.0


@pytest.fixture
def rig() -> Rig:
    return Rig(Bench(Flash()), HUB)


def state_only(rig: Rig, shipment: Shipment, sequence: int) -> None:
    """A director bundle about what the image repository does not list."""
    for topic, data in shipment.blobs.items():
        rig.bench.link.keep(topic, data)
    rig.hand_over(HUB.direct(HUB.desire(sequence, shipment.release)))


def short_lived(sequence: int, life_s: float) -> bytes:
    files = {desired_target(COHORT): encode(HUB.desire(sequence, TWO.release))}
    return payload(HUB.director.issue(Issue(sequence, SIGNED_AT, life_s), files))


def test_a_stolen_director_key_alone_installs_nothing(rig: Rig) -> None:
    rig.commit(ONE, 1)
    state_only(rig, TWO, 2)
    rig.run()
    assert rig.journal.target == TWO.release, "the image bundle may be late"
    rig.bench.clock.at += IMAGE_WAIT_S
    rig.run()
    assert rig.journal.refusals == {"arbitrary-software": 1}
    assert rig.state is State.SERVING
    assert rig.bench.serving.loads == [1]
    assert rig.error is not None
    assert "the image repository lists no such file" in rig.error


def test_a_late_image_bundle_is_waited_for(rig: Rig) -> None:
    state_only(rig, ONE, 1)
    rig.run()
    rig.list(ONE)
    rig.run(State.TRIAL)
    assert rig.journal.refusals == {}


def test_what_was_refused_as_unlisted_is_installed_once_it_is_listed(rig: Rig) -> None:
    state_only(rig, ONE, 1)
    rig.run()
    rig.bench.clock.at += IMAGE_WAIT_S
    rig.run()
    assert rig.journal.declined == ONE.release.manifest_sha256
    rig.list(ONE)
    rig.run(State.TRIAL)


def test_a_release_that_is_withdrawn_during_the_fetch_is_not_installed(rig: Rig) -> None:
    rig.publish(ONE, 1)
    rig.run(State.FETCHING)
    rig.updater.offer(Topic.IMAGE, HUB.listing([], 2), rig.bench.clock.at)
    rig.hand_over(HUB.direct(HUB.desire(2, ONE.release)))
    rig.run()
    assert rig.journal.refusals == {"arbitrary-software": 1}
    assert rig.journal.active is None
    assert EventKind.FETCHED not in rig.events, "not even fetched"


def test_mix_and_match_director_and_image_repository_do_not_agree(rig: Rig) -> None:
    rig.list(ONE)
    other = msgspec.structs.replace(ONE.release, manifest_bytes=ONE.release.manifest_bytes + 1)
    rig.hand_over(HUB.direct(HUB.desire(1, other)))
    rig.run()
    assert rig.journal.refusals == {"mix-and-match": 1}


def test_freeze_nothing_is_installed_on_expired_words_and_serving_goes_on(rig: Rig) -> None:
    rig.commit(ONE, 1)
    rig.list(TWO)
    rig.bench.link.connect()
    rig.hand_over(short_lived(2, DAY_S))
    rig.run()
    assert rig.journal.target == TWO.release, "the manifest is not on the broker yet"
    rig.bench.clock.at += 2 * DAY_S
    rig.run()
    assert rig.state is State.DEFERRED
    assert rig.journal.refusals == {"freeze": 1}
    assert rig.bench.serving.version == 1
    rig.publish(TWO, 3)
    rig.bench.clock.at += DEFER_S
    rig.run(State.TRIAL)


def test_freeze_a_staged_model_waits_for_newer_words(rig: Rig) -> None:
    rig.list(TWO)
    for topic, data in TWO.blobs.items():
        rig.bench.link.keep(topic, data)
    rig.hand_over(short_lived(2, DAY_S))
    rig.run(State.STAGED)
    rig.bench.clock.at += 2 * DAY_S
    rig.run()
    assert rig.state is State.STAGED
    assert rig.bench.self_test.started == []
    rig.publish(TWO, 3)
    rig.run(State.TRIAL)
    assert rig.bench.self_test.started == [TWO.manifest.sha256]


def test_freeze_is_reported_once_by_a_device_that_only_serves(rig: Rig) -> None:
    rig.commit(TWO, 1)
    rig.hand_over(short_lived(2, DAY_S))
    rig.run()
    for _ in range(3):
        rig.bench.clock.at += DAY_S
        rig.run()
    rig.bench.clock.at += IDLE_S
    rig.run()
    assert rig.journal.refusals == {"freeze": 1}
    assert rig.events.count(EventKind.REFUSED) == 1
    assert rig.bench.serving.version == 2


def test_a_statement_believed_before_a_power_cut_is_followed_after_it(rig: Rig) -> None:
    rig.list(ONE)
    rig.hand_over(HUB.direct(HUB.desire(1, ONE.release)))
    rig.updater._tx.trust.keep()
    assert rig.journal.desired is None
    rig.bench.link.disconnect()
    restarted = rig.make(rig.bench.serving)
    restarted.step(rig.bench.clock.at)
    assert restarted.journal.desired == HUB.desire(1, ONE.release)


def test_what_is_followed_was_believed_durably_before(rig: Rig) -> None:
    rig.publish(ONE, 1)
    rig.step()
    assert rig.journal.desired is not None
    kept = Trust(HUB.identity("station-1"), rig.bench.disk, rig.bench.clock)
    assert kept.desired() == rig.journal.desired
    assert kept.lists(ONE.release)


def test_freeze_by_a_wrong_clock_ends_when_the_clock_is_right(rig: Rig) -> None:
    message = short_lived(1, DAY_S)
    rig.bench.clock.at += 2 * DAY_S
    rig.hand_over(message)
    assert rig.updater.refusals.counts == {"freeze": 1}
    rig.bench.clock.at -= 2 * DAY_S
    rig.hand_over(message)
    rig.run()
    assert rig.journal.desired == HUB.desire(1, TWO.release)


def test_a_bundle_that_found_no_room_to_be_checked_is_checked_later(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise DiskFullError("no room for the scratch folder")

    with monkeypatch.context() as patch:
        patch.setattr("fleetloop_agent.trust.trust.refresh", full)
        rig.publish(ONE, 1)
        assert rig.updater.reported().error == "no room for the scratch folder"
    rig.run(State.TRIAL)
    assert rig.journal.refusals == {}
    assert rig.updater.reported().error is None


def test_a_full_disk_does_not_lose_a_statement(rig: Rig) -> None:
    assert isinstance(rig.bench.disk, Flash)
    rig.commit(ONE, 1)
    rig.bench.disk.limit_bytes = 0
    rig.publish(TWO, 2)
    rig.run()
    assert rig.journal.desired is not None
    assert rig.journal.desired.sequence == 1
    rig.bench.disk.limit_bytes = 64_000_000
    rig.bench.clock.at += 60.0
    rig.run(State.TRIAL)


def test_a_replay_of_what_was_refused_is_counted_and_not_checked_again(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    forged = Hubside().direct(HUB.desire(1, ONE.release))
    rig.hand_over(forged)
    monkeypatch.delattr("fleetloop_agent.trust.trust.refresh")
    rig.hand_over(forged)
    assert rig.updater.refusals.counts == {"arbitrary-software": 2}


def renewed_director(*, floor_of_thief: int) -> tuple[Hubside, bytes]:
    """A hub whose director key was stolen, and the thief's statement."""
    hub = Hubside()
    stolen = hub.desire(10**15, ONE.release, floor=floor_of_thief)
    return hub, hub.direct(stolen, 2)


def rotate(hub: Hubside) -> None:
    keys = {role: [CryptoSigner.generate_ed25519()] for role in hub.director.keys}
    hub.director.rotate(keys, SIGNED_AT)


def test_fast_forward_of_sequence_and_floor_ends_with_a_new_root() -> None:
    hub, thief_s = renewed_director(floor_of_thief=10**15)
    rig = Rig(Bench(Flash()), hub)
    rig.commit(ONE, 1)
    rig.hand_over(thief_s)
    rig.step()
    assert rig.journal.floor == 10**15
    rotate(hub)
    rig.list(TWO)
    for topic, data in TWO.blobs.items():
        rig.bench.link.keep(topic, data)
    rig.hand_over(hub.direct(hub.desire(2, TWO.release), 3))
    rig.run(State.TRIAL)
    assert rig.journal.floor == 0
    assert rig.journal.desired == hub.desire(2, TWO.release)
    rig.hand_over(thief_s)
    rig.run()
    assert rig.journal.desired == hub.desire(2, TWO.release)


def test_a_new_root_of_the_director_takes_no_floor_back_that_a_model_has_proven() -> None:
    hub, thief_s = renewed_director(floor_of_thief=9)
    rig = Rig(Bench(Flash()), hub)
    three = hub.ship(3, floor=5)
    rig.commit(three, 1, floor=5)
    rig.hand_over(thief_s)
    rig.step()
    rotate(hub)
    rig.hand_over(hub.direct(hub.desire(2, three.release, floor=4), 3))
    assert rig.updater.refusals.counts["below-floor"] == 1
    rig.hand_over(hub.direct(hub.desire(2, three.release, floor=5), 3))
    rig.step()
    assert rig.journal.floor == 5


def test_a_power_cut_after_a_new_root_was_believed_does_not_lose_its_statement() -> None:
    hub, thief_s = renewed_director(floor_of_thief=0)
    rig = Rig(Bench(Flash()), hub)
    rig.commit(ONE, 1)
    rig.hand_over(thief_s)
    rig.step()
    rotate(hub)
    rig.hand_over(hub.direct(hub.desire(2, ONE.release), 3))
    rig.updater._tx.trust.keep()
    restarted = rig.make(rig.bench.serving)
    restarted.step(rig.bench.clock.at)
    assert restarted.journal.desired == hub.desire(2, ONE.release)
