"""A constrained device: what it believes of one signed statement, and what it refuses."""

import msgspec
import pytest
from securesystemslib.signer import CryptoSigner

from fleetloop_firmware_sim.mcu import Mcu, Memory, Pins
from fleetloop_firmware_sim.scenarios.repositories import Issue, Repository
from fleetloop_shared.codec import decode_compressed, encode, encode_compressed
from fleetloop_shared.errors import (
    BelowFloorError,
    FreezeError,
    MixAndMatchError,
    RefusedError,
    RollbackError,
    SignatureError,
    UndecodableError,
    WrongCohortError,
)
from fleetloop_shared.messages import DesiredState, Release
from fleetloop_shared.trust import Bundle, desired_target

NOW, DAY_S = 1_700_000_000.0, 86_400.0
COHORT = "sensors"
DIRECTOR = Repository(NOW)
PINS = Pins(DIRECTOR.roots[0])


def desired(sequence: int, **changes: object) -> DesiredState:
    plain = DesiredState(
        cohort=COHORT,
        sequence=sequence,
        rollout="r",
        salt="s",
        phase=10_000,
        release=Release(model="m", version=1, manifest_sha256="ab" * 32, manifest_bytes=10),
        control=None,
        floor=0,
        issued_at=NOW,
        soak_rows=0,
        soak_s=0.0,
    )
    return msgspec.structs.replace(plain, **changes)


def bundle(version: int, said: DesiredState, by: Repository = DIRECTOR) -> Bundle:
    files = {desired_target(said.cohort): encode(said)}
    return by.issue(Issue(version, said.issued_at, DAY_S), files)


def message(version: int, **changes: object) -> bytes:
    return encode_compressed(bundle(version, desired(version, **changes)))


def bent(payload: bytes, **changes: object) -> bytes:
    plain = decode_compressed(payload, Bundle)
    return encode_compressed(msgspec.structs.replace(plain, **changes))


@pytest.fixture
def mcu() -> Mcu:
    made = Mcu(COHORT, PINS)
    made.accept(message(5, floor=2), NOW)
    return made


def test_one_signed_statement_is_enough_and_is_remembered_in_some_hundred_bytes(mcu: Mcu) -> None:
    assert mcu.memory.version == mcu.memory.sequence == 5
    assert mcu.memory.floor == 2
    assert len(encode(mcu.memory)) < 256


def test_neither_snapshot_nor_timestamp_is_needed(mcu: Mcu) -> None:
    payload = bent(message(6, floor=2), timestamp="", snapshot="", roots=[])
    assert mcu.accept(payload, NOW).sequence == 6


def test_the_same_statement_again_is_no_replay(mcu: Mcu) -> None:
    again = message(6, floor=2)
    assert mcu.accept(again, NOW) == mcu.accept(again, NOW)


def refused(mcu: Mcu, payload: bytes, why: type[RefusedError], now: float = NOW) -> None:
    before = mcu.memory
    with pytest.raises(why):
        mcu.accept(payload, now)
    assert mcu.memory == before


def test_arbitrary_software_signed_by_a_stranger_is_refused(mcu: Mcu) -> None:
    forged = bundle(6, desired(6, floor=2), by=Repository(NOW))
    refused(mcu, encode_compressed(forged), SignatureError)


def test_a_key_of_another_role_may_not_say_what_to_run(mcu: Mcu) -> None:
    keys = dict(DIRECTOR.keys, targets=DIRECTOR.keys["timestamp"])
    thief = Repository(NOW, keys=keys)
    refused(mcu, encode_compressed(bundle(6, desired(6, floor=2), by=thief)), SignatureError)


def test_too_few_of_several_keys_are_not_enough() -> None:
    two = [CryptoSigner.generate_ed25519() for _ in range(2)]
    director = Repository(NOW, keys=dict(DIRECTOR.keys, targets=two))
    device = Mcu(COHORT, Pins(director.roots[0]))
    whole = bundle(1, desired(1), by=director)
    targets = msgspec.json.decode(whole.targets)
    targets["signatures"] = 2 * targets["signatures"][:1]
    half = msgspec.json.encode(targets).decode()
    refused(device, bent(encode_compressed(whole), targets=half), SignatureError)
    assert device.accept(encode_compressed(whole), NOW).sequence == 1


def test_rollback_an_older_version_is_refused(mcu: Mcu) -> None:
    refused(mcu, message(4, floor=2), RollbackError)


def test_rollback_an_older_statement_under_a_newer_version_is_refused(mcu: Mcu) -> None:
    refused(mcu, encode_compressed(bundle(6, desired(4, floor=2))), RollbackError)


def test_mix_and_match_two_statements_of_one_version_are_refused(mcu: Mcu) -> None:
    refused(mcu, message(5, floor=2, phase=1), MixAndMatchError)


def test_mix_and_match_another_role_in_place_of_targets_is_refused(mcu: Mcu) -> None:
    signer = CryptoSigner.generate_ed25519()
    shared = Repository(NOW, keys={role: [signer] for role in DIRECTOR.keys})
    device = Mcu(COHORT, Pins(shared.roots[0]))
    payload = encode_compressed(bundle(1, desired(1), by=shared))
    snapshot = decode_compressed(payload, Bundle).snapshot
    refused(device, bent(payload, targets=snapshot), RefusedError)


def test_mix_and_match_another_desired_state_than_the_signed_one_is_refused(mcu: Mcu) -> None:
    payload, path = message(6, floor=2), desired_target(COHORT)
    other = encode(desired(6, floor=2, phase=1)).decode()
    refused(mcu, bent(payload, files={path: other}), MixAndMatchError)
    refused(mcu, bent(payload, files={}), MixAndMatchError)


def test_freeze_an_expired_statement_is_refused_whatever_a_slow_clock_says(mcu: Mcu) -> None:
    old = message(6, floor=2)
    refused(mcu, old, FreezeError, now=NOW + 2 * DAY_S)
    mcu.accept(message(7, floor=2, issued_at=NOW + 3 * DAY_S), NOW)
    expired = encode_compressed(bundle(8, desired(8, floor=2)))
    refused(mcu, expired, FreezeError, now=0.0)


def test_wrong_cohort_the_statement_of_another_cohort_is_refused(mcu: Mcu) -> None:
    refused(mcu, message(6, floor=2, cohort="pumps"), WrongCohortError)


def test_below_floor_a_floor_that_goes_back_is_refused(mcu: Mcu) -> None:
    refused(mcu, message(6, floor=1), BelowFloorError)


@pytest.mark.parametrize("targets", ["", "{}", "[]", '{"signed":{"a":0.5},"signatures":[]}'])
def test_endless_and_broken_data_is_refused(mcu: Mcu, targets: str) -> None:
    refused(mcu, bent(message(6, floor=2), targets=targets), UndecodableError)
    refused(mcu, b"no zlib", UndecodableError)


def test_what_it_remembers_outlives_a_power_cut(mcu: Mcu) -> None:
    again = Mcu(COHORT, PINS, msgspec.json.decode(encode(mcu.memory), type=Memory))
    refused(again, message(4, floor=2), RollbackError)
