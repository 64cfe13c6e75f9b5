"""How content is laid out on the disk, and what a full disk leaves of it."""

from pathlib import Path

import pytest

from fleetloop_firmware_sim.flash import Flash
from fleetloop_hub.errors import BlobError
from fleetloop_hub.storage.blobs import FileBlobs
from fleetloop_shared.errors import DiskFullError
from fleetloop_shared.ids import sha256_hex


def test_a_file_lies_two_folders_deep(tmp_path: Path) -> None:
    sha256 = FileBlobs(tmp_path).put(b"abc")
    path = tmp_path / sha256[:2] / sha256[2:4] / sha256
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [path]


def test_a_relative_folder_is_that_of_the_current_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    blobs = FileBlobs(Path("state/blobs"))
    assert blobs.path(blobs.put(b"abc")).is_relative_to(tmp_path / "state" / "blobs")


def test_content_that_is_there_costs_no_write(tmp_path: Path) -> None:
    disk = Flash()
    blobs = FileBlobs(tmp_path, disk)
    blobs.put(b"abc")
    acts = disk.room_acts
    blobs.put(b"abc")
    assert disk.room_acts == acts


@pytest.mark.parametrize("act", range(3))
def test_a_disk_that_fills_up_leaves_nothing(tmp_path: Path, act: int) -> None:
    disk = Flash()
    blobs = FileBlobs(tmp_path, disk)
    disk.full_at = range(act, act + 1)
    with pytest.raises(DiskFullError):
        blobs.put(b"abc")
    assert not blobs.has(sha256_hex(b"abc"))
    assert disk.free_bytes() == disk.limit_bytes
    blobs.put(b"abc")
    assert blobs.get(sha256_hex(b"abc")) == b"abc"


@pytest.mark.parametrize("act", range(4))
def test_a_disk_that_fills_up_while_a_file_is_kept_leaves_nothing(tmp_path: Path, act: int) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    disk = Flash()
    blobs = FileBlobs(tmp_path / "blobs", disk)
    disk.full_at = range(act, act + 1)
    with pytest.raises(DiskFullError):
        blobs.put_file(tmp_path / "file")
    assert not blobs.has(sha256_hex(b"abc"))
    assert disk.free_bytes() == disk.limit_bytes
    assert blobs.get(blobs.put_file(tmp_path / "file")) == b"abc"


def test_a_file_that_the_system_cannot_read_is_named(tmp_path: Path) -> None:
    blobs = FileBlobs(tmp_path)
    sha256 = blobs.put(b"abc")
    path = blobs.path(sha256)
    path.unlink()
    path.mkdir()
    with pytest.raises(BlobError, match=f"{sha256} cannot be read"):
        blobs.get(sha256)
