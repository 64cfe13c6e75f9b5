"""Simulated time passes when it is told to."""

from fleetloop_firmware_sim.clock import SimClock


def test_time_stands_still_between_steps() -> None:
    clock = SimClock(1000.0)
    assert (clock.now(), clock.monotonic()) == (1000.0, 0.0)
    clock.step(2.5)
    assert (clock.now(), clock.monotonic()) == (1002.5, 2.5)


def test_setting_the_time_lets_none_pass() -> None:
    clock = SimClock(1000.0)
    clock.step(5.0)
    clock.set(10.0)
    assert (clock.now(), clock.monotonic()) == (10.0, 5.0)


def test_a_clock_that_drifts_runs_too_fast() -> None:
    clock = SimClock(1000.0)
    clock.drift_ratio = 0.5
    clock.step(2.0)
    assert (clock.now(), clock.monotonic()) == (1003.0, 3.0)


def test_a_reboot_starts_the_monotonic_clock_anew() -> None:
    clock = SimClock(1000.0)
    clock.step(2.0)
    clock.reboot()
    assert (clock.now(), clock.monotonic()) == (1002.0, 0.0)
