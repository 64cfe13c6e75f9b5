"""What the simulated flash may leave after a cut, and what it must keep."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fleetloop_firmware_sim.crash import Image
from fleetloop_firmware_sim.flash import Flash
from fleetloop_firmware_sim.power import Moments, PowerCut
from fleetloop_shared.durable import publish, replace
from fleetloop_shared.errors import DiskFaultError, DiskFullError

FILE = Path("state/file")


def contents(flash: Flash, path: Path = FILE) -> set[bytes | None]:
    return {image.files.get(path) for image in flash.aftermath().every()}


def durable(data: bytes) -> Flash:
    return Flash(image=Image({FILE: data}))


def test_an_unsynced_write_is_lost_torn_zero_filled_or_whole() -> None:
    flash = durable(b"____")
    flash.write(FILE, b"abcd", offset=0)
    assert contents(flash) == {b"____", b"ab__", b"__cd", b"\0\0\0\0", b"abcd"}


def test_replacing_in_place_may_also_leave_an_empty_file() -> None:
    flash = durable(b"old")
    flash.write(FILE, b"new!")
    assert {b"old", b"", b"ne", b"\0\0\0\0", b"new!"} <= contents(flash)


def test_a_synced_write_is_kept_whole() -> None:
    flash = durable(b"old")
    flash.write(FILE, b"new")
    flash.sync(FILE)
    assert contents(flash) == {b"new"}


def test_syncing_a_file_does_not_keep_its_name() -> None:
    flash = Flash()
    flash.write(FILE, b"new")
    flash.sync(FILE)
    assert contents(flash) == {None, b"new"}


def test_syncing_the_folder_does_not_keep_the_bytes() -> None:
    flash = Flash()
    flash.write(FILE, b"new!")
    flash.sync_folder(FILE.parent)
    assert contents(flash) == {b"", b"ne", b"\0\0w!", b"\0\0\0\0", b"new!"}


def test_a_removed_file_may_come_back_until_its_folder_is_synced() -> None:
    flash = durable(b"old")
    flash.remove(FILE)
    assert contents(flash) == {None, b"old"}
    flash.sync_folder(FILE.parent)
    assert contents(flash) == {None}


def test_a_file_that_moves_to_another_folder_is_never_in_neither() -> None:
    flash = durable(b"moved")
    flash.rename(FILE, Path("elsewhere/file"))
    for image in flash.aftermath().every():
        assert b"moved" in image.files.values()
    assert len(list(flash.aftermath().every())) == 3


def test_syncing_the_folder_a_file_has_left_keeps_where_it_went() -> None:
    flash = durable(b"moved")
    flash.rename(FILE, Path("elsewhere/file"))
    flash.sync_folder(FILE.parent)
    assert [i.files for i in flash.aftermath().every()] == [{Path("elsewhere/file"): b"moved"}]


def test_names_come_about_in_any_subset() -> None:
    flash = Flash()
    for name in ["a", "b"]:
        flash.write(Path(name), b"")
    assert {frozenset(map(str, i.files)) for i in flash.aftermath().every()} == {
        frozenset(names) for names in [(), ("a",), ("b",), ("a", "b")]
    }


def test_a_cut_stops_the_act_it_comes_before() -> None:
    flash = Flash(Moments(cut_at=1))
    with pytest.raises(PowerCut):
        flash.write(FILE, b"never")
    assert flash.names(FILE.parent) == []


def test_a_moment_passes_before_each_act() -> None:
    flash = Flash()
    replace(flash, FILE, b"new")
    assert flash.moments.passed == 4


def test_a_full_flash_refuses_and_keeps_what_it_had() -> None:
    flash = Flash(image=Image({FILE: b"old"}), limit_bytes=5)
    with pytest.raises(DiskFullError, match="free some space"):
        replace(flash, FILE, b"longer than five")
    assert flash.read(FILE) == b"old"
    assert flash.names(FILE.parent) == ["file"]


@pytest.mark.parametrize("act", [0, 1, 2], ids=["write", "sync", "rename"])
def test_no_room_at_any_act_of_replace_harms_nothing(act: int) -> None:
    flash = durable(b"old")
    flash.full_at = range(act, act + 1)
    with pytest.raises(DiskFullError):
        replace(flash, FILE, b"new")
    assert contents(flash) == {b"old"}
    replace(flash, FILE, b"new")
    assert contents(flash) == {b"new"}


def outcomes_of_cuts(protocol: Callable[[Flash], None]) -> set[bytes | None]:
    """The file's content after a cut at every moment of replacing it, in every legal outcome."""
    found: set[bytes | None] = set()
    for moment in range(1, 100):
        flash = Flash(Moments(cut_at=moment), Image({FILE: b"old"}))
        try:
            protocol(flash)
        except PowerCut:
            found |= contents(flash)
        else:
            return found | contents(flash)
    raise AssertionError("it never ends")


def test_replace_leaves_the_old_content_or_the_new_after_any_cut() -> None:
    assert outcomes_of_cuts(lambda flash: replace(flash, FILE, b"new")) == {b"old", b"new"}


def test_publish_lets_the_name_appear_only_over_whole_bytes() -> None:
    part, target = Path("parts/x"), Path("models/x")
    for moment in range(1, 100):
        flash = Flash(Moments(cut_at=moment))
        try:
            flash.write(part, b"whole bytes")
            publish(flash, part, target)
        except PowerCut:
            assert contents(flash, target) <= {None, b"whole bytes"}
        else:
            assert contents(flash, target) == {b"whole bytes"}
            return


def rename_without_sync(flash: Flash) -> None:
    flash.write(Path("state/part"), b"new")
    flash.rename(Path("state/part"), FILE)
    flash.sync_folder(FILE.parent)


def write_in_place(flash: Flash) -> None:
    flash.write(FILE, b"new")
    flash.sync(FILE)


@pytest.mark.parametrize("wrong", [rename_without_sync, write_in_place])
def test_a_wrong_protocol_is_found_out(wrong: Callable[[Flash], None]) -> None:
    assert not outcomes_of_cuts(wrong) <= {b"old", b"new"}


def test_a_chosen_few_outcomes_are_legal_and_hold_the_extremes() -> None:
    flash = durable(b"old")
    for n in range(4):
        flash.write(Path(f"file{n}"), b"abcd")
    every = {image.key for image in flash.aftermath().every()}
    some = flash.aftermath().some(10, seed=1)
    assert len(some) == len({image.key for image in some}) == 10
    assert {image.key for image in some} <= every
    assert some[0].files == {FILE: b"old"}
    assert len(some[1].files) == 5
    assert [i.key for i in some] == [i.key for i in flash.aftermath().some(10, seed=1)]


@pytest.mark.parametrize(
    "act",
    [
        lambda flash: flash.write(FILE, b"new"),
        lambda flash: flash.sync(FILE),
        lambda flash: flash.rename(FILE, Path("other")),
        lambda flash: flash.remove(FILE),
        lambda flash: replace(flash, FILE, b"new"),
    ],
    ids=["write", "sync", "rename", "remove", "replace"],
)
def test_a_flash_that_went_read_only_refuses_every_change_and_still_reads(
    act: Callable[[Flash], None],
) -> None:
    flash = durable(b"old")
    flash.read_only = True
    with pytest.raises(DiskFaultError, match="Read-only"):
        act(flash)
    assert flash.read(FILE) == b"old"
    assert contents(flash) == {b"old"}


def test_a_file_that_cannot_be_read_says_so_until_it_can() -> None:
    flash = durable(b"old")
    flash.unreadable = frozenset({FILE})
    with pytest.raises(DiskFaultError, match="Input/output"):
        flash.read(FILE)
    flash.unreadable = frozenset()
    assert flash.read(FILE) == b"old"


def test_a_bit_that_rots_is_wrong_for_readers_and_after_a_cut() -> None:
    flash = durable(b"a")
    flash.rot(FILE, 1)
    assert flash.read(FILE) == b"c"
    assert contents(flash) == {b"c"}
    assert Image({FILE: b"a"}).rotten(FILE, 1 + 8).files == {FILE: b"c"}
