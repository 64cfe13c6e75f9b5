"""Key compromise: what somebody can do with each key that he has stolen, and what he cannot."""

import msgspec
import pytest
from securesystemslib.signer import CryptoSigner

from fleetloop_agent.update.acquire import IMAGE_WAIT_S
from fleetloop_firmware_sim.scenarios.repositories import Issue, Repository, payload
from fleetloop_shared.codec import decode_compressed
from fleetloop_shared.trust import Bundle, manifest_target
from support.attacked import FIRST, IMAGE, OWN, Attacked, files_of, resigned, restamped
from support.hubside import LIFE_S, SIGNED_AT, Hubside, Shipment

NEXT = FIRST + 1
ONLINE = ("timestamp", "snapshot", "targets")


@pytest.fixture
def device() -> Attacked:
    return Attacked()


def thief_of(repository: Repository, *roles: str) -> Repository:
    """A repository with the true roots, whose signer has only the keys of these roles."""
    strange = Repository(SIGNED_AT)
    keys = {role: repository.keys[role] for role in roles}
    return Repository(
        SIGNED_AT, {**strange.keys, **keys}, repository.root_life_s, list(repository.roots)
    )


def direct(by: Repository, device: Attacked, shipment: Shipment, version: int = NEXT) -> bytes:
    files = files_of(device.statement(version, shipment))
    return payload(by.issue(Issue(version, SIGNED_AT, LIFE_S), files))


@pytest.mark.parametrize("role", ONLINE)
def test_one_key_of_the_director_alone_directs_nothing(device: Attacked, role: str) -> None:
    device.attack(direct(thief_of(device.hub.director, role), device, device.two))
    device.unharmed("arbitrary-software")
    device.follows_its_own_director()


@pytest.mark.parametrize("role", ONLINE)
def test_one_key_of_the_image_repository_alone_lists_nothing(device: Attacked, role: str) -> None:
    evil = device.hub.ship(9)
    by = thief_of(device.hub.image, role)
    files = {manifest_target("rain", 9): evil.document}
    device.attack(payload(by.issue(Issue(NEXT, SIGNED_AT, LIFE_S), files, carried=False)), IMAGE)
    device.unharmed("arbitrary-software", IMAGE)
    device.follows_its_own_director()


def test_the_keys_of_snapshot_and_timestamp_cannot_bring_old_targets_back(
    device: Attacked,
) -> None:
    """The online keys of the image repository: they may not undo what the offline key said."""
    device.attack(device.hub.listing([device.one, device.two], NEXT), IMAGE)
    device.remember()
    by = thief_of(device.hub.image, "timestamp", "snapshot")
    old = decode_compressed(device.hub.listing([device.one], FIRST), Bundle)
    forged = resigned(by, Issue(NEXT + 1, SIGNED_AT, LIFE_S), old.targets, FIRST)
    device.attack(payload(forged), IMAGE)
    device.unharmed("rollback", IMAGE)
    device.follows_its_own_director()


def test_all_online_keys_of_the_director_and_a_forged_model(device: Attacked) -> None:
    evil = device.hub.ship(9)
    device.bring(evil)
    device.attack(direct(thief_of(device.hub.director, *ONLINE), device, evil))
    device.rig.run(IMAGE_WAIT_S + 5)
    journal = device.rig.agent.updater.journal
    device.unharmed(
        "arbitrary-software",
        None,
        wrote=["trust"],
        desired=device.statement(NEXT, evil),
        declined=evil.release.manifest_sha256,
        last_error=journal.last_error,
    )
    assert not {path for path in device.files() if evil.manifest.sha256 in path.name}
    device.follows_its_own_director()


def test_all_online_keys_of_the_director_direct_to_what_the_image_keys_have_released(
    device: Attacked,
) -> None:
    """Not defended: who has the director's keys chooses among all that is released."""
    device.attack(device.hub.listing([device.one, device.two], NEXT), IMAGE)
    device.bring(device.two)
    device.attack(direct(thief_of(device.hub.director, *ONLINE), device, device.two))
    device.rig.run(3)
    assert device.serves() == 2


def test_the_image_keys_without_the_director_install_nothing(device: Attacked) -> None:
    evil = device.hub.ship(9)
    device.bring(evil)
    device.attack(device.hub.listing([device.one, evil], NEXT), IMAGE)
    device.rig.run(10)
    assert device.serves() == 1
    assert device.refused() == [], "a list alone tells no device what to run"
    assert device.rig.agent.updater.journal == device.journal
    assert {p.parts[0] for p in {*device.files()} - {*device.before}} <= {"trust"}
    device.follows_its_own_director()


def test_a_stolen_timestamp_key_keeps_words_good_no_longer_than_the_others_allow(
    device: Attacked,
) -> None:
    by = thief_of(device.hub.director, "timestamp")
    true = decode_compressed(device.link.retained[OWN], Bundle)
    until = device.rig.agent.updater.reported().trusted_until
    device.attack(payload(restamped(by, Issue(NEXT, SIGNED_AT, 9 * LIFE_S), true)))
    assert device.refused() == []
    assert device.rig.agent.updater.reported().trusted_until == until
    assert device.rig.agent.updater.journal == device.journal
    assert device.serves() == 1
    device.follows_its_own_director()


@pytest.mark.parametrize("role", ONLINE)
def test_a_key_that_was_revoked_signs_nothing_any_more(device: Attacked, role: str) -> None:
    stolen = thief_of(device.hub.director, *ONLINE)
    fresh = [CryptoSigner.generate_ed25519()]
    device.hub.director.rotate({role: fresh}, SIGNED_AT)
    device.attack(device.hub.direct(device.statement(NEXT, device.one)))
    device.remember()
    bundle = decode_compressed(direct(stolen, device, device.two, NEXT + 1), Bundle)
    newest = msgspec.structs.replace(bundle, roots=list(device.hub.director.roots))
    for message in (payload(bundle), payload(newest)):
        device.attack(message)
    device.unharmed("arbitrary-software")
    device.follows_its_own_director()


def test_a_root_that_only_the_new_key_has_signed_is_none(device: Attacked) -> None:
    thief = Hubside()
    thief.director.rotate({}, SIGNED_AT)
    bundle = decode_compressed(thief.direct(device.statement(NEXT, device.two)), Bundle)
    roots = [device.hub.director.roots[0], thief.director.roots[1]]
    device.attack(payload(msgspec.structs.replace(bundle, roots=roots)))
    device.unharmed("arbitrary-software")
    device.follows_its_own_director()


def test_one_of_two_keys_is_not_two() -> None:
    device = Attacked()
    pair = [CryptoSigner.generate_ed25519(), CryptoSigner.generate_ed25519()]
    device.hub.image.rotate({"targets": pair}, SIGNED_AT)
    device.attack(device.hub.listing([device.one], NEXT), IMAGE)
    device.remember()
    device.hub.image.keys["targets"] = pair[:1]
    device.attack(device.hub.listing([device.one, device.hub.ship(9)], NEXT + 1), IMAGE)
    device.unharmed("arbitrary-software", IMAGE)
    device.hub.image.keys["targets"] = pair
    device.follows_its_own_director()
