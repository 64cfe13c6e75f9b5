"""Arbitrary software: somebody who is not the hub says what to run."""

import re

import pytest

from fleetloop_firmware_sim.scenarios.repositories import Issue, payload
from fleetloop_shared.codec import decode_compressed, encode
from fleetloop_shared.trust import Bundle, manifest_target
from support.attacked import IMAGE, OWN, Attacked, bent, files_of
from support.hubside import SIGNED_AT, Hubside


@pytest.fixture
def device() -> Attacked:
    return Attacked()


def test_a_stranger_who_signs_with_keys_of_his_own(device: Attacked) -> None:
    stranger = Hubside()
    evil = stranger.ship(9)
    device.bring(evil)
    device.attack(stranger.direct(stranger.desire(9, evil.release)))
    device.unharmed("arbitrary-software")
    device.follows_its_own_director()


def test_a_stranger_who_lists_a_model_of_his_own(device: Attacked) -> None:
    stranger = Hubside()
    device.attack(stranger.listing([stranger.ship(9)], 9), IMAGE)
    device.unharmed("arbitrary-software", IMAGE)
    device.follows_its_own_director()


def test_the_image_repository_s_key_does_not_direct(device: Attacked) -> None:
    files = files_of(device.statement(9, device.two))
    device.attack(payload(device.hub.image.issue(Issue(9, SIGNED_AT), files)))
    device.unharmed("arbitrary-software")
    device.follows_its_own_director()


def test_the_director_s_key_does_not_list(device: Attacked) -> None:
    evil = device.hub.ship(9)
    files = {manifest_target("rain", 9): evil.document}
    device.attack(payload(device.hub.director.issue(Issue(9, SIGNED_AT), files)), IMAGE)
    device.unharmed("arbitrary-software", IMAGE)
    device.follows_its_own_director()


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_a_signed_text_in_which_one_number_was_changed(device: Attacked, role: str) -> None:
    good = device.hub.direct(device.statement(6, device.two))
    text = str(getattr(decode_compressed(good, Bundle), role))
    changed = re.sub(r'"version":( ?)6', r'"version":\g<1>7', text, count=1)
    assert changed != text
    device.attack(bent(good, **{role: changed}))
    device.unharmed("arbitrary-software" if role == "timestamp" else "mix-and-match")
    device.follows_its_own_director()


def test_a_desired_state_that_nobody_has_signed(device: Attacked) -> None:
    forged = encode(device.statement(6, device.hub.ship(9))).decode()
    good = device.hub.direct(device.statement(6, device.one))
    device.attack(bent(good, files={"cohorts/plains.json": forged}))
    device.unharmed("mix-and-match", OWN)
    device.follows_its_own_director()
