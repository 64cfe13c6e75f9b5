"""Mix and match: things that are signed, each by itself, and do not belong together."""

import msgspec
import pytest

from fleetloop_agent.update.acquire import IMAGE_WAIT_S
from fleetloop_firmware_sim.scenarios.repositories import payload
from fleetloop_shared.codec import decode_compressed
from fleetloop_shared.trust import Bundle
from support.attacked import FIRST, IMAGE, Attacked

NEXT = FIRST + 1


@pytest.fixture
def device() -> Attacked:
    return Attacked()


def test_the_old_snapshot_with_new_targets(device: Attacked) -> None:
    old = decode_compressed(device.hub.direct(device.statement(FIRST, device.one)), Bundle)
    new = decode_compressed(device.hub.direct(device.statement(NEXT, device.two)), Bundle)
    device.attack(payload(msgspec.structs.replace(new, snapshot=old.snapshot)))
    device.unharmed("mix-and-match")
    device.follows_its_own_director()


def test_new_metadata_with_the_targets_of_another_day(device: Attacked) -> None:
    device.attack(device.hub.direct(device.statement(NEXT, device.one)))
    device.remember()
    other = decode_compressed(device.hub.direct(device.statement(NEXT + 1, device.one)), Bundle)
    third = decode_compressed(device.hub.direct(device.statement(NEXT + 2, device.two)), Bundle)
    mixed = msgspec.structs.replace(third, targets=other.targets, files=other.files)
    device.attack(payload(mixed))
    device.unharmed("mix-and-match")
    device.follows_its_own_director()


def test_metadata_of_the_image_repository_in_the_director_s_place(device: Attacked) -> None:
    device.attack(device.hub.listing([device.one, device.two], NEXT))
    device.unharmed("arbitrary-software")
    device.follows_its_own_director()


def test_the_director_names_what_the_image_repository_lists_otherwise(device: Attacked) -> None:
    other = device.hub.ship(2, bias=7.0)
    device.bring(other)
    device.attack(device.hub.listing([device.one, device.two], NEXT), IMAGE)
    device.attack(device.hub.direct(device.statement(NEXT, other)))
    device.rig.run(IMAGE_WAIT_S + 5)
    journal = device.rig.agent.updater.journal
    device.unharmed(
        "mix-and-match",
        None,
        wrote=["trust"],
        desired=device.statement(NEXT, other),
        declined=other.release.manifest_sha256,
        last_error=journal.last_error,
    )
    device.follows_its_own_director()
