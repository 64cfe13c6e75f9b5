"""When the truth about a use becomes known: fraud by a chargeback, the rest when none has come."""

from dataclasses import dataclass

import numpy as np

from fleetloop_firmware_sim.stories.fraud.payments import DAY_S, GENUINE, Payments
from fleetloop_firmware_sim.stories.fraud.places import Floats


@dataclass(frozen=True)
class Chargebacks:
    """How late they are.

    Attributes:
        median_days: Half of them have come after so many days.
        spread: Standard deviation of the delay's logarithm.
        window_days: No chargeback comes later; a use without one is then known to be genuine.
    """

    median_days: float = 0.4
    spread: float = 0.6
    window_days: float = 1.0

    def known_at(self, chance: np.random.Generator, payments: Payments) -> Floats:
        """The moment at which each use's truth is known, seconds since the world began."""
        delay = self.median_days * chance.lognormal(0.0, self.spread, len(payments))
        fraud = payments.technique != GENUINE
        days = np.where(fraud, np.minimum(delay, self.window_days), self.window_days)
        known: Floats = payments.at + days * DAY_S
        return known
