"""Who is in a phase: exact shares, every hardware type, nobody sent away."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetloop_hub.delivery.phasing import Member, Wave, draw, quotas, size, wave

NOBODY = Wave({}, 0)


def fleet(**counts: int) -> list[Member]:
    return [Member(f"{kind}-{n}", kind) for kind, count in counts.items() for n in range(count)]


def taken(members: list[Member], inside: Wave, salt: str) -> list[Member]:
    return [m for m in members if inside.takes(m.device, m.hardware, salt)]


def test_the_canary_has_every_hardware_type_of_which_there_are_enough() -> None:
    members = fleet(pi3=60, pi4=30, x86=9, odd=1)
    salt = draw("r", members, 0.1)
    canary = taken(members, wave(members, 0.1, 10, salt, NOBODY), salt)
    assert Counter(m.hardware for m in canary) == {"pi3": 6, "pi4": 3, "x86": 1}


@pytest.mark.parametrize("devices", [1, 2, 3, 4, 6])
def test_a_small_fleet_has_a_canary_of_one_or_two(devices: int) -> None:
    members = fleet(x=devices)
    salt = draw("r", members, 0.25)
    canary = taken(members, wave(members, 0.25, size(0.25, devices), salt, NOBODY), salt)
    assert len(canary) == max(1, round(devices / 4))


def test_some_of_the_canary_are_there() -> None:
    members = [Member(f"d{n}", "x", online=n == 3) for n in range(12)]
    salt = draw("r", members, "1 device")
    inside = wave(members, "1 device", 1, salt, NOBODY)
    assert [m.device for m in taken(members, inside, salt)] == ["d3"]
    assert draw("r", members, "1 device") == salt


phases = st.lists(
    st.one_of(st.floats(0.01, 0.9), st.integers(1, 9).map("{} devices".format)), max_size=4
)
kinds = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.integers(1, 15), min_size=1)


@settings(max_examples=40)
@given(counts=kinds, phases=phases, joined=st.integers(0, 4))
def test_no_phase_lets_in_more_than_its_share_nor_sends_anybody_away(
    counts: dict[str, int], phases: list[float | str], joined: int
) -> None:
    members = fleet(**counts)
    salt, inside, before = draw("r", members, 0.2), NOBODY, list[Member]()
    for phase in phases:
        wanted = size(phase, len(members))
        inside = wave(members, phase, wanted, salt, inside)
        now = taken(members, inside, salt)
        assert set(before) <= set(now)
        grown = [m for m in now if m not in before]
        assert len(now) <= max(wanted, len(before)) + _kept_back(before, counts, wanted)
        assert grown or len(now) >= wanted or len(before) >= wanted or len(now) < len(members)
        before = now
    late = [Member(f"late-{n}", "new") for n in range(joined)]
    everybody = wave(members + late, 1.0, len(members) + joined, salt, inside)
    assert taken(members + late, everybody, salt) == members + late


def _kept_back(before: list[Member], counts: dict[str, int], wanted: int) -> int:
    """Of a type that had more before than its part of this phase is."""
    had = Counter(m.hardware for m in before)
    return sum(max(0, had[kind] - quota) for kind, quota in quotas(wanted, counts).items())


@given(st.integers(1, 60), kinds)
def test_quotas_come_to_what_is_wanted(wanted: int, counts: dict[str, int]) -> None:
    found = quotas(wanted, counts)
    assert sum(found.values()) == min(wanted, sum(counts.values()))
    assert all(found[kind] <= counts[kind] for kind in counts)
