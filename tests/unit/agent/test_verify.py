"""What a device may be told and what it may install: one test an attack."""

import msgspec
import pytest

from fleetloop_agent.update import verify
from fleetloop_agent.update.journal import Journal, Slot
from fleetloop_shared.chunks import pack
from fleetloop_shared.errors import (
    BelowFloorError,
    DiskFullError,
    ManifestError,
    MixAndMatchError,
    QuarantinedError,
    RefusedError,
    RollbackError,
    UndecodableError,
    WrongCohortError,
    WrongHardwareError,
)
from fleetloop_shared.manifest import Manifest
from fleetloop_shared.membership import assigned
from fleetloop_shared.messages import DesiredState
from support.hubside import COHORT, HARDWARE, Hubside, Shipment, manifest_of, tiny_model

HUB = Hubside()
ONE = HUB.ship(1)


def statement(desired: DesiredState, accepted_sequence: int | None = None, floor: int = 0) -> None:
    accepted = None
    if accepted_sequence is not None:
        accepted = HUB.desire(accepted_sequence, ONE.release)
    verify.statement(desired, COHORT, accepted, floor)


def test_a_statement_for_this_cohort_is_followed() -> None:
    statement(HUB.desire(7, ONE.release))


def test_wrong_cohort() -> None:
    with pytest.raises(WrongCohortError):
        statement(HUB.desire(1, ONE.release, cohort="hills"))


def test_rollback_an_older_statement_is_replayed() -> None:
    with pytest.raises(RollbackError):
        statement(HUB.desire(4, ONE.release), accepted_sequence=5)


def test_the_same_statement_again_is_no_attack() -> None:
    statement(HUB.desire(5, ONE.release), accepted_sequence=5)


def test_mix_and_match_two_statements_with_one_number() -> None:
    with pytest.raises(MixAndMatchError):
        statement(HUB.desire(5, HUB.ship(2).release), accepted_sequence=5)


def test_the_floor_does_not_go_back() -> None:
    with pytest.raises(BelowFloorError):
        statement(HUB.desire(6, ONE.release, floor=2), accepted_sequence=5, floor=3)


@pytest.mark.parametrize("sha256", ["../../etc/passwd", "AB" * 32, "", "a" * 63])
def test_a_hash_that_is_none_never_becomes_a_path(sha256: str) -> None:
    release = msgspec.structs.replace(ONE.release, manifest_sha256=sha256)
    with pytest.raises(UndecodableError):
        statement(HUB.desire(1, ONE.release, control=release))


def manifest(shipment: Shipment, journal: Journal | None = None) -> Manifest:
    return verify.manifest(shipment.document, shipment.release, HARDWARE, journal or Journal())


def altered(**changes: object) -> Shipment:
    found = msgspec.structs.replace(ONE.manifest, **changes)
    return HUB.ship_bytes(found, ONE.artifact)


def test_a_manifest_that_passes_every_check_is_installed() -> None:
    assert manifest(ONE) == ONE.manifest


def test_mix_and_match_another_listed_manifest_in_its_place() -> None:
    with pytest.raises(MixAndMatchError, match="not the one the statement names"):
        verify.manifest(HUB.ship(2).document, ONE.release, HARDWARE, Journal())


def test_mix_and_match_a_manifest_of_another_length_than_said() -> None:
    release = msgspec.structs.replace(ONE.release, manifest_bytes=ONE.release.manifest_bytes + 1)
    with pytest.raises(MixAndMatchError):
        verify.manifest(ONE.document, release, HARDWARE, Journal())


@pytest.mark.parametrize("change", [{"version": 2}, {"model": "wind"}])
def test_mix_and_match_the_release_says_another_model(change: dict[str, object]) -> None:
    release = msgspec.structs.replace(ONE.release, **change)
    with pytest.raises(MixAndMatchError, match="its manifest rain 1"):
        verify.manifest(ONE.document, release, HARDWARE, Journal())


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
    chosen = [assigned(desired, f"station-{i}", HARDWARE, {}) for i in range(200)]
    assert 60 < chosen.count(desired.release) < 140
    assert chosen.count(desired.control) == 200 - chosen.count(desired.release)


def test_outside_the_phase_without_a_control_nothing_changes() -> None:
    assert assigned(HUB.desire(1, ONE.release, phase=0), "station-1", HARDWARE, {}) is None
