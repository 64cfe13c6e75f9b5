"""What every store of content promises."""

import threading
from pathlib import Path

import pytest

from fleetloop_hub.errors import BlobError
from fleetloop_hub.ports import Blobs
from fleetloop_hub.storage.blobs import FileBlobs
from fleetloop_shared.ids import sha256_hex


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return FileBlobs(tmp_path / "blobs")


@pytest.mark.parametrize("data", [b"", b"abc", bytes(range(256)) * 1000])
def test_what_is_put_is_got_by_its_hash(blobs: Blobs, data: bytes) -> None:
    sha256 = blobs.put(data)
    assert sha256 == sha256_hex(data)
    assert blobs.get(sha256) == data
    assert blobs.has(sha256)
    assert blobs.put(data) == sha256


def test_what_was_never_put_is_named_as_missing(blobs: Blobs) -> None:
    sha256 = sha256_hex(b"never")
    assert not blobs.has(sha256)
    for ask in (blobs.get, blobs.path):
        with pytest.raises(BlobError, match=sha256):
            ask(sha256)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "ab" * 31, "AB" * 32, "ab" * 32 + "\n"])
def test_a_name_that_is_no_hash_never_reaches_the_disk(blobs: Blobs, name: str) -> None:
    for ask in (blobs.get, blobs.has, blobs.path):
        with pytest.raises(BlobError, match="not the SHA-256"):
            ask(name)


@pytest.mark.parametrize("damage", [b"", b"ab", b"abd", b"abcd"])
def test_damaged_content_is_not_handed_out_until_it_is_put_again(
    blobs: Blobs, damage: bytes
) -> None:
    sha256 = blobs.put(b"abc")
    blobs.path(sha256).write_bytes(damage)
    for ask in (blobs.get, blobs.path):
        with pytest.raises(BlobError, match="no longer what its name says"):
            ask(sha256)
    blobs.put(b"abc")
    assert blobs.get(sha256) == b"abc"


def test_another_process_can_read_the_file(blobs: Blobs) -> None:
    path = blobs.path(blobs.put(b"abc"))
    assert path.is_absolute()
    assert path.read_bytes() == b"abc"


def test_threads_that_put_the_same_content_do_not_disturb_each_other(blobs: Blobs) -> None:
    data = b"x" * 100_000
    threads = [threading.Thread(target=blobs.put, args=[data]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert blobs.get(sha256_hex(data)) == data


@pytest.mark.parametrize("size", [0, 3, 9_000_000])
def test_a_file_is_kept_like_its_bytes(blobs: Blobs, tmp_path: Path, size: int) -> None:
    data = bytes(range(251)) * (size // 251 + 1)
    (tmp_path / "file").write_bytes(data[:size])
    sha256 = blobs.put_file(tmp_path / "file")
    assert sha256 == sha256_hex(data[:size]) == blobs.put_file(tmp_path / "file")
    assert blobs.get(sha256) == data[:size]
    assert (tmp_path / "file").read_bytes() == data[:size]


def test_a_file_mends_damaged_content_and_a_missing_one_is_refused(
    blobs: Blobs, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    blobs.path(blobs.put(b"abc")).write_bytes(b"abd")
    assert blobs.get(blobs.put_file(tmp_path / "file")) == b"abc"
    with pytest.raises(BlobError, match="gone cannot be read"):
        blobs.put_file(tmp_path / "gone")


def test_what_nobody_names_can_be_removed_once_the_catalog_was_seen_to_name_it(
    blobs: Blobs,
) -> None:
    old, new = blobs.put(b"old"), blobs.put(b"new")
    assert blobs.unnamed(set()) == {}
    assert not blobs.remove(old)
    blobs.settle({old, new})
    assert blobs.unnamed({new}) == {old: 3}
    assert blobs.remove(old)
    assert not blobs.has(old)
    assert blobs.has(new)
    assert blobs.remove(old)


def test_what_is_put_again_while_it_is_to_be_removed_stays(blobs: Blobs) -> None:
    sha256 = blobs.put(b"abc")
    blobs.settle({sha256})
    assert blobs.unnamed(set()) == {sha256: 3}
    blobs.put(b"abc")
    assert not blobs.remove(sha256)
    assert blobs.get(sha256) == b"abc"


def test_after_a_restart_nothing_is_fresh(tmp_path: Path) -> None:
    sha256 = FileBlobs(tmp_path / "blobs").put(b"abc")
    (tmp_path / "blobs" / ".part").write_bytes(b"not ours")
    (tmp_path / "blobs" / sha256[:2] / sha256[2:4] / ".x.part").write_bytes(b"not ours")
    assert FileBlobs(tmp_path / "blobs").unnamed(set()) == {sha256: 3}
