"""Uses of cards as a terminal sees them, before anything is computed from what came before."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from fleetloop_firmware_sim.stories.fraud.places import Floats, Whole

ENTRIES = ("chip", "contactless", "fallback")
"""How a card was read; a fallback is its magnetic stripe."""

CHIP, CONTACTLESS, FALLBACK = range(3)
CONTACTLESS_MOST_EUR = 50.0
DAY_S = 86_400.0
GENUINE = -1


@dataclass(frozen=True)
class Payments:
    """Columns of equal length, a row a use.

    Attributes:
        at: Seconds since the world began, a Monday at midnight.
        customer: Whose card.
        terminal: Where.
        amount_eur: How much.
        entry: Place in `ENTRIES`.
        technique: Place in the world's techniques, `GENUINE` for the customer's own use.
    """

    at: Floats
    customer: Whole
    terminal: Whole
    amount_eur: Floats
    entry: Whole
    technique: Whole

    def __len__(self) -> int:
        """How many uses."""
        return len(self.at)

    def take(self, which: npt.NDArray[np.intp]) -> "Payments":
        """Some of them, in this order."""
        return Payments(*(getattr(self, field.name)[which] for field in fields(self)))


def in_order(parts: Sequence[Payments]) -> Payments:
    """All of them in time order; of equal times, in the order of the parts."""
    names = [field.name for field in fields(Payments)]
    whole = Payments(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
    return whole.take(np.argsort(whole.at, kind="stable"))
