"""The one durable record: sealed, kept twice, never trusted when torn."""

from pathlib import Path

import pytest

from fleetloop_agent import sealed as sealing
from fleetloop_agent.update.journal import FOLDER, Journal
from fleetloop_agent.update.states import State
from fleetloop_firmware_sim.flash import Flash
from fleetloop_shared.codec import encode
from fleetloop_shared.errors import DiskFullError
from fleetloop_shared.ids import sha256_hex

COPIES = sealing.copies(FOLDER)


def save(disk: Flash, journal: Journal) -> Journal:
    return sealing.save(disk, FOLDER, journal)


def load(disk: Flash) -> tuple[Journal | None, list[str]]:
    copies = sealing.load(disk, FOLDER, Journal)
    return copies.newest, copies.damage


def saved(disk: Flash, times: int) -> Journal:
    journal = Journal()
    for floor in range(1, times + 1):
        journal = save(disk, Journal(generation=journal.generation, floor=floor))
    return journal


def test_what_was_saved_last_is_loaded() -> None:
    disk = Flash()
    written = saved(disk, 5)
    assert load(disk) == (written, [])
    assert (written.generation, written.floor) == (5, 5)


def test_a_new_disk_has_no_journal_and_nothing_wrong() -> None:
    assert load(Flash()) == (None, [])


@pytest.mark.parametrize("damage", [b"", b"\0" * 500, b"not a journal", b"\xff" * 65])
def test_a_damaged_copy_costs_one_step_and_is_told(damage: bytes) -> None:
    disk = Flash()
    saved(disk, 4)
    disk.write(COPIES[0], damage)
    journal, told = load(disk)
    assert journal is not None
    assert journal.floor == 3
    assert len(told) == 1
    assert "journal/0.json" in told[0]


@pytest.mark.parametrize("at", [0, 70, -2])
def test_one_changed_byte_breaks_the_seal(at: int) -> None:
    disk = Flash()
    saved(disk, 1)
    data = bytearray(disk.read(COPIES[1]))
    data[at] ^= 1
    disk.write(COPIES[1], bytes(data))
    journal, told = load(disk)
    assert journal is None
    assert "seal does not match" in told[0]


def sealed(body: bytes) -> bytes:
    return sha256_hex(body).encode() + b"\n" + body


def test_a_journal_of_a_newer_form_is_not_guessed_at() -> None:
    disk = Flash()
    disk.write(COPIES[0], sealed(encode(Journal(format=2))))
    journal, told = load(disk)
    assert journal is None
    assert "update the agent" in told[0]


def test_a_state_that_is_not_in_the_table_is_not_resumed() -> None:
    disk = Flash()
    disk.write(COPIES[0], sealed(encode({"format": 1, "state": "somewhere"})))
    assert load(disk)[0] is None


def test_a_full_disk_leaves_the_journal_before() -> None:
    disk = Flash()
    written = saved(disk, 3)
    disk.limit_bytes = 0
    with pytest.raises(DiskFullError):
        save(disk, Journal(generation=written.generation, state=State.TRIAL))
    assert load(disk) == (written, [])


@pytest.mark.parametrize("rotten", COPIES)
def test_what_both_copies_hold_survives_damage_to_either(rotten: Path) -> None:
    disk = Flash()
    sealing.save_both(disk, FOLDER, saved(disk, 4))
    disk.rot(rotten, 999)
    journal, damage = load(disk)
    assert journal is not None
    assert journal.floor == 4
    assert len(damage) == 1
