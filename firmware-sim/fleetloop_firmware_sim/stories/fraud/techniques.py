"""How thieves use other people's cards: each technique has its own trace and its own time."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fleetloop_firmware_sim.stories.fraud.payments import (
    CHIP,
    CONTACTLESS,
    DAY_S,
    FALLBACK,
    Payments,
)
from fleetloop_firmware_sim.stories.fraud.places import (
    CATEGORIES,
    TERMINALS_IN_TOWN,
    TOWNS,
    TYPICAL_EUR,
    Floats,
    Region,
    Whole,
)

_AT_HOME = 0.5
_SPREE_BY_STRIPE, _TESTS_BY_STRIPE = 0.6, 0.8
_NIGHT_ENDS_H = 5.0

Episode = Callable[[np.random.Generator, Region, float], Payments]
"""One episode that begins at a moment of a region."""


@dataclass(frozen=True)
class Technique:
    """A way to steal, and how common it is over time.

    Attributes:
        name: Its name.
        share: Of all uses, once it is common.
        begins_day: Before this day it never occurs.
        ramp_days: Days until it is common.
        fades_day: From here on it becomes rarer, None if it does not.
        fades_to: The share of `share` that is left when it has faded, after `ramp_days`.
    """

    name: str
    share: float
    begins_day: float = 0.0
    ramp_days: float = 0.0
    fades_day: float | None = None
    fades_to: float = 1.0

    def share_on(self, day: float) -> float:
        """Its share of all uses on a day.

        >>> relay = Technique("relay", 0.01, begins_day=10, ramp_days=4)
        >>> [relay.share_on(day) for day in (9.9, 12.0, 20.0)]
        [0.0, 0.005, 0.01]
        """
        if day < self.begins_day:
            return 0.0
        grown = _part(day - self.begins_day, self.ramp_days)
        if self.fades_day is None or day < self.fades_day:
            return self.share * grown
        return self.share * (1.0 - (1.0 - self.fades_to) * _part(day - self.fades_day, 3.0))


def _part(gone: float, whole: float) -> float:
    return 1.0 if whole <= 0.0 else min(1.0, gone / whole)


def strike(
    chance: np.random.Generator, region: Region, technique: Technique, uses_a_day: Floats
) -> list[Payments]:
    """The episodes of one technique; `uses_a_day` is how many genuine uses each day has."""
    episode, usual = _EPISODES[technique.name]
    found = []
    for day, uses in enumerate(uses_a_day.tolist()):
        share = technique.share_on(day + 0.5)
        if share <= 0.0:
            continue
        begins = max(float(day), technique.begins_day)
        moments = chance.uniform(begins, day + 1.0, chance.poisson(share * uses / usual)) * DAY_S
        found += [episode(chance, region, at) for at in moments.tolist()]
    return found


def _spree(chance: np.random.Generator, region: Region, at: float) -> Payments:
    """A stolen card: as much as it gives, within two hours, in one town's better shops."""
    count = int(chance.integers(3, 8))
    victim = _victim(chance, region)
    town = int(region.home_town[victim]) if chance.random() < _AT_HOME else _town(chance)
    category = chance.choice([4, 5, 1, 0], count, p=[0.35, 0.4, 0.15, 0.1])
    typical = TYPICAL_EUR[category] * chance.uniform(1.3, 4.0, count)
    return Payments(
        at=at + np.cumsum(chance.exponential(900.0, count)),
        customer=np.full(count, victim),
        terminal=region.of(np.full(count, town), category, chance.integers(0, 3, count)),
        amount_eur=typical,
        entry=np.where(chance.random(count) < _SPREE_BY_STRIPE, FALLBACK, CHIP),
        technique=np.zeros(count, np.int64),
    )


def _testing(chance: np.random.Generator, region: Region, at: float) -> Payments:
    """Copied cards are tried one after another at a machine that nobody watches: tiny amounts."""
    count = int(chance.integers(6, 16))
    category = int(chance.choice([6, 3, 1]))
    machine = _town(chance) * TERMINALS_IN_TOWN + int(chance.integers(0, 3)) * len(CATEGORIES)
    return Payments(
        at=at + np.cumsum(chance.exponential(45.0, count)),
        customer=chance.integers(0, len(region.home_town), count),
        terminal=np.full(count, machine + category),
        amount_eur=chance.uniform(0.5, 2.5, count),
        entry=np.where(chance.random(count) < _TESTS_BY_STRIPE, FALLBACK, CHIP),
        technique=np.zeros(count, np.int64),
    )


def _relay(chance: np.random.Generator, region: Region, at: float) -> Payments:
    """A card is tapped by radio from afar in the next night: a middling amount far off."""
    at = (at // DAY_S + 1.0) * DAY_S + chance.uniform(0.0, _NIGHT_ENDS_H) * 3600.0
    victim = _victim(chance, region)
    town = (int(region.home_town[victim]) + int(chance.integers(1, TOWNS))) % TOWNS
    category = int(chance.choice([0, 1, 2, 7]))
    terminal: Whole = region.of(np.array([town]), np.array([category]), chance.integers(0, 3, 1))
    return Payments(
        at=np.array([at]),
        customer=np.array([victim]),
        terminal=terminal,
        amount_eur=chance.uniform(28.0, 49.9, 1),
        entry=np.array([CONTACTLESS]),
        technique=np.zeros(1, np.int64),
    )


def _victim(chance: np.random.Generator, region: Region) -> int:
    return int(chance.integers(0, len(region.home_town)))


def _town(chance: np.random.Generator) -> int:
    return int(chance.integers(0, TOWNS))


STOLEN_CARD, CARD_TESTING, RELAY = "stolen_card", "card_testing", "contactless_relay"

_EPISODES: dict[str, tuple[Episode, float]] = {
    STOLEN_CARD: (_spree, 5.0),
    CARD_TESTING: (_testing, 10.5),
    RELAY: (_relay, 1.0),
}
"""How an episode goes, and how many uses it has on average."""
