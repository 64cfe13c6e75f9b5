"""What a statement means for a device: wave, what is settled, control, and what is barred."""

from msgspec.structs import replace

from fleetloop_shared.ids import bucket
from fleetloop_shared.membership import assigned, in_wave
from fleetloop_shared.messages import DesiredState, Release, Settled
from support.hubside import Hubside

HUB = Hubside()
FLEET = [f"d{n}" for n in range(200)]


def release(version: int) -> Release:
    return Release(
        model="rain", version=version, manifest_sha256=f"{version:064x}", manifest_bytes=1
    )


OLD, NEW, MID = release(1), release(3), release(2)
WAVE = HUB.desire(1, NEW, control=OLD, phase=2_500)


def test_the_wave_takes_the_release_and_all_others_keep_the_control() -> None:
    took = {d for d in FLEET if assigned(WAVE, d, "pi3", {}) == NEW}
    assert took == {d for d in FLEET if bucket(d, WAVE.salt) < 2_500}
    assert {assigned(WAVE, d, "pi3", {}) for d in FLEET if d not in took} == {OLD}


def test_each_hardware_type_has_a_phase_of_its_own() -> None:
    desired = replace(WAVE, phase_by_hardware={"pi3": 0, "pi4": 10_000})
    assert not any(in_wave(desired, d, "pi3", {}) for d in FLEET)
    assert all(in_wave(desired, d, "pi4", {}) for d in FLEET)
    assert sum(in_wave(desired, d, "x86", {}) for d in FLEET) in range(30, 71)


def test_only_devices_that_the_query_is_about_are_in_the_wave() -> None:
    desired = replace(WAVE, phase=10_000, where='site = "roof" and hardware != "pi3"')
    assert assigned(desired, "d1", "pi4", {"site": "roof"}) == NEW
    assert assigned(desired, "d1", "pi3", {"site": "roof"}) == OLD
    assert assigned(desired, "d1", "pi4", {}) == OLD


def test_devices_outside_the_wave_keep_what_is_settled_for_them_before_the_control() -> None:
    settled = [Settled(where='site = "yard"', release=MID)]
    desired = replace(WAVE, phase=10_000, where='site = "roof"', settled=settled)
    assert assigned(desired, "d1", "pi4", {"site": "roof"}) == NEW
    assert assigned(desired, "d1", "pi4", {"site": "yard"}) == MID
    assert assigned(desired, "d1", "pi4", {}) == OLD


def test_what_is_barred_from_a_hardware_type_is_passed_over_there_alone() -> None:
    desired = replace(WAVE, phase=10_000, quarantined={"pi3": [NEW.manifest_sha256]})
    assert assigned(desired, "d1", "pi3", {}) == OLD
    assert assigned(desired, "d1", "pi4", {}) == NEW


def test_a_device_from_which_all_is_barred_keeps_what_it_has() -> None:
    desired: DesiredState = replace(WAVE, control=None, phase=10_000)
    barred = replace(desired, quarantined={"pi3": [NEW.manifest_sha256]})
    assert assigned(barred, "d1", "pi3", {}) is None
