"""What customers buy themselves: daily and weekly habits, trips to other towns, odd purchases."""

import numpy as np

from fleetloop_firmware_sim.stories.fraud.payments import (
    CHIP,
    CONTACTLESS,
    CONTACTLESS_MOST_EUR,
    DAY_S,
    FALLBACK,
    GENUINE,
    Payments,
)
from fleetloop_firmware_sim.stories.fraud.places import (
    CATEGORIES,
    TOWNS,
    TYPICAL_EUR,
    Floats,
    Region,
    Whole,
)

_WEEK = np.array([0.95, 0.95, 1.0, 1.0, 1.15, 1.25, 0.7])
_NIGHT = 0.03
_NEIGHBOUR = 0.08
_TRIP_BEGINS = 0.012
_TRIP_ENDS = 0.35
_FALLBACK = 0.006
_LARGE = 0.01


def live(chance: np.random.Generator, region: Region, days: int) -> Payments:
    """All genuine uses of so many days."""
    away = _trips(chance, region, days)
    wanted = region.uses_a_day[None, :] * _WEEK[np.arange(days) % len(_WEEK)][:, None]
    uses = chance.poisson(wanted)
    day = np.repeat(np.arange(days), uses.sum(axis=1))
    customer = np.concatenate([np.repeat(np.arange(uses.shape[1]), row) for row in uses])
    category = _categories(chance, region, customer)
    near = chance.random(len(customer)) < _NEIGHBOUR
    town = np.where(near, chance.integers(0, TOWNS, len(customer)), away[day, customer])
    terminal = region.of(town, category, chance.integers(0, 3, len(customer)))
    amount = _amounts(chance, region, customer, terminal)
    return Payments(
        at=day * DAY_S + 3600.0 * _hours(chance, region, customer),
        customer=customer,
        terminal=terminal,
        amount_eur=amount,
        entry=_entries(chance, region, customer, amount),
        technique=np.full(len(customer), GENUINE),
    )


def _trips(chance: np.random.Generator, region: Region, days: int) -> Whole:
    """In which town each customer is, day by day."""
    where = np.empty((days, len(region.home_town)), np.int64)
    now = region.home_town.copy()
    for day in range(days):
        draws = chance.random(len(now))
        at_home = now == region.home_town
        now = np.where(~at_home & (draws < _TRIP_ENDS), region.home_town, now)
        begin = at_home & (draws < _TRIP_BEGINS)
        now = np.where(begin, chance.integers(0, TOWNS, len(now)), now)
        where[day] = now
    return where


def _hours(chance: np.random.Generator, region: Region, customer: Whole) -> Floats:
    count = len(customer)
    evening = chance.random(count) < region.evening[customer]
    day = np.where(evening, chance.normal(19.0, 1.8, count), chance.normal(12.0, 3.0, count))
    night = chance.random(count) < _NIGHT
    hours: Floats = np.where(night, chance.uniform(0.0, 24.0, count), day) % 24.0
    return hours


def _categories(chance: np.random.Generator, region: Region, customer: Whole) -> Whole:
    draws = chance.random(len(customer))[:, None]
    found: Whole = (region.likes[customer] < draws).sum(axis=1).clip(max=len(CATEGORIES) - 1)
    return found


def _amounts(
    chance: np.random.Generator, region: Region, customer: Whole, terminal: Whole
) -> Floats:
    typical = TYPICAL_EUR[region.terminal_category[terminal]] * region.terminal_dear[terminal]
    amount = typical * region.spends[customer] * chance.lognormal(0.0, 0.55, len(customer))
    large = chance.random(len(customer)) < _LARGE
    return np.where(large, amount * chance.uniform(2.0, 6.0, len(customer)), amount)


def _entries(chance: np.random.Generator, region: Region, customer: Whole, amount: Floats) -> Whole:
    taps = chance.random(len(customer)) < region.contactless[customer]
    entry = np.where(taps & (amount <= CONTACTLESS_MOST_EUR), CONTACTLESS, CHIP)
    worn = chance.random(len(customer)) < _FALLBACK
    return np.where(worn, FALLBACK, entry)
