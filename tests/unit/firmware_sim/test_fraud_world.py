"""The fraud story's world: the same for the same seed, in order, and without a look ahead."""

from dataclasses import replace

import numpy as np
import pytest

from fleetloop_firmware_sim.stories.fraud import running
from fleetloop_firmware_sim.stories.fraud.chargebacks import Chargebacks
from fleetloop_firmware_sim.stories.fraud.payments import DAY_S, GENUINE
from fleetloop_firmware_sim.stories.fraud.places import settle
from fleetloop_firmware_sim.stories.fraud.techniques import (
    CARD_TESTING,
    RELAY,
    STOLEN_CARD,
    Technique,
)
from fleetloop_firmware_sim.stories.fraud.world import Terms, World, draw

_TERMS = Terms(
    customers=400,
    days=14,
    techniques=(
        Technique(STOLEN_CARD, 0.005),
        Technique(CARD_TESTING, 0.005),
        Technique(RELAY, 0.01, begins_day=7.5, ramp_days=3.0),
    ),
)


@pytest.fixture(scope="module")
def world() -> World:
    """One small world that no test changes."""
    return draw(5, _TERMS)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    small = replace(_TERMS, customers=60, days=6)
    once, again, other = draw(5, small), draw(5, small), draw(6, small)
    assert once.csv(6.0) == again.csv(6.0)
    assert once.rows.tobytes() == again.rows.tobytes()
    assert once.known_at.tobytes() == again.known_at.tobytes()
    assert once.csv(6.0) != other.csv(6.0)


def test_uses_come_in_time_order_and_within_the_days(world: World) -> None:
    assert (np.diff(world.payments.at) >= 0).all()
    assert world.payments.at[0] >= 0
    assert world.payments.at[-1] < 14 * DAY_S


def test_fraud_is_rare_and_every_technique_occurs(world: World) -> None:
    assert 0.005 < world.fraud.mean() < 0.025
    assert set(world.payments.technique.tolist()) == {GENUINE, 0, 1, 2}


def test_a_technique_never_occurs_before_its_day(world: World) -> None:
    relay = world.payments.at[world.payments.technique == 2]
    assert len(relay)
    assert relay.min() >= 7.5 * DAY_S


def test_a_row_is_the_same_whatever_comes_after_it(world: World) -> None:
    """Running figures that looked ahead would change where the future is cut off."""
    region = settle(np.random.default_rng([5, 0]), _TERMS.customers)
    half = len(world.payments) // 2
    first = world.payments.take(np.arange(half))
    assert running.numbers(first, region).tobytes() == world.rows[:half].tobytes()


def test_the_truth_comes_late_and_never_after_the_window(world: World) -> None:
    late_days = (world.known_at - world.payments.at) / DAY_S
    window_days = Chargebacks().window_days
    assert (late_days > 0).all()
    assert late_days.max() <= window_days + 1e-6
    assert late_days[~world.fraud].min() == pytest.approx(window_days)
    assert np.median(late_days[world.fraud]) < window_days


def test_the_past_holds_only_rows_that_no_chargeback_can_change(world: World) -> None:
    last = world.csv(10.0).splitlines()[-1]
    assert float(last.split(",")[0]) < (10.0 - Chargebacks().window_days) * DAY_S


def test_a_faded_technique_becomes_rarer() -> None:
    fading = Technique(STOLEN_CARD, 0.01, fades_day=5.0, fades_to=0.25)
    assert fading.share_on(4.0) == 0.01
    assert fading.share_on(9.0) == pytest.approx(0.0025)
