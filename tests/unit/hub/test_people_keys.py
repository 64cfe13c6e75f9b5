"""Keys in people's hands: thresholds, rotation and revocation, seen by hub and real client."""

from pathlib import Path

import pytest
from msgspec.structs import replace
from securesystemslib.signer import CryptoSigner
from tuf.api.exceptions import UnsignedMetadataError

from fleetloop_hub.config import DAY_S
from fleetloop_hub.errors import GateError, SigningError
from fleetloop_hub.trust import offline
from fleetloop_hub.trust.changes import People
from fleetloop_hub.trust.shown import PersonSignature
from fleetloop_hub.trust.terms import Repository, Role
from fleetloop_hub.trust.trust import Trust
from fleetloop_shared.durable import RealDisk
from support.tuf_client import TufClient

NOW = 1_800_000_000.0
A, B = "models/rain/1.json", "models/rain/2.json"
FILE_A, FILE_B = (10, "a" * 64), (20, "b" * 64)

Signers = list[CryptoSigner]


def two_of_three(folder: Path) -> tuple[Trust, Signers]:
    made = offline.make_keys(Repository.IMAGE, 3, folder / "people")
    keys = offline.public_keys(offline.public_halves(made))
    fresh = Trust(RealDisk(folder / "hub"))
    fresh.prepare(People(keys, 2, list(made.values())), NOW)
    return reopened(folder), list(made.values())


def reopened(folder: Path) -> Trust:
    trust = Trust(RealDisk(folder / "hub"))
    trust.open(NOW, relied_on=True)
    return trust


def online(folder: Path) -> Trust:
    trust = Trust(RealDisk(folder / "hub"))
    trust.open(NOW)
    return trust


def sign_all(trust: Trust, signer: CryptoSigner, now: float = NOW) -> None:
    for waiting in trust.view(now).waiting:
        if signer.public_key.keyid in waiting.missing_ids:
            trust.sign(offline.sign(waiting, signer), now)


def progress(trust: Trust) -> list[tuple[str, str]]:
    return [(w.role, w.progress) for w in trust.view(NOW).waiting]


def test_private_halves_of_people_are_never_on_the_hub(tmp_path: Path) -> None:
    two_of_three(tmp_path)
    names = {file.name.rsplit("-", 1)[0] for file in (tmp_path / "hub" / "keys").iterdir()}
    assert names == {
        "image-snapshot",
        "image-timestamp",
        "director-root",
        "director-targets",
        "director-snapshot",
        "director-timestamp",
    }
    theirs = list((tmp_path / "people").iterdir())
    assert len(theirs) == 3
    assert {file.stat().st_mode & 0o777 for file in theirs} == {0o600}
    with pytest.raises(SigningError, match="is not empty"):
        offline.make_keys(Repository.IMAGE, 3, tmp_path / "people")


def test_a_version_reaches_devices_with_two_signatures_of_three_and_not_before(
    tmp_path: Path,
) -> None:
    trust, people = two_of_three(tmp_path)
    device = TufClient(tmp_path / "device", trust.pins((1, 1))[0])
    assert not trust.list_files({A: FILE_A}, NOW)
    assert progress(trust) == [("targets", "0 of 2")]
    sign_all(trust, people[0])
    assert progress(trust) == [("targets", "1 of 2")]
    with pytest.raises(GateError, match=r"rain@1 waits for signatures.*targets has 1 of 2.*sign"):
        trust.check_listed(A, "rain@1")
    assert device.take(trust.image_bundle(), NOW, A) is None
    trust = reopened(tmp_path)  # what has been signed outlasts a restart
    assert not trust.list_files({A: FILE_A}, NOW)
    sign_all(trust, people[2])
    assert progress(trust) == []
    trust.check_listed(A, "rain@1")
    assert device.take(trust.image_bundle(), NOW, A) == FILE_A


def test_the_same_person_twice_is_one_signature(tmp_path: Path) -> None:
    trust, people = two_of_three(tmp_path)
    trust.list_files({A: FILE_A}, NOW)
    signature = offline.sign(trust.view(NOW).waiting[0], people[0])
    for _ in range(2):
        trust.sign(signature, NOW)
    assert progress(trust) == [("targets", "1 of 2")]


def test_a_foreign_signature_and_one_that_does_not_verify_are_not_taken(tmp_path: Path) -> None:
    trust, people = two_of_three(tmp_path)
    trust.list_files({A: FILE_A}, NOW)
    waiting = trust.view(NOW).waiting[0]
    foreign = offline.sign(waiting, CryptoSigner.generate_ed25519())
    with pytest.raises(SigningError, match="may not sign image targets"):
        trust.sign(foreign, NOW)
    genuine = offline.sign(waiting, people[0])
    for signature in ("00" * 64, "none", genuine.signature[:-2] + "zz"):
        bad = PersonSignature(
            repository=Repository.IMAGE,
            role=Role.TARGETS,
            version=waiting.version,
            keyid=genuine.keyid,
            signature=signature,
        )
        with pytest.raises(SigningError, match="does not verify"):
            trust.sign(bad, NOW)
    assert progress(trust) == [("targets", "0 of 2")]


def test_a_signature_over_a_list_that_has_changed_since_is_not_taken(tmp_path: Path) -> None:
    trust, people = two_of_three(tmp_path)
    trust.list_files({A: FILE_A}, NOW)
    late = offline.sign(trust.view(NOW).waiting[0], people[0])
    trust.list_files({A: FILE_A, B: FILE_B}, NOW)
    with pytest.raises(SigningError, match=r"does not wait for signatures \(any more\)"):
        trust.sign(late, NOW)
    with pytest.raises(SigningError, match="does not wait"):
        trust.sign(
            PersonSignature(
                repository=Repository.DIRECTOR, role=Role.ROOT, version=2, keyid="a", signature="b"
            ),
            NOW,
        )


def test_a_list_that_is_taken_back_waits_no_more_and_its_number_is_not_used_again(
    tmp_path: Path,
) -> None:
    trust, _ = two_of_three(tmp_path)
    trust.list_files({A: FILE_A}, NOW)
    first = trust.view(NOW).waiting[0].version
    trust.list_files({}, NOW)
    assert progress(trust) == []
    trust.list_files({A: FILE_A}, NOW)
    assert trust.view(NOW).waiting[0].version == first + 1


def test_from_keys_on_the_hub_to_people_and_back(tmp_path: Path) -> None:
    trust = online(tmp_path)
    trust.list_files({A: FILE_A}, NOW)
    device = TufClient(tmp_path / "device", trust.pins((1, 1))[0])
    device.take(trust.image_bundle(), NOW)
    made = offline.make_keys(Repository.IMAGE, 3, tmp_path / "people")
    trust.rotate(Repository.IMAGE, offline.public_halves(made), 2, NOW)
    assert progress(trust) == [
        ("root", "1 of 1 of the keys before, 0 of 2 of the next"),
        ("targets", "0 of 2"),
    ]
    assert trust.root_versions() == (1, 1)
    assert device.take(trust.image_bundle(), NOW, A) == FILE_A
    people = list(made.values())
    sign_all(trust, people[0])
    sign_all(trust, people[1])
    assert (trust.root_versions(), progress(trust)) == ((2, 1), [])
    assert device.take(trust.image_bundle(), NOW, A) == FILE_A
    gone = {file.name[: file.name.rindex("-")] for file in (tmp_path / "hub" / "keys").iterdir()}
    assert not gone & {"image-root", "image-targets"}
    trust = reopened(tmp_path)
    trust.take_back(Repository.IMAGE, NOW)
    for signer in people[:2]:
        sign_all(trust, signer)
    assert device.take(trust.image_bundle(), NOW, A) == FILE_A
    assert trust.list_files({B: FILE_B}, NOW)


def test_a_rotation_chain_is_followed_from_version_1(tmp_path: Path) -> None:
    trust = online(tmp_path)
    trust.list_files({A: FILE_A}, NOW)
    pins = trust.pins((1, 1))
    kept_back = trust.image_bundle()
    for _ in range(4):
        trust.rotate(Repository.IMAGE, {}, 1, NOW)
        trust.rotate(Repository.DIRECTOR, {}, 1, NOW)
        trust = reopened(tmp_path)
    assert trust.root_versions() == (5, 5)
    assert trust.pins((1, 1)) == pins
    device = TufClient(tmp_path / "image", pins[0])
    assert device.take(trust.image_bundle(), NOW, A) == FILE_A
    with pytest.raises(UnsignedMetadataError):  # signed by keys that the new root does not know
        device.take(kept_back, NOW)
    payload = trust.director_bundle("plains", b"{}", 1, NOW)
    assert TufClient(tmp_path / "director", pins[1]).take(payload, NOW, "cohorts/plains.json")
    assert len(list((tmp_path / "hub" / "keys").iterdir())) == 8


def test_one_signature_of_two_does_not_rotate(tmp_path: Path) -> None:
    trust, people = two_of_three(tmp_path)
    trust.rotate(Repository.IMAGE, {}, 1, NOW)
    sign_all(trust, people[1])
    assert progress(trust) == [("root", "1 of 2")]
    assert trust.root_versions() == (1, 1)
    sign_all(trust, people[2])
    assert trust.root_versions() == (2, 1)


def test_a_revoked_persons_signature_counts_no_more(tmp_path: Path) -> None:
    trust, people = two_of_three(tmp_path)
    thief = people[0]
    trust.list_files({A: FILE_A}, NOW)
    sign_all(trust, thief)
    trust.revoke(thief.public_key.keyid[:12], NOW)
    waiting = {w.role: w for w in trust.view(NOW).waiting}
    assert thief.public_key.keyid not in waiting[Role.ROOT].missing_ids
    assert waiting[Role.TARGETS].progress == "0 of 2"
    with pytest.raises(SigningError, match="was revoked"):
        trust.sign(offline.sign(waiting[Role.ROOT], thief), NOW)
    for signer in people[1:]:
        sign_all(trust, signer)
    assert (trust.root_versions(), progress(trust)) == ((2, 1), [])
    device = TufClient(tmp_path / "device", trust.pins((1, 1))[0])
    assert device.take(trust.image_bundle(), NOW, A) == FILE_A
    with pytest.raises(SigningError, match="there are 1 keys for image root, where 2 must sign"):
        trust.revoke(people[1].public_key.keyid, NOW)


def test_a_revoked_key_of_the_hub_is_replaced_and_goes(tmp_path: Path) -> None:
    trust = online(tmp_path)
    trust.list_files({A: FILE_A}, NOW)
    device = TufClient(tmp_path / "device", trust.pins((1, 1))[0])
    for role in ("timestamp", "targets", "root"):
        (file,) = (tmp_path / "hub" / "keys").glob(f"image-{role}-*.pem")
        key = next(k for k in trust.view(NOW).keys if k.name == file.stem)
        assert trust.revoke(key.keyid, NOW) is Repository.IMAGE
        assert not file.exists()
        assert device.take(trust.image_bundle(), NOW, A) == FILE_A
    assert trust.root_versions() == (4, 1)


def test_no_key_is_guessed_from_too_few_digits(tmp_path: Path) -> None:
    trust = online(tmp_path)
    for wrong in ("", trust.view(NOW).keys[0].keyid[:7], "f" * 64):
        with pytest.raises(SigningError, match="names no key that is in use"):
            trust.revoke(wrong, NOW)


def test_a_threshold_that_cannot_be_reached_changes_nothing(tmp_path: Path) -> None:
    trust = online(tmp_path)
    made = offline.make_keys(Repository.IMAGE, 2, tmp_path / "people")
    before = sorted(tmp_path.glob("hub/*/*"))
    for threshold in (0, 3):
        with pytest.raises(SigningError, match="--threshold 2 --of 3"):
            trust.rotate(Repository.IMAGE, offline.public_halves(made), threshold, NOW)
    with pytest.raises(SigningError, match="is no public Ed25519 key"):
        trust.rotate(Repository.IMAGE, {"eve": "abc"}, 1, NOW)
    assert sorted(tmp_path.glob("hub/*/*")) == before
    with pytest.raises(SigningError, match="has its keys already"):
        Trust(RealDisk(tmp_path / "hub")).prepare(People({}, 1), NOW)


def test_people_are_asked_30_days_before_and_what_they_see_is_what_they_sign(
    tmp_path: Path,
) -> None:
    trust, people = two_of_three(tmp_path)
    trust.list_files({A: FILE_A}, NOW)
    words = offline.describe(trust.view(NOW).waiting[0])
    assert words[0].startswith("image targets, version 2, until 2028-01-15: 1 files")
    assert words[1] == f"    + {A}, 10 bytes, SHA-256 {'a' * 64}"
    for signer in people[:2]:
        sign_all(trust, signer)
    assert trust.view(NOW + 334 * DAY_S).notices == []
    late = NOW + 336 * DAY_S
    trust.list_files({A: FILE_A}, late)
    view = trust.view(late)
    assert [w.role for w in view.waiting] == [Role.ROOT, Role.TARGETS]
    assert "the same keys as before, only for longer" in offline.describe(view.waiting[0])[1]
    assert "the same versions as before, signed anew" in offline.describe(view.waiting[1])[1]
    assert sum("people must sign" in notice for notice in view.notices) == 2
    for signer in people[1:]:
        sign_all(trust, signer, late)
    assert trust.view(late).notices == []
    device = TufClient(tmp_path / "device", trust.pins((1, 1))[0])
    assert device.take(trust.image_bundle(), late, A) == FILE_A


def test_what_has_expired_is_told_as_such(tmp_path: Path) -> None:
    trust, _ = two_of_three(tmp_path)
    notices = trust.view(NOW + 366 * DAY_S).notices
    assert any("devices install nothing until people have signed it anew" in n for n in notices)


def test_a_change_of_hands_is_told_key_by_key(tmp_path: Path) -> None:
    trust = online(tmp_path)
    made = offline.make_keys(Repository.DIRECTOR, 3, tmp_path / "people")
    trust.rotate(Repository.DIRECTOR, offline.public_halves(made), 2, NOW)
    (waiting,) = trust.view(NOW).waiting
    words = offline.describe(waiting)
    assert "  root: 2 of 3 keys must sign" in words
    assert [f"    + {s.public_key.keyid}" in words for s in made.values()] == [True] * 3
    assert "  targets: 1 of 1 keys must sign" in words
    for signer in made.values():
        sign_all(trust, signer)
    assert trust.root_versions() == (1, 2)
    payload = trust.director_bundle("plains", b"{}", 1, NOW)
    device = TufClient(tmp_path / "device", trust.pins((1, 1))[1])
    assert device.take(payload, NOW, "cohorts/plains.json")


def test_what_a_stolen_hub_calls_published_is_not_believed(tmp_path: Path) -> None:
    trust, _ = two_of_three(tmp_path)
    pinned = trust.pins((1, 1))[0]
    trust.list_files({A: FILE_A}, NOW)
    (waiting,) = trust.view(NOW).waiting
    offline.check(waiting, pinned)
    hidden = replace(waiting, before=waiting.text)  # nobody has signed that yet
    with pytest.raises(SigningError, match="what it calls published was never signed"):
        offline.check(hidden, pinned)
    strange = online(tmp_path / "stranger").pins((1, 1))[0]
    with pytest.raises(SigningError, match="do not follow from the one beside the key file"):
        offline.check(replace(waiting, roots=[strange]), pinned)
    with pytest.raises(SigningError, match="root 1 is not signed as it should be"):
        offline.check(replace(waiting, roots=[pinned, strange]), pinned)
