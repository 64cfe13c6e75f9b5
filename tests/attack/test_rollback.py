"""Rollback: what was once validly signed is replayed to bring an older model back."""

import pytest

from fleetloop_firmware_sim.scenarios.repositories import Issue, payload
from support.attacked import FIRST, IMAGE, Attacked, files_of
from support.hubside import SIGNED_AT


@pytest.fixture
def device() -> Attacked:
    """Serves version 2, which replaced version 1."""
    made = Attacked()
    made.send(made.two, FIRST + 1)
    made.rig.run(4)
    made.remember()
    assert made.serving == 2
    return made


def test_an_old_statement_that_was_validly_signed(device: Attacked) -> None:
    old = device.hub.direct(device.statement(FIRST, device.one))
    device.attack(old)
    device.unharmed("rollback")


def test_an_old_statement_after_the_agent_was_started_again(device: Attacked) -> None:
    device.rig.agent.stop()
    device.rig.agent = device.rig.make()
    device.rig.agent.start()
    device.link.connect()
    device.attack(device.hub.direct(device.statement(FIRST, device.one)))
    device.unharmed("rollback")


def test_an_old_list_of_what_exists(device: Attacked) -> None:
    device.attack(device.hub.listing([device.one], FIRST), IMAGE)
    device.unharmed("rollback", IMAGE)


def test_an_old_statement_in_newer_metadata_as_a_stolen_online_key_could_sign_it(
    device: Attacked,
) -> None:
    files = files_of(device.statement(FIRST, device.one))
    device.attack(payload(device.hub.director.issue(Issue(FIRST + 9, SIGNED_AT), files)))
    device.unharmed("rollback")


def test_two_statements_under_one_number(device: Attacked) -> None:
    files = files_of(device.statement(FIRST + 1, device.one))
    device.attack(payload(device.hub.director.issue(Issue(FIRST + 9, SIGNED_AT), files)))
    device.unharmed("mix-and-match")


def test_a_security_floor_does_not_go_down(device: Attacked) -> None:
    device.send(device.two, FIRST + 2, floor=3)
    device.rig.run(4)
    device.remember()
    assert device.journal.floor == 3
    device.attack(device.hub.direct(device.statement(FIRST + 3, device.one, floor=2)))
    device.unharmed("below-floor")


def test_a_model_that_was_released_below_the_floor(device: Attacked) -> None:
    device.send(device.two, FIRST + 2, floor=3)
    device.rig.run(4)
    device.remember()
    weak = device.hub.ship(3, floor=2)
    device.send(weak, FIRST + 3, floor=3)
    device.rig.run(4)
    journal = device.rig.agent.updater.journal
    device.unharmed(
        "below-floor",
        None,
        wrote=["trust", "manifests"],
        desired=device.statement(FIRST + 3, weak, floor=3),
        declined=weak.release.manifest_sha256,
        last_error=journal.last_error,
    )


def test_what_the_hub_itself_wants_back_comes_back(device: Attacked) -> None:
    """The other side: a roll-back is a new statement that names an older model."""
    device.send(device.one, FIRST + 2)
    device.rig.run(4)
    assert device.serves() == 1
    assert device.refused() == []
