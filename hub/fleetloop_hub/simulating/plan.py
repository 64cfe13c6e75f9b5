"""How recorded rows are replayed."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """How rows are replayed.

    Attributes:
        devices: Over how many devices rows are dealt, in turn.
        first_share: Share of the rows that the first version is trained on.
        label_delay_s: How long after its row the label of a replayed row is known, seconds; those
            of the first version's rows were all known when it was trained.
        every_s: Between two retrainings of the schedule, seconds; None: a tenth of what is
            replayed.
        unit_s: Seconds that 1 in the time column is; dates are read as seconds.
    """

    devices: int = 4
    first_share: float = 0.3
    label_delay_s: float = 0.0
    every_s: float | None = None
    unit_s: float = 1.0
