"""What a device believes of what was signed: one test an attack, and the disk after it."""

from pathlib import Path

import msgspec
import pytest
from securesystemslib.signer import CryptoSigner

from fleetloop_agent.sealed import copies
from fleetloop_agent.trust.refresh import MOST_VERSIONS
from fleetloop_agent.trust.trust import DIRECTOR, IMAGE, Trust
from fleetloop_firmware_sim.flash import Flash
from fleetloop_firmware_sim.scenarios.repositories import Issue, payload
from fleetloop_shared.codec import decode_compressed, encode
from fleetloop_shared.errors import (
    DiskFaultError,
    FastForwardError,
    FreezeError,
    MixAndMatchError,
    RefusedError,
    RollbackError,
    SignatureError,
    UndecodableError,
    WrongCohortError,
)
from fleetloop_shared.messages import DesiredState
from fleetloop_shared.trust import Bundle, desired_target
from support.agent_board import StandingClock
from support.hubside import COHORT, SIGNED_AT, Hubside

HUB = Hubside()
ONE = HUB.ship(1)
DAY_S = 86_400.0


class Device:
    """A device's trust, and the disk that outlives it."""

    def __init__(self, hub: Hubside = HUB) -> None:
        self.hub, self.disk, self.clock = hub, Flash(), StandingClock()
        self.trust = self.boot()

    def boot(self) -> Trust:
        self.trust = Trust(self.hub.identity("station-1"), self.disk, self.clock)
        return self.trust

    def direct(self, message: bytes) -> DesiredState | None:
        desired = self.trust.take_director(message, lambda *_: None)
        self.trust.keep()
        return desired

    @property
    def files(self) -> dict[Path, bytes]:
        return self.disk.image().files


@pytest.fixture
def device() -> Device:
    return Device()


def director(
    version: int, now: float = SIGNED_AT, life_s: float = DAY_S, **changes: object
) -> bytes:
    desired = HUB.desire(version, ONE.release, **changes)
    files = {desired_target(desired.cohort): encode(desired)}
    return payload(HUB.director.issue(Issue(version, now, life_s), files))


def bent(message: bytes, **changes: object) -> bytes:
    return payload(msgspec.structs.replace(decode_compressed(message, Bundle), **changes))


def test_a_signed_statement_is_believed_and_outlives_a_restart(device: Device) -> None:
    desired = HUB.desire(3, ONE.release)
    assert device.direct(HUB.direct(desired)) == desired
    assert device.boot().desired() == desired
    assert device.trust.director.version == 3


def test_the_same_bundle_again_is_not_checked_and_nothing_is_written(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    device.direct(director(1))
    before = device.files
    monkeypatch.delattr("fleetloop_agent.trust.trust.refresh")
    assert device.direct(director(1)) is None
    assert device.files == before


def test_what_is_only_believed_in_memory_is_durable_after_keep(device: Device) -> None:
    device.trust.take_image(HUB.listing([ONE]))
    assert device.files == {}
    device.trust.keep()
    assert device.boot().lists(ONE.release)


def refused(device: Device, message: bytes, kind: type[RefusedError]) -> None:
    """Refused by this name, and the disk is what it was."""
    before = device.files
    with pytest.raises(kind):
        device.direct(message)
    assert device.files == before
    device.boot()
    with pytest.raises(kind):
        device.direct(message)


def test_arbitrary_software_a_stranger_s_repository(device: Device) -> None:
    refused(device, Hubside().direct(HUB.desire(1, ONE.release)), SignatureError)


def test_arbitrary_software_the_image_repository_does_not_direct(device: Device) -> None:
    files = {desired_target(COHORT): encode(HUB.desire(1, ONE.release))}
    refused(device, payload(HUB.image.issue(Issue(1, SIGNED_AT), files)), SignatureError)


def test_rollback_an_older_bundle_is_replayed_also_after_a_restart(device: Device) -> None:
    device.direct(director(5))
    refused(device, director(4), RollbackError)


def test_mix_and_match_the_targets_of_another_bundle(device: Device) -> None:
    device.direct(director(1))
    other = decode_compressed(director(2, floor=1), Bundle)
    third = decode_compressed(director(3, floor=2), Bundle)
    mixed = msgspec.structs.replace(third, targets=other.targets, files=other.files)
    refused(device, payload(mixed), MixAndMatchError)


def test_mix_and_match_a_desired_state_that_was_not_signed(device: Device) -> None:
    text = encode(HUB.desire(1, HUB.ship(2).release)).decode()
    refused(device, bent(director(1), files={desired_target(COHORT): text}), MixAndMatchError)


def test_a_bundle_without_its_desired_state(device: Device) -> None:
    refused(device, bent(director(1), files={}), MixAndMatchError)


def test_another_cohorts_newer_bundle_is_refused_and_does_not_poison(device: Device) -> None:
    device.direct(director(1))
    refused(device, director(9, cohort="hills"), WrongCohortError)
    assert device.direct(director(2)) == HUB.desire(2, ONE.release)


def test_a_check_of_the_device_s_own_leaves_nothing_behind(device: Device) -> None:
    def never(*_: object) -> None:
        raise RollbackError("no")

    with pytest.raises(RollbackError):
        device.trust.take_director(director(9), never)
    device.trust.keep()
    assert device.files == {}
    assert device.direct(director(2)) is not None


def test_freeze_an_expired_bundle_is_refused(device: Device) -> None:
    device.clock.at = 2 * DAY_S
    refused(device, director(1), FreezeError)


def test_freeze_a_clock_that_was_set_back_does_not_revive_what_has_expired(device: Device) -> None:
    device.direct(director(1, now=SIGNED_AT + 10 * DAY_S))
    device.clock.at = -5 * DAY_S
    refused(device, director(2, now=SIGNED_AT + 8 * DAY_S), FreezeError)


def test_freeze_what_is_believed_expires_when_nothing_newer_comes(device: Device) -> None:
    device.trust.take_image(HUB.listing([ONE]))
    device.direct(director(1))
    device.trust.check_fresh()
    device.clock.at = DAY_S + 1_001.0
    with pytest.raises(FreezeError, match="what is served stays"):
        device.trust.check_fresh()


def test_the_time_floor_never_goes_back(device: Device) -> None:
    device.direct(director(1, now=SIGNED_AT + DAY_S))
    device.direct(director(2, now=SIGNED_AT + DAY_S / 2))
    assert device.boot().time_floor == SIGNED_AT + DAY_S


def test_fast_forward_versions_that_leap(device: Device) -> None:
    device.direct(director(1))
    refused(device, director(MOST_VERSIONS + 2), FastForwardError)
    assert device.direct(director(2)) is not None


def test_fast_forward_a_time_of_signing_beyond_the_root(device: Device) -> None:
    late = HUB.director.began + HUB.director.root_life_s + DAY_S
    refused(device, director(1, now=late), FastForwardError)


def test_fast_forward_with_a_stolen_key_ends_with_a_new_root() -> None:
    hub = Hubside()
    device = Device(hub)
    files = {desired_target(COHORT): encode(hub.desire(1, ONE.release))}
    device.direct(payload(hub.director.issue(Issue(900_000, SIGNED_AT), files)))
    fresh = {role: [CryptoSigner.generate_ed25519()] for role in ("timestamp", "snapshot")}
    hub.director.rotate(fresh, SIGNED_AT)
    files = {desired_target(COHORT): encode(hub.desire(2, ONE.release))}
    assert device.direct(payload(hub.director.issue(Issue(900_001, SIGNED_AT), files)))


def test_root_rotation_is_followed_over_several_roots_and_old_keys_are_out() -> None:
    hub = Hubside()
    device = Device(hub)
    old = hub.direct(hub.desire(2, ONE.release))
    device.direct(hub.direct(hub.desire(1, ONE.release)))
    for _ in range(3):
        keys = {role: [CryptoSigner.generate_ed25519()] for role in hub.director.keys}
        hub.director.rotate(keys, SIGNED_AT)
    assert device.direct(hub.direct(hub.desire(3, ONE.release))) is not None
    refused(device, bent(old, roots=hub.director.roots), SignatureError)
    refused(device, old, SignatureError)  # with the roots of its time, as if nothing was rotated
    assert device.boot().director.version == 3


def test_a_root_that_the_old_keys_have_not_signed_is_not_followed(device: Device) -> None:
    thief = Hubside()
    thief.director.rotate({}, SIGNED_AT)
    message = bent(
        thief.direct(HUB.desire(1, ONE.release)),
        roots=[HUB.director.roots[0], thief.director.roots[1]],
    )
    refused(device, message, SignatureError)


def test_a_threshold_of_two_is_not_met_by_one() -> None:
    hub = Hubside()
    pair = [CryptoSigner.generate_ed25519(), CryptoSigner.generate_ed25519()]
    hub.image.rotate({"targets": pair}, SIGNED_AT)
    device = Device(hub)
    good = hub.listing([ONE])
    hub.image.keys["targets"] = pair[:1]
    with pytest.raises(SignatureError):
        device.trust.take_image(hub.listing([ONE]))
    assert device.trust.take_image(good)


@pytest.mark.parametrize("copy", [0, 1])
@pytest.mark.parametrize("folder", [IMAGE, DIRECTOR])
def test_damage_to_one_copy_costs_a_step_and_is_told(
    device: Device, folder: Path, copy: int
) -> None:
    for version in (2, 3):
        device.trust.take_image(HUB.listing([ONE], version))
        device.direct(director(version))
    device.disk.write(copies(folder)[copy], b"rot", 80)
    assert "seal does not match" in device.boot().damage[0]
    refused(device, director(1), RollbackError)


def test_with_all_copies_gone_the_pinned_root_begins_anew(device: Device) -> None:
    device.direct(director(2))
    for copy in copies(DIRECTOR):
        device.disk.remove(copy)
    device.boot()
    refused(device, Hubside().direct(HUB.desire(1, ONE.release)), SignatureError)
    assert device.direct(director(3)) is not None


@pytest.mark.parametrize(
    "changes",
    [
        {"timestamp": "{"},
        {"snapshot": "[]"},
        {"targets": '"text"'},
        {"roots": []},
        {"timestamp": ""},
        {"targets": "[" * 5_000},
        {"timestamp": '{"signed": {"_type": "timestamp", "version": 1e999}, "signatures": []}'},
    ],
)
def test_a_bundle_that_is_not_whole_is_refused(device: Device, changes: dict[str, object]) -> None:
    message = bent(director(1), **changes)
    if changes == {"roots": []}:
        assert device.direct(message) is not None, "the pinned root is enough"
        return
    before = device.files
    with pytest.raises(RefusedError):
        device.direct(message)
    assert device.files == before


def test_bytes_that_are_no_bundle(device: Device) -> None:
    for junk in (b"", b"{}", b"\xff\x00", b"x" * 2_000_000):
        with pytest.raises(UndecodableError):
            device.trust.take_director(junk, lambda *_: None)
        with pytest.raises(UndecodableError):
            device.trust.take_image(junk)


def test_another_file_under_the_release_s_name_is_a_contradiction(device: Device) -> None:
    device.trust.take_image(HUB.listing([ONE]))
    other = msgspec.structs.replace(ONE.release, manifest_sha256="0" * 64)
    with pytest.raises(MixAndMatchError):
        device.trust.lists(other)


@pytest.mark.parametrize("rotten", copies(DIRECTOR))
def test_a_bit_that_rots_in_either_copy_does_not_undo_what_is_believed(
    device: Device, rotten: Path
) -> None:
    device.direct(director(3))
    device.direct(director(4))
    device.disk.rot(rotten, 999)
    assert device.boot().director.version == 4
    assert len(device.trust.damage) == 1
    device.trust.keep()
    assert device.boot().damage == [], "the damaged copy was mended"


def test_what_is_not_durable_is_not_told(device: Device) -> None:
    device.direct(director(3))
    device.disk.read_only = True
    device.trust.take_director(director(4), lambda *_: None)
    with pytest.raises(DiskFaultError):
        device.trust.keep()
    assert device.trust.director.version == 4
    assert device.trust.durable[1].version == 3
