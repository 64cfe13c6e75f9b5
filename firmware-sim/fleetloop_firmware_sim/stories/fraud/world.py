"""A whole world of payments from a seed: the past that is known, and what is yet to come."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from fleetloop_firmware_sim.recording import Recording
from fleetloop_firmware_sim.stories.fraud import genuine, running
from fleetloop_firmware_sim.stories.fraud.chargebacks import Chargebacks
from fleetloop_firmware_sim.stories.fraud.payments import (
    DAY_S,
    ENTRIES,
    GENUINE,
    Payments,
    in_order,
)
from fleetloop_firmware_sim.stories.fraud.places import CATEGORIES, Floats, settle
from fleetloop_firmware_sim.stories.fraud.techniques import (
    CARD_TESTING,
    RELAY,
    STOLEN_CARD,
    Technique,
    strike,
)

PAST_DAYS = 20
NEW_DAY = 28

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Terms:
    """How large a world is, how long it lasts, and what thieves do when.

    Attributes:
        customers: How many; each pays about once a day.
        days: How long it lasts.
        techniques: What thieves do.
        chargebacks: How late the truth is.
    """

    customers: int = 1_000
    days: int = 68
    techniques: tuple[Technique, ...] = (
        Technique(STOLEN_CARD, 0.006, fades_day=NEW_DAY, fades_to=0.3),
        Technique(CARD_TESTING, 0.004, fades_day=NEW_DAY, fades_to=0.3),
        Technique(RELAY, 0.01, begins_day=NEW_DAY, ramp_days=2.0),
    )
    chargebacks: Chargebacks = field(default_factory=Chargebacks)


@dataclass(frozen=True)
class World:
    """All uses of cards, in time order.

    Attributes:
        terms: What it was drawn by.
        payments: The uses.
        rows: `running.NUMBERS` of each.
        category: What the terminal of each sells.
        known_at: When the truth about each is known, seconds since the world began.
    """

    terms: Terms
    payments: Payments
    rows: npt.NDArray[np.float32]
    category: list[str]
    known_at: Floats

    @property
    def fraud(self) -> Flags:
        """Whether each use is fraud."""
        flags: Flags = self.payments.technique != GENUINE
        return flags

    def first_row(self, day: float) -> int:
        """The first use of a day."""
        return int(np.searchsorted(self.payments.at, day * DAY_S))

    def recording(self, which: npt.NDArray[np.intp]) -> Recording:
        """Some uses as a device measures them."""
        entries = self.payments.entry[which].tolist()
        blank = np.full((len(which), 2), np.nan, np.float32)
        return Recording(
            [*running.NUMBERS, "category", "entry"],
            np.hstack([self.rows[which], blank]),
            self.fraud[which].astype(int).tolist(),
            {
                "category": [self.category[row] for row in which.tolist()],
                "entry": [ENTRIES[entry] for entry in entries],
            },
        )

    def csv(self, before_day: float) -> str:
        """The uses so long before a day that no chargeback can come any more."""
        known = self.first_row(before_day - self.terms.chargebacks.window_days)
        lines = [",".join(["at_s", *running.NUMBERS, "category", "entry", "fraud"])]
        for row in range(known):
            numbers = [f"{value:.2f}" for value in self.rows[row].tolist()]
            entry = ENTRIES[int(self.payments.entry[row])]
            at, fraud = f"{self.payments.at[row]:.0f}", str(int(self.fraud[row]))
            lines.append(",".join([at, *numbers, self.category[row], entry, fraud]))
        return "\n".join(lines) + "\n"


def draw(seed: int, terms: Terms | None = None) -> World:
    """The world of a seed; the same seed and terms give the same world, byte for byte."""
    terms = terms or Terms()
    region_chance, genuine_chance, truth_chance, *thieves = (
        np.random.default_rng([seed, number]) for number in range(3 + len(terms.techniques))
    )
    region = settle(region_chance, terms.customers)
    parts = [genuine.live(genuine_chance, region, terms.days)]
    day = (parts[0].at // DAY_S).astype(np.int64)
    uses_a_day = np.bincount(day, minlength=terms.days).astype(np.float64)
    for number, (chance, technique) in enumerate(zip(thieves, terms.techniques, strict=True)):
        for episode in strike(chance, region, technique, uses_a_day):
            episode.technique.fill(number)
            parts.append(episode)
    payments = in_order(parts)
    inside = np.flatnonzero(payments.at < terms.days * DAY_S)
    payments = payments.take(inside)
    categories = region.terminal_category[payments.terminal].tolist()
    return World(
        terms=terms,
        payments=payments,
        rows=running.numbers(payments, region),
        category=[CATEGORIES[number] for number in categories],
        known_at=terms.chargebacks.known_at(truth_chance, payments),
    )
