"""How a phase's devices do beside those that keep the champion: figures, limits and a finding."""

from enum import StrEnum

import msgspec


class Finding(StrEnum):
    """What the evidence says up to now.

    HEALTHY: harm beyond the limit is excluded. HARMFUL: it is worse, and by more than the limit.
    UNDECIDED: neither; more rows will tell.
    """

    HEALTHY = "healthy"
    HARMFUL = "harmful"
    UNDECIDED = "undecided"


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """One measure of the treated devices beside that of the control.

    Attributes:
        measure: "errors", "latency", "slow", "accuracy", "abstention", "memory", "restarts",
            "drift", "estimate" or "answers".
        unit: What the figures are measured in: "points" (of a hundred rows), "x" (a ratio), or
            "a day".
        treated: The measure on the treated devices, None while nothing was reported: a share, a
            count a day; of a ratio log2 of its microseconds, bytes or ratio.
        control: The measure on the control.
        difference: How much worse the treated devices are, adjusted for what each device did
            before the phase; a ratio where the unit is "x". None while it cannot be told.
        low: Lower end of its interval, which holds at all looks together; None is without end.
        high: Upper end of it.
        limit: How much worse is let pass, in the same unit; None where it is only shown.
        finding: What this measure alone says.
        treated_rows: How many rows, calls, labels or windows of the treated devices it rests on.
        control_rows: The same of the control.
        text: All of it in one sentence.
        hardware: The type it is about; "" is all types together.
        clear: Whether it is worse by more than two standard errors, which proves nothing yet.
    """

    measure: str
    unit: str
    treated: float | None
    control: float | None
    difference: float | None
    low: float | None
    high: float | None
    limit: float | None
    finding: Finding
    treated_rows: int
    control_rows: int
    text: str
    hardware: str = ""
    clear: bool = False


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What all measures together say of the devices that have taken a version.

    Attributes:
        finding: HARMFUL if any measure is; HEALTHY if all that are needed are; else UNDECIDED.
        text: The same in words, with the figures that decided.
        comparisons: One a measure for all types together, then those of single types.
        hardware: The types it is harmful on; all types of the phase where it is harmful on all.
        speaks_against: Measures whose figure is clearly beyond its limit, proven or not.
    """

    finding: Finding
    text: str
    comparisons: list[Comparison]
    hardware: list[str] = []
    speaks_against: list[str] = []
