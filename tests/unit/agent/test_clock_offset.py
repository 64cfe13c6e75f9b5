"""How far a device's clock is from the hub's, and how sure that is."""

import pytest

from fleetloop_agent.clock_offset import OffsetMeter


def measured(sent: float, heard: float, hub_at: float, device_at: float) -> tuple[float, float]:
    meter = OffsetMeter()
    meter.sent((1, 1), sent)
    meter.acknowledged([(1, 1)], hub_at, heard, device_at)
    found = meter.take()
    assert found is not None
    return found.offset_s, found.uncertain_s


@pytest.mark.parametrize("there_s", [0.0, 0.1, 0.4])
def test_the_true_offset_is_within_what_is_said(there_s: float) -> None:
    ahead_s, round_trip_s = 7.0, 0.4
    hub_at = 5_000.0
    device_at = hub_at + ahead_s + (round_trip_s - there_s)
    offset_s, uncertain_s = measured(100.0, 100.0 + round_trip_s, hub_at, device_at)
    assert uncertain_s == pytest.approx(0.2)
    assert abs(offset_s - ahead_s) <= uncertain_s + 1e-9


def test_the_surest_of_many_is_told_once() -> None:
    meter = OffsetMeter()
    for seq, round_trip_s in enumerate([4.0, 0.5, 2.0]):
        meter.sent((1, seq), 100.0)
        meter.acknowledged([(1, seq)], 1_000.0, 100.0 + round_trip_s, 1_000.0)
    found = meter.take()
    assert found is not None
    assert found.uncertain_s == 0.25
    assert meter.take() is None


def test_a_report_that_was_sent_twice_may_be_acknowledged_for_the_first_time() -> None:
    meter = OffsetMeter()
    meter.sent((1, 1), 100.0)
    meter.sent((1, 1), 105.0)
    meter.acknowledged([(1, 1)], 1_000.0, 105.1, 1_000.0)
    found = meter.take()
    assert found is not None
    assert found.uncertain_s == pytest.approx(2.55)


def test_what_was_not_sent_or_is_forgotten_or_too_old_says_nothing() -> None:
    meter = OffsetMeter()
    meter.acknowledged([(1, 9)], 1_000.0, 100.0, 1_000.0)
    meter.sent((1, 1), 100.0)
    meter.keep([(1, 2)])
    meter.acknowledged([(1, 1)], 1_000.0, 100.1, 1_000.0)
    meter.sent((1, 3), 100.0)
    meter.acknowledged([(1, 3)], 1_000.0, 9_000.0, 1_000.0)
    assert meter.take() is None


def test_reports_acknowledged_together_are_measured_from_the_last_that_was_sent() -> None:
    meter = OffsetMeter()
    meter.sent((1, 1), 100.0)
    meter.sent((1, 2), 103.0)
    meter.acknowledged([(1, 1), (1, 2)], 1_000.0, 103.5, 1_000.0)
    found = meter.take()
    assert found is not None
    assert found.uncertain_s == 0.25
