"""What one device's reports add up to while it serves one version: rates, levels and counts."""

from collections.abc import Sequence

import msgspec

from fleetloop_shared.latency import BINS


class Rate(msgspec.Struct, frozen=True):
    """How often something happened, of how many times it could.

    Attributes:
        of: How many times it could.
        count: How often it happened.
        clumps: The sum over reports of count² / of, which tells how unevenly it came: ten errors
            in one of ten reports are less evidence than one in each.
        reports: How many reports told of any.
    """

    of: int = 0
    count: int = 0
    clumps: float = 0.0
    reports: int = 0

    def add(self, of: int, count: int) -> "Rate":
        """One report more; nothing of nothing adds nothing."""
        if of <= 0:
            return self
        clump = count * count / of
        return Rate(self.of + of, self.count + count, self.clumps + clump, self.reports + 1)


class Level(msgspec.Struct, frozen=True):
    """Something that each report or window tells one number of.

    Attributes:
        count: How many numbers.
        total: Their sum.
        squares: The sum of their squares.
    """

    count: int = 0
    total: float = 0.0
    squares: float = 0.0

    def add(self, value: float) -> "Level":
        """One number more."""
        return Level(self.count + 1, self.total + value, self.squares + value * value)


class Tallies(msgspec.Struct, frozen=True, kw_only=True):
    """A device's counts under one version, over some time.

    Attributes:
        errors: Rows the model failed on, of those it was asked about.
        abstained: Rows refused for a value out of range, of these and those answered.
        right: Right answers, of those whose label came.
        latency_counts: Times of calls in the bins of `fleetloop_shared.latency`.
        latency: Of each report's calls the mean log2 of their microseconds.
        answers: How often each class was answered.
        served_s: Seconds that the reports cover.
        restarts: Starts of the agent within them.
        memory: Of each report log2 of the agent's resident bytes.
        drift: Of each window log2 of its largest drift statistic / threshold.
        estimate: Of each window the accuracy estimated without labels, as a share.
    """

    errors: Rate = Rate()
    abstained: Rate = Rate()
    right: Rate = Rate()
    latency_counts: Sequence[int] = (0,) * BINS
    latency: Level = Level()
    answers: Sequence[int] = ()
    served_s: float = 0.0
    restarts: int = 0
    memory: Level = Level()
    drift: Level = Level()
    estimate: Level = Level()

    @property
    def rows(self) -> int:
        """Rows answered."""
        return self.errors.of - self.errors.count


class DeviceHealth(msgspec.Struct, frozen=True, kw_only=True):
    """One device of a phase or of its control.

    Attributes:
        device: Its id.
        hardware: Its hardware type.
        now: Since the phase opened, under the version it is judged on.
        before: Under the champion before the phase opened; None if nothing is known.
    """

    device: str
    hardware: str
    now: Tallies
    before: Tallies | None = None
