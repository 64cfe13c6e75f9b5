"""Indefinite freeze: newer words are held back, or old ones are kept good by a wrong clock."""

import pytest

from fleetloop_agent.update.states import State
from fleetloop_firmware_sim.scenarios.repositories import Issue, payload
from support.attacked import DAY_S, FIRST, IMAGE, Attacked, files_of
from support.hubside import SIGNED_AT

NEXT = FIRST + 1


@pytest.fixture
def device() -> Attacked:
    return Attacked()


def signed(
    device: Attacked, sequence: int, *, at: float = SIGNED_AT, life_s: float = DAY_S
) -> bytes:
    files = files_of(device.statement(sequence, device.two))
    return payload(device.hub.director.issue(Issue(sequence, at, life_s), files))


def test_words_that_have_expired_are_not_followed(device: Attacked) -> None:
    old = signed(device, NEXT)
    device.rig.bench.clock.at += 2 * DAY_S
    device.attack(old)
    device.unharmed("freeze")
    device.follows_its_own_director()


def test_a_list_that_has_expired_is_not_believed(device: Attacked) -> None:
    old = device.hub.image.issue(Issue(NEXT, SIGNED_AT, DAY_S), {}, carried=False)
    device.rig.bench.clock.at += 2 * DAY_S
    device.attack(payload(old), IMAGE)
    device.unharmed("freeze", IMAGE)
    device.follows_its_own_director()


def test_newer_words_that_are_withheld_are_missed_and_reported_once(device: Attacked) -> None:
    files = files_of(device.statement(NEXT, device.one))
    device.attack(payload(device.hub.director.issue(Issue(NEXT, SIGNED_AT, DAY_S), files)))
    device.remember()
    device.rig.bench.clock.at += 2 * DAY_S
    for _ in range(3):
        device.rig.run(62)
    assert len(device.refused()) == 1
    device.unharmed("freeze", None)
    device.follows_its_own_director()


def test_a_clock_that_is_set_back_does_not_make_old_words_good_again(device: Attacked) -> None:
    later = signed(device, NEXT + 1, at=SIGNED_AT + 9 * DAY_S, life_s=30 * DAY_S)
    device.attack(later)
    assert device.serves() == 1, "version 2 is not listed"
    device.remember()
    device.rig.bench.clock.at = -3_000 * DAY_S  # years before anything was signed
    old = signed(device, NEXT + 2, at=SIGNED_AT, life_s=DAY_S)
    device.attack(old)
    assert device.rig.agent.updater.reported().time_floor == SIGNED_AT + 9 * DAY_S
    assert device.refused()[-1].reason == "freeze"
    assert device.serves() == 1


def test_a_clock_that_is_set_far_ahead_stops_installing_and_not_serving(device: Attacked) -> None:
    now = device.rig.bench.clock.at
    device.rig.bench.clock.at += 60 * 365 * DAY_S
    device.send(device.two, NEXT)
    device.rig.run(2)
    device.unharmed("freeze", device.refused()[-1].topic)
    device.rig.bench.clock.at = now + 4_000
    device.rig.agent.stop()
    device.rig.agent = device.rig.make()  # a clock that goes back is one of another start
    device.rig.agent.start()
    device.link.connect()
    device.rig.run(4)
    assert device.serves() == 2


def test_what_is_on_its_way_stops_when_its_words_expire(device: Attacked) -> None:
    device.link.keep(IMAGE, device.hub.listing([device.one, device.two], NEXT))
    device.attack(signed(device, NEXT))
    assert device.rig.agent.updater.journal.state is State.PLANNED, "its manifest does not come"
    device.rig.bench.clock.at += 2 * DAY_S
    device.bring(device.two)
    device.rig.run(3)
    assert device.serves() == 1
    assert device.refused()[-1].reason == "freeze"
    assert not any(path.parts[0] == "artifacts" for path in {*device.files()} - {*device.before})
    device.send(device.two, NEXT + 1)
    device.rig.run(70)
    assert device.serves() == 2, "newer words let it go on"
