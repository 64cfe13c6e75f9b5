"""What every disk promises: the flash of the simulator and the operating system's alike."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from fleetloop_firmware_sim.flash import Flash
from fleetloop_shared.durable import Disk, RealDisk, append, discard, publish, replace
from fleetloop_shared.errors import DiskFaultError


@pytest.fixture(params=["flash", "operating system"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Disk:
    return Flash() if request.param == "flash" else RealDisk(tmp_path / "disk")


FILE = Path("folder/below/file")


def test_what_was_written_is_read(disk: Disk) -> None:
    disk.write(FILE, b"abc")
    assert disk.read(FILE) == b"abc"


def test_a_write_without_offset_replaces_the_whole_content(disk: Disk) -> None:
    disk.write(FILE, b"abcdef")
    disk.write(FILE, b"xy")
    assert disk.read(FILE) == b"xy"


def test_a_write_at_an_offset_keeps_the_rest(disk: Disk) -> None:
    disk.write(FILE, b"abcdef")
    disk.write(FILE, b"XY", offset=2)
    assert disk.read(FILE) == b"abXYef"


def test_a_write_beyond_the_end_fills_the_hole_with_zeros(disk: Disk) -> None:
    disk.write(FILE, b"Z", offset=3)
    assert disk.read(FILE) == b"\0\0\0Z"


def test_a_write_of_nothing_makes_an_empty_file(disk: Disk) -> None:
    disk.write(FILE, b"")
    assert disk.read(FILE) == b""
    assert disk.names(FILE.parent) == ["file"]


@pytest.mark.parametrize(
    "act",
    [
        lambda disk: disk.read(FILE),
        lambda disk: disk.sync(FILE),
        lambda disk: disk.rename(FILE, Path("other")),
        lambda disk: disk.sync_folder(FILE.parent),
    ],
    ids=["read", "sync", "rename", "sync_folder"],
)
def test_what_is_not_there_is_said_to_be_not_there(
    disk: Disk, act: Callable[[Disk], object]
) -> None:
    with pytest.raises(FileNotFoundError):
        act(disk)


def test_a_rename_takes_the_place_of_what_had_the_name(disk: Disk) -> None:
    disk.write(FILE, b"old")
    disk.write(Path("new"), b"new")
    disk.rename(Path("new"), FILE)
    assert disk.read(FILE) == b"new"
    assert disk.names(Path()) == ["folder"]


def test_a_rename_makes_the_folder_it_needs(disk: Disk) -> None:
    disk.write(Path("part"), b"bytes")
    disk.rename(Path("part"), FILE)
    assert disk.read(FILE) == b"bytes"


def test_removing_what_is_not_there_is_no_error(disk: Disk) -> None:
    disk.remove(FILE)
    disk.write(FILE, b"abc")
    disk.remove(FILE)
    disk.remove(FILE)
    assert disk.names(FILE.parent) == []


def test_names_are_sorted_and_those_of_one_folder(disk: Disk) -> None:
    for name in ["b", "a", "c/below"]:
        disk.write(Path("folder") / name, b"")
    assert disk.names(Path("folder")) == ["a", "b", "c"]
    assert disk.names(Path("elsewhere")) == []


def test_an_emptied_folder_can_still_be_synced(disk: Disk) -> None:
    disk.write(FILE, b"abc")
    discard(disk, FILE)
    disk.sync_folder(FILE.parent)
    assert disk.names(FILE.parent) == []


def test_there_is_room_on_a_new_disk(disk: Disk) -> None:
    assert disk.free_bytes() > 0


def test_replace_leaves_the_new_content_and_nothing_else(disk: Disk) -> None:
    replace(disk, FILE, b"old")
    replace(disk, FILE, b"new")
    assert disk.read(FILE) == b"new"
    assert disk.names(FILE.parent) == ["file"]


def test_publish_gives_a_part_its_final_name(disk: Disk) -> None:
    part = Path("parts/x")
    disk.write(part, b"whole")
    publish(disk, part, FILE)
    assert disk.read(FILE) == b"whole"
    assert disk.names(part.parent) == []


def test_appended_lines_stand_one_behind_the_other(disk: Disk) -> None:
    end = append(disk, FILE, b"one", 0)
    assert append(disk, FILE, b"two", end) == 8
    assert disk.read(FILE) == b"one\ntwo\n"


def test_an_appended_line_covers_what_does_not_count(disk: Disk) -> None:
    disk.write(FILE, b"one\nleft by a cut\nand more")
    assert append(disk, FILE, b"two", 4) == 26
    assert disk.read(FILE) == b"one\ntwo" + b" " * 18 + b"\n"


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.EIO, "check the disk"),
        (errno.ENXIO, "check the disk"),
        (errno.EROFS, "mount it for writing again"),
        (errno.EACCES, "give this user write access"),
        (errno.EPERM, "give this user write access"),
    ],
)
def test_a_failing_disk_is_told_apart_from_a_full_one(
    number: int, remedy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = RealDisk(tmp_path)
    disk.write(FILE, b"old")

    def fails(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "open", fails)
    with pytest.raises(DiskFaultError, match=remedy):
        disk.write(FILE, b"new")
