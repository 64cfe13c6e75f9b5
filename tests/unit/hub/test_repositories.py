"""The hub's two repositories as a real TUF client meets them: lists, lives, restarts, damage."""

from pathlib import Path

import pytest
from tuf.api.exceptions import (
    BadVersionNumberError,
    ExpiredMetadataError,
    LengthOrHashMismatchError,
    UnsignedMetadataError,
)
from tuf.api.metadata import Metadata, Timestamp

from fleetloop_hub.config import DAY_S, Lives
from fleetloop_hub.errors import KeyFileError
from fleetloop_hub.trust.trust import Trust
from fleetloop_shared.codec import decode_compressed, encode_compressed
from fleetloop_shared.durable import RealDisk
from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.trust import ISSUED_AT, Bundle
from support.tuf_client import TufClient

NOW = 1_800_000_000.0
A, B = "models/rain/1.json", "models/rain/2.json"
FILE_A, FILE_B = (10, "a" * 64), (20, "b" * 64)


def opened(folder: Path, now: float = NOW, *, relied_on: bool = False) -> Trust:
    trust = Trust(RealDisk(folder))
    trust.open(now, relied_on=relied_on)
    return trust


def version_of(payload: bytes) -> int:
    text = decode_compressed(payload, Bundle).timestamp
    return Metadata[Timestamp].from_bytes(text.encode()).signed.version


def test_a_device_finds_what_is_listed_and_nothing_that_was_withdrawn(tmp_path: Path) -> None:
    trust = opened(tmp_path / "hub")
    device = TufClient(tmp_path / "device", trust.pins((1, 1))[0])
    assert device.take(trust.image_bundle(), NOW, A) is None
    trust.list_files({A: FILE_A, B: FILE_B}, NOW)
    assert device.take(trust.image_bundle(), NOW, A) == FILE_A
    trust.list_files({B: FILE_B}, NOW)
    assert device.take(trust.image_bundle(), NOW, A) is None
    assert device.take(trust.image_bundle(), NOW, B) == FILE_B


def test_where_nothing_has_changed_nothing_is_signed(tmp_path: Path) -> None:
    trust = opened(tmp_path)
    assert trust.list_files({A: FILE_A}, NOW)
    bundle = trust.image_bundle()
    assert not trust.list_files({A: FILE_A}, NOW + 61)
    again = opened(tmp_path, NOW + 100)
    assert not again.list_files({A: FILE_A}, NOW + 100)
    assert again.image_bundle() == bundle


def test_an_older_bundle_is_a_replay_to_the_client(tmp_path: Path) -> None:
    trust = opened(tmp_path / "hub")
    device = TufClient(tmp_path / "device", trust.pins((1, 1))[0])
    trust.list_files({A: FILE_A}, NOW)
    old = trust.image_bundle()
    trust.list_files({}, NOW)
    device.take(trust.image_bundle(), NOW)
    with pytest.raises(BadVersionNumberError):
        device.take(old, NOW)


def test_parts_of_two_bundles_do_not_fit_together(tmp_path: Path) -> None:
    trust = opened(tmp_path / "hub")
    trust.list_files({A: FILE_A}, NOW)
    old = decode_compressed(trust.image_bundle(), Bundle)
    trust.list_files({A: FILE_B}, NOW)
    new = decode_compressed(trust.image_bundle(), Bundle)
    mixed = Bundle(
        roots=new.roots, timestamp=new.timestamp, snapshot=new.snapshot, targets=old.targets
    )
    device = TufClient(tmp_path / "device", new.roots[0])
    with pytest.raises(LengthOrHashMismatchError):
        device.take(encode_compressed(mixed), NOW)


def test_the_directors_keys_cannot_say_what_exists(tmp_path: Path) -> None:
    trust = opened(tmp_path / "hub")
    image, _ = trust.pins((1, 1))
    forged = decode_compressed(trust.director_bundle("plains", b"{}", 9, NOW), Bundle)
    forged = Bundle(
        roots=[image],
        timestamp=forged.timestamp,
        snapshot=forged.snapshot,
        targets=forged.targets,
    )
    with pytest.raises(UnsignedMetadataError):
        TufClient(tmp_path / "device", image).take(encode_compressed(forged), NOW)


def test_what_is_withheld_expires_and_what_comes_in_time_does_not(tmp_path: Path) -> None:
    trust = opened(tmp_path / "hub")
    trust.list_files({A: FILE_A}, NOW)
    device = TufClient(tmp_path / "device", trust.pins((1, 1))[0])
    kept_back = trust.image_bundle()
    device.take(kept_back, NOW)
    now = NOW
    for _ in range(53):  # half a year, with a look every few days
        now += 3.6 * DAY_S
        trust.list_files({A: FILE_A}, now)
        assert device.take(trust.image_bundle(), now, A) == FILE_A
    assert trust.root_versions()[0] > 1
    with pytest.raises(ExpiredMetadataError):
        TufClient(tmp_path / "late", trust.pins((1, 1))[0]).take(kept_back, NOW + 8 * DAY_S)


def test_a_hub_that_was_off_for_two_years_signs_everything_anew(tmp_path: Path) -> None:
    trust = opened(tmp_path / "hub")
    trust.list_files({A: FILE_A}, NOW)
    device = TufClient(tmp_path / "device", trust.pins((1, 1))[0])
    device.take(trust.image_bundle(), NOW)
    later = NOW + 730 * DAY_S
    trust = opened(tmp_path / "hub", later, relied_on=True)
    trust.list_files({A: FILE_A}, later)
    assert device.take(trust.image_bundle(), later, A) == FILE_A
    assert trust.root_versions() == (2, 2)


def test_a_timestamp_says_when_it_was_signed_in_whole_seconds(tmp_path: Path) -> None:
    trust = opened(tmp_path, NOW + 0.7)
    bundle = decode_compressed(trust.image_bundle(), Bundle)
    timestamp = Metadata[Timestamp].from_bytes(bundle.timestamp.encode()).signed
    assert timestamp.unrecognized_fields[ISSUED_AT] == int(NOW)


def test_what_a_wrong_clock_has_signed_is_signed_anew_when_the_clock_is_right(
    tmp_path: Path,
) -> None:
    trust = opened(tmp_path, NOW + 3000 * DAY_S)
    assert trust.list_files({}, NOW)
    bundle = decode_compressed(trust.image_bundle(), Bundle)
    timestamp = Metadata[Timestamp].from_bytes(bundle.timestamp.encode()).signed
    assert timestamp.expires.timestamp() == NOW + 7 * DAY_S


def test_versions_never_repeat_after_a_restart(tmp_path: Path) -> None:
    seen = []
    for start in range(4):
        trust = opened(tmp_path, NOW)
        for which in range(3):
            trust.list_files({f"models/m/{start}{which}.json": FILE_A}, NOW)
            seen.append(version_of(trust.image_bundle()))
    assert seen == sorted(set(seen))


def test_a_cohorts_statement_is_listed_with_its_hash_and_travels_along(tmp_path: Path) -> None:
    trust = opened(tmp_path / "hub")
    payload = trust.director_bundle("plains", b'{"x":1}', 7, NOW)
    device = TufClient(tmp_path / "device", trust.pins((1, 1))[1])
    assert device.take(payload, NOW, "cohorts/plains.json") == (7, sha256_hex(b'{"x":1}'))
    assert decode_compressed(payload, Bundle).files == {"cohorts/plains.json": '{"x":1}'}
    assert version_of(payload) == 7


def test_a_statement_is_due_at_half_of_its_life_and_after_a_rotation(tmp_path: Path) -> None:
    trust = opened(tmp_path)
    payload = trust.director_bundle("plains", b"{}", 1, NOW)
    assert not trust.is_due(payload, NOW + 3.4 * DAY_S)
    assert trust.is_due(payload, NOW + 3.6 * DAY_S)
    trust.renew_director(NOW + 200 * DAY_S)
    assert trust.is_due(payload, NOW)


def test_lives_can_be_short(tmp_path: Path) -> None:
    trust = Trust(RealDisk(tmp_path), Lives(timestamp_s=600.0))
    trust.open(NOW)
    before = version_of(trust.image_bundle())
    trust.list_files({}, NOW + 301)
    assert version_of(trust.image_bundle()) == before + 1


@pytest.mark.parametrize("role", ["root", "targets", "snapshot", "timestamp"])
@pytest.mark.parametrize("repository", ["image", "director"])
def test_a_key_that_is_gone_is_named_and_no_other_one_is_made(
    tmp_path: Path, repository: str, role: str
) -> None:
    opened(tmp_path)
    next((tmp_path / "keys").glob(f"{repository}-{role}-*.pem")).unlink()
    with pytest.raises(KeyFileError, match=rf"{repository}-{role}-\w+\.pem is gone.*restore it"):
        opened(tmp_path)


def test_a_damaged_key_and_another_key_are_named(tmp_path: Path) -> None:
    opened(tmp_path)
    first, second = sorted((tmp_path / "keys").glob("image-*.pem"))[:2]
    whole = first.read_bytes()
    first.write_bytes(whole[:60])
    with pytest.raises(KeyFileError, match=f"{first.name} is not a private key: restore it"):
        opened(tmp_path)
    first.write_bytes(second.read_bytes())
    with pytest.raises(KeyFileError, match="another key than the one that devices trust"):
        opened(tmp_path)


def test_a_damaged_repository_is_never_begun_anew(tmp_path: Path) -> None:
    opened(tmp_path)
    file = tmp_path / "trust" / "director.json"
    data = bytearray(file.read_bytes())
    data[500] ^= 4
    file.write_bytes(bytes(data))
    with pytest.raises(KeyFileError, match=r"trust/director.json is not what was written"):
        opened(tmp_path)


def test_a_repository_that_is_gone_is_not_begun_anew_while_devices_rely_on_it(
    tmp_path: Path,
) -> None:
    pins = opened(tmp_path).pins((1, 1))
    (tmp_path / "trust" / "image.json").unlink()
    with pytest.raises(KeyFileError, match=r"trust/image.json is gone, and devices trust"):
        opened(tmp_path, relied_on=True)
    assert opened(tmp_path).pins((1, 1))[1] == pins[1]


def test_keys_are_for_their_owner_alone_and_one_a_role(tmp_path: Path) -> None:
    opened(tmp_path)
    files = list((tmp_path / "keys").iterdir())
    assert len(files) == 8
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
