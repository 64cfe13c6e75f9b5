"""What a device may be told and what it may install: one test an attack."""

import msgspec
import pytest

from fleetloop_agent.update import verify
from fleetloop_agent.update.journal import Journal, Slot
from fleetloop_agent.update.verify import Identity
from fleetloop_shared.chunks import pack
from fleetloop_shared.errors import (
    BelowFloorError,
    DiskFullError,
    ManifestError,
    MixAndMatchError,
    QuarantinedError,
    RefusedError,
    RollbackError,
    SignatureError,
    UndecodableError,
    WrongCohortError,
    WrongHardwareError,
)
from fleetloop_shared.manifest import Manifest
from support.hubside import COHORT, HARDWARE, Hubside, Shipment, manifest_of, public, tiny_model

HUB = Hubside()
STRANGER = Hubside()
WHO = Identity("station-1", COHORT, HARDWARE, [public(HUB.image)], [public(HUB.director)])
ONE = HUB.ship(1)


def statement(payload: bytes, accepted_sequence: int | None = None, floor: int = 0) -> None:
    accepted = None
    if accepted_sequence is not None:
        accepted = HUB.desire(accepted_sequence, ONE.release)
    verify.statement(payload, WHO, accepted, floor)


def test_a_signed_statement_for_this_cohort_is_followed() -> None:
    desired = HUB.desire(7, ONE.release)
    assert verify.statement(HUB.direct(desired), WHO, None, 0) == desired


def test_arbitrary_software_a_stranger_signs_a_statement() -> None:
    with pytest.raises(SignatureError):
        statement(STRANGER.direct(HUB.desire(1, ONE.release)))


def test_arbitrary_software_the_image_key_does_not_direct() -> None:
    with pytest.raises(SignatureError):
        statement(HUB.direct(HUB.desire(1, ONE.release), signer=HUB.image))


def test_a_signed_manifest_is_no_statement() -> None:
    with pytest.raises(SignatureError):
        statement(ONE.envelope)


def test_wrong_cohort() -> None:
    with pytest.raises(WrongCohortError):
        statement(HUB.direct(HUB.desire(1, ONE.release, cohort="hills")))


def test_rollback_an_older_statement_is_replayed() -> None:
    with pytest.raises(RollbackError):
        statement(HUB.direct(HUB.desire(4, ONE.release)), accepted_sequence=5)


def test_the_same_statement_again_is_no_attack() -> None:
    statement(HUB.direct(HUB.desire(5, ONE.release)), accepted_sequence=5)


def test_mix_and_match_two_statements_with_one_number() -> None:
    with pytest.raises(MixAndMatchError):
        statement(HUB.direct(HUB.desire(5, HUB.ship(2).release)), accepted_sequence=5)


def test_the_floor_does_not_go_back() -> None:
    with pytest.raises(BelowFloorError):
        statement(HUB.direct(HUB.desire(6, ONE.release, floor=2)), accepted_sequence=5, floor=3)


@pytest.mark.parametrize("sha256", ["../../etc/passwd", "AB" * 32, "", "a" * 63])
def test_a_hash_that_is_none_never_becomes_a_path(sha256: str) -> None:
    release = msgspec.structs.replace(ONE.release, manifest_sha256=sha256)
    with pytest.raises(UndecodableError):
        statement(HUB.direct(HUB.desire(1, ONE.release, control=release)))


@pytest.mark.parametrize("payload", [b"{}", b"null", b"[]", b"\xff\x00", b"x" * 2_000_000])
def test_bytes_that_are_no_envelope(payload: bytes) -> None:
    with pytest.raises(UndecodableError):
        statement(payload)


def manifest(shipment: Shipment, journal: Journal | None = None) -> Manifest:
    return verify.manifest(shipment.envelope, shipment.release, WHO, journal or Journal())


def altered(**changes: object) -> Shipment:
    found = msgspec.structs.replace(ONE.manifest, **changes)
    return HUB.ship_bytes(found, ONE.artifact)


def test_a_manifest_that_passes_every_check_is_installed() -> None:
    assert manifest(ONE) == ONE.manifest


def test_arbitrary_software_a_stranger_signs_a_manifest() -> None:
    with pytest.raises(SignatureError):
        manifest(STRANGER.ship(1))


def test_arbitrary_software_a_stolen_director_key_signs_no_manifest() -> None:
    with pytest.raises(SignatureError):
        manifest(HUB.ship_bytes(ONE.manifest, ONE.artifact, signer=HUB.director))


def test_mix_and_match_another_signed_manifest_in_its_place() -> None:
    with pytest.raises(MixAndMatchError, match="not the one the statement names"):
        verify.manifest(HUB.ship(2).envelope, ONE.release, WHO, Journal())


def test_mix_and_match_a_manifest_of_another_length_than_said() -> None:
    release = msgspec.structs.replace(ONE.release, manifest_bytes=ONE.release.manifest_bytes + 1)
    with pytest.raises(MixAndMatchError):
        verify.manifest(ONE.envelope, release, WHO, Journal())


@pytest.mark.parametrize("change", [{"version": 2}, {"model": "wind"}])
def test_mix_and_match_the_release_says_another_model(change: dict[str, object]) -> None:
    release = msgspec.structs.replace(ONE.release, **change)
    with pytest.raises(MixAndMatchError, match="its manifest rain 1"):
        verify.manifest(ONE.envelope, release, WHO, Journal())


def test_a_manifest_that_contradicts_itself() -> None:
    with pytest.raises(ManifestError):
        manifest(altered(length_bytes=ONE.manifest.budget.artifact_bytes + 1))


def test_a_manifest_whose_artifact_hash_is_a_path() -> None:
    with pytest.raises(ManifestError, match="no SHA-256"):
        manifest(altered(sha256="../journal/0"))


def test_wrong_hardware() -> None:
    with pytest.raises(WrongHardwareError):
        manifest(altered(hardware=["board-b", "board-c"]))


def test_no_hardware_named_means_any() -> None:
    assert manifest(altered(hardware=[])).hardware == []


def test_below_floor() -> None:
    with pytest.raises(BelowFloorError):
        manifest(altered(floor=2), Journal(floor=3))


def test_an_older_version_at_the_floor_is_a_lawful_way_back() -> None:
    assert manifest(altered(floor=3), Journal(floor=3)).version == 1


def test_an_artifact_that_failed_here_does_not_come_back_under_a_new_version() -> None:
    failed = Slot(model="rain", version=9, artifact=ONE.manifest.sha256, manifest="0" * 64)
    with pytest.raises(QuarantinedError):
        manifest(ONE, Journal(quarantine=(failed,)))


def test_every_refusal_has_a_name_of_its_own() -> None:
    kinds = RefusedError.__subclasses__()
    assert len({kind.reason for kind in kinds}) == len(kinds)


def test_room_is_needed_for_the_part_and_the_artifact() -> None:
    found = manifest_of(tiny_model(), 1)
    needed = pack(tiny_model())[0].length_bytes + found.length_bytes + verify.RESERVE_BYTES
    verify.room(found, needed)
    with pytest.raises(DiskFullError, match="serving goes on"):
        verify.room(found, needed - 1)


def test_a_device_of_the_phase_takes_the_release_and_the_others_the_control() -> None:
    desired = HUB.desire(1, ONE.release, phase=5_000, control=HUB.ship(2).release)
    chosen = [verify.choose(desired, f"station-{i}") for i in range(200)]
    assert 60 < chosen.count(desired.release) < 140
    assert chosen.count(desired.control) == 200 - chosen.count(desired.release)


def test_outside_the_phase_without_a_control_nothing_changes() -> None:
    assert verify.choose(HUB.desire(1, ONE.release, phase=0), "station-1") is None
