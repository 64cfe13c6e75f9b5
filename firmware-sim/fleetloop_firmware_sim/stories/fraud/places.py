"""The region of the fraud story: towns, terminals in them, and customers with their habits."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

CATEGORIES = (
    "grocery",
    "fuel",
    "restaurant",
    "transit",
    "clothing",
    "electronics",
    "vending",
    "pharmacy",
)
TYPICAL_EUR = np.array([28.0, 48.0, 32.0, 6.0, 55.0, 110.0, 3.0, 18.0])
"""The median amount of each category."""

POPULARITY = np.array([0.34, 0.1, 0.16, 0.16, 0.07, 0.03, 0.08, 0.06])
"""Share of the genuine uses in each category, over all customers."""

TOWNS = 8
TERMINALS_IN_TOWN = 24
REGION_KM = 160.0
TOWN_KM = 4.0


@dataclass(frozen=True)
class Region:
    """Who and what is where; distances are in km on a plane.

    Attributes:
        terminal_at: Of each terminal, shape (terminals, 2).
        terminal_category: Place in `CATEGORIES` of each terminal.
        terminal_dear: Factor on the amounts of each terminal.
        home_at: Of each customer, shape (customers, 2).
        home_town: Of each customer.
        uses_a_day: How often each customer pays, on average.
        spends: Factor on the amounts of each customer.
        evening: Share of each customer's uses in the evening.
        contactless: How likely each customer taps where that is possible.
        likes: How likely each category is, shape (customers, categories), cumulated.
    """

    terminal_at: Floats
    terminal_category: Whole
    terminal_dear: Floats
    home_at: Floats
    home_town: Whole
    uses_a_day: Floats
    spends: Floats
    evening: Floats
    contactless: Floats
    likes: Floats

    def of(self, town: Whole, category: Whole, which: Whole) -> Whole:
        """The terminal of a town, category and number below 3."""
        return town * TERMINALS_IN_TOWN + which * len(CATEGORIES) + category


def settle(chance: np.random.Generator, customers: int) -> Region:
    """Draw a region."""
    town_at = chance.uniform(0.0, REGION_KM, (TOWNS, 2))
    terminals = np.arange(TOWNS * TERMINALS_IN_TOWN)
    towns = terminals // TERMINALS_IN_TOWN
    home_town = chance.integers(0, TOWNS, customers)
    liking = chance.gamma(8.0 * POPULARITY, size=(customers, len(CATEGORIES)))
    return Region(
        terminal_at=town_at[towns] + chance.normal(0.0, TOWN_KM / 2, (len(terminals), 2)),
        terminal_category=terminals % len(CATEGORIES),
        terminal_dear=chance.lognormal(0.0, 0.2, len(terminals)),
        home_at=town_at[home_town] + chance.normal(0.0, TOWN_KM, (customers, 2)),
        home_town=home_town,
        uses_a_day=chance.gamma(3.0, 0.3, customers) + 0.1,
        spends=chance.lognormal(0.0, 0.35, customers),
        evening=chance.beta(2.0, 3.0, customers),
        contactless=chance.beta(5.0, 2.0, customers),
        likes=np.cumsum(liking / liking.sum(axis=1, keepdims=True), axis=1),
    )
