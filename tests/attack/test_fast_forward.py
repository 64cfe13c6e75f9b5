"""Fast-forward: version numbers so high that the hub's own next ones would look like a replay."""

import msgspec
import pytest
from securesystemslib.signer import CryptoSigner

from fleetloop_firmware_sim.scenarios.repositories import Issue, new_keys, payload
from support.attacked import DAY_S, FIRST, IMAGE, Attacked, files_of
from support.hubside import LIFE_S, SIGNED_AT

FAR = 2**40


@pytest.fixture
def device() -> Attacked:
    return Attacked()


def leap(device: Attacked, version: int, *, at: float = SIGNED_AT) -> bytes:
    files = files_of(device.statement(FIRST, device.one))
    return payload(device.hub.director.issue(Issue(version, at, LIFE_S), files))


def test_versions_that_leap_are_not_taken(device: Attacked) -> None:
    device.attack(leap(device, FAR))
    device.unharmed("fast-forward")
    device.follows_its_own_director()


def test_a_list_whose_version_leaps_is_not_taken(device: Attacked) -> None:
    device.attack(device.hub.listing([device.one], FAR), IMAGE)
    device.unharmed("fast-forward", IMAGE)
    device.follows_its_own_director()


def test_a_time_of_signing_in_the_far_future_does_not_stop_the_clock(device: Attacked) -> None:
    device.attack(leap(device, FIRST + 1, at=SIGNED_AT + 25 * 365 * DAY_S))
    device.unharmed("fast-forward")
    device.follows_its_own_director()


def test_a_leap_within_the_limit_is_mended_by_a_new_root(device: Attacked) -> None:
    device.attack(leap(device, FIRST + 900_000))
    assert device.rig.reported.refusals == {}
    device.attack(device.hub.direct(device.statement(FIRST + 1, device.two)))
    assert device.refused()[-1].reason == "rollback", "the hub's own next word looks like a replay"
    fresh = {role: [CryptoSigner.generate_ed25519()] for role in ("timestamp", "snapshot")}
    device.hub.director.rotate(fresh, SIGNED_AT)
    device.link.keep(IMAGE, device.hub.listing([device.one, device.two], FIRST + 2))
    device.bring(device.two)
    files = files_of(device.statement(FIRST + 2, device.two))
    device.attack(payload(device.hub.director.issue(Issue(FIRST + 2, SIGNED_AT, LIFE_S), files)))
    device.rig.run(4)
    assert device.serves() == 2


def test_a_stolen_director_s_number_and_floor_end_with_a_new_root(device: Attacked) -> None:
    stolen = msgspec.structs.replace(device.statement(FAR, device.one), floor=FAR)
    thief_s = device.hub.direct(stolen, FIRST + 1)
    device.attack(thief_s)
    assert device.rig.reported.sequence == FAR
    device.hub.director.rotate(new_keys(), SIGNED_AT)
    device.link.keep(IMAGE, device.hub.listing([device.one, device.two], FIRST + 2))
    device.bring(device.two)
    device.attack(device.hub.direct(device.statement(FIRST + 2, device.two)))
    device.rig.run(4)
    assert (device.serves(), device.rig.reported.sequence) == (2, FIRST + 2)
    device.attack(thief_s)
    assert device.serves() == 2
    assert device.refused()[-1].reason == "arbitrary-software"
