"""Power fails at the chosen moment, and stays away."""

import contextlib

import pytest

from fleetloop_firmware_sim.power import Moments, PowerCut


def test_power_fails_at_the_chosen_moment_and_not_before() -> None:
    moments = Moments(cut_at=3)
    moments.tick("one")
    moments.tick("two")
    with pytest.raises(PowerCut, match="at moment 3: three"):
        moments.tick("three")
    assert (moments.passed, moments.on) == (3, False)


def test_after_a_cut_no_act_happens_and_no_moment_is_counted() -> None:
    moments = Moments(cut_at=1)
    for _ in range(3):
        with pytest.raises(PowerCut):
            moments.tick("write")
    assert moments.passed == 1


def test_without_a_chosen_moment_power_stays() -> None:
    moments = Moments()
    for _ in range(100):
        moments.tick("write")
    assert (moments.passed, moments.on) == (100, True)


def test_a_cut_from_outside_is_met_at_the_next_act() -> None:
    moments = Moments()
    moments.cut()
    with pytest.raises(PowerCut):
        moments.tick("write")


def test_no_except_clause_for_errors_survives_a_cut() -> None:
    with pytest.raises(PowerCut), contextlib.suppress(Exception):
        Moments(cut_at=1).tick("write")
