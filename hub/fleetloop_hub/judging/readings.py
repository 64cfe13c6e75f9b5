"""Makes devices' counts into values with a noise, for one measure at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fleetloop_hub.judging.contrast import Flags, Floats, Places, Units
from fleetloop_hub.judging.health import DeviceHealth, Level, Rate, Tallies
from fleetloop_shared.latency import BINS

Times = npt.NDArray[np.float64]

SLOW_SHARE = 0.95
"""What share of the control's calls stays below the time that "slow" is counted from."""

_STEADY_REPORTS = 5.0
_DAY_S = 86_400.0
_BIN_BOTTOM = np.arange(-1, BINS - 1) / 2
"""Where bins of half an octave begin, as log2 of microseconds."""


@dataclass(frozen=True)
class Reading:
    """One measure of all devices.

    Attributes:
        units: A value a device.
        of: How many rows, calls, labels, windows or days a device's value rests on.
        total: What they add up to.
    """

    units: Units
    of: Floats
    total: Floats

    def side(self, *, treated: bool, kind: int | None = None) -> tuple[float | None, int]:
        """The measure on all rows of one side together, None without any, and how many they are."""
        chosen = self.units.treated == treated
        if kind is not None:
            chosen &= self.units.kind == kind
        of = float(self.of[chosen].sum())
        return (float(self.total[chosen].sum()) / of if of > 0 else None), round(of)


class Fleet:
    """Both sides of a phase, as arrays."""

    def __init__(self, treated: Sequence[DeviceHealth], control: Sequence[DeviceHealth]) -> None:
        """Put the treated devices first.

        Args:
            treated: Devices that have taken the version.
            control: Devices that keep the champion.
        """
        devices = [*treated, *control]
        self.kinds = sorted({d.hardware for d in devices})
        places = {kind: k for k, kind in enumerate(self.kinds)}
        self.treated: Flags = np.arange(len(devices)) < len(treated)
        self.kind: Places = np.array([places[d.hardware] for d in devices], np.int64)
        self._now = [d.now for d in devices]
        self._before = [d.before or _NOTHING for d in devices]

    def rate(self, read: Callable[[Tallies], Rate]) -> Reading:
        """A share of the rows."""
        now = np.array([_numbers(read(t)) for t in self._now])
        before = np.array([_numbers(read(t)) for t in self._before])
        return self._shares(now, before)

    def level(self, read: Callable[[Tallies], Level]) -> Reading:
        """The mean of what reports or windows told."""
        now = np.array([(x.count, x.total, x.squares) for x in map(read, self._now)], np.float64)
        before = np.array(
            [(x.count, x.total, x.squares) for x in map(read, self._before)], np.float64
        )
        value, noise = _means(now)
        return self._reading(value, noise, _means(before), now[:, 0], now[:, 1])

    def per_day(self) -> Reading:
        """Starts of the agent a day."""
        counts = np.array([(t.restarts, t.served_s / _DAY_S) for t in self._now], np.float64)
        before = np.array([(t.restarts, t.served_s / _DAY_S) for t in self._before], np.float64)
        value, noise = self._poisson(counts)
        return self._reading(value, noise, self._poisson(before), counts[:, 1], counts[:, 0])

    def slow(self, ratio: float) -> Reading:
        """The share of calls that take longer than 19 of 20 of the control's, times a ratio.

        Where that is, is told by the control of the same type, else by all of it, else by what the
        treated devices took before.
        """
        now = np.array([t.latency_counts for t in self._now], np.float64).reshape(-1, BINS)
        before = np.array([t.latency_counts for t in self._before], np.float64).reshape(-1, BINS)
        counts, earlier = np.zeros((len(now), 4)), np.zeros((len(now), 4))
        for kind in set(self.kind.tolist()):
            of_kind = self.kind == kind
            usual = now[of_kind & ~self.treated].sum(axis=0)
            if not usual.any():
                usual = now[~self.treated].sum(axis=0)
            if not usual.any():
                usual = before[of_kind].sum(axis=0)
            above = _above(usual, ratio)
            for into, times in ((counts, now), (earlier, before)):
                into[of_kind, 0] = times[of_kind].sum(axis=1)
                into[of_kind, 1] = times[of_kind] @ above
        return self._shares(counts, earlier)

    def answers(self, k: int) -> Reading:
        """The share of the answers that a class gets."""
        now = np.array([_answers(t, k) for t in self._now])
        before = np.array([_answers(t, k) for t in self._before])
        return self._shares(now, before)

    def classes(self) -> int:
        """How many classes are answered, 0 if sides count by different ones."""
        told = {len(t.answers) for t in self._now if sum(t.answers)}
        return told.pop() if len(told) == 1 else 0

    def rows(self) -> int:
        """Rows that the treated devices have answered."""
        return sum(
            t.rows for t, is_treated in zip(self._now, self.treated, strict=True) if is_treated
        )

    def treated_types(self) -> list[int]:
        """Places of the treated devices' hardware types."""
        return sorted(set(self.kind[self.treated].tolist()))

    def is_labelled(self, kind: int | None = None) -> bool:
        """Whether labels have ever come, so that more may be waited for.

        Args:
            kind: From devices of this type, None for any.
        """
        both = zip(self.kind.tolist(), self._now, self._before, strict=True)
        return any(kind in {None, k} and (n.right.of or b.right.of) for k, n, b in both)

    def _shares(self, now: Floats, before: Floats) -> Reading:
        """From (of, count, clumps, reports) a device."""
        value, noise = self._binomial(now)
        return self._reading(value, noise, self._binomial(before), now[:, 0], now[:, 1])

    def _binomial(self, counts: Floats) -> tuple[Floats, Floats]:
        """Shares and their variances, by the rate between both sides' and by how it clumps.

        Where few rows were seen, half a count more keeps a side without errors from being sure.
        """
        of, count = counts[:, 0], counts[:, 1]
        sides = [
            (count[side].sum() + 0.5) / (of[side].sum() + 1)
            for side in (self.treated, ~self.treated)
            if of[side].any()
        ]
        rate = float(np.mean(sides)) if sides else 0.5
        with np.errstate(divide="ignore", invalid="ignore"):
            value = np.where(of > 0, count / of, np.nan)
            uneven = np.where(of > 0, counts[:, 2] - count**2 / of, 0.0).sum()
            noise = np.where(of > 0, rate * (1 - rate) / of, np.inf)
        spare = np.maximum(counts[:, 3] - 1, 0).sum()
        overall = (count.sum() + 0.5) / (of.sum() + 1)
        clumped = (_STEADY_REPORTS + uneven / (overall * (1 - overall))) / (_STEADY_REPORTS + spare)
        return value, noise * max(1.0, float(clumped))

    def _poisson(self, counts: Floats) -> tuple[Floats, Floats]:
        count, days = counts[:, 0], counts[:, 1]
        sides = [
            (count[side].sum() + 0.5) / days[side].sum()
            for side in (self.treated, ~self.treated)
            if days[side].sum() > 0
        ]
        with np.errstate(divide="ignore", invalid="ignore"):
            value = np.where(days > 0, count / days, np.nan)
            noise = np.where(days > 0, (np.mean(sides) if sides else 1.0) / days, np.inf)
        return value, noise

    def _reading(
        self,
        value: Floats,
        noise: Floats,
        before: tuple[Floats, Floats],
        of: Floats,
        total: Floats,
    ) -> Reading:
        units = Units(value, noise, *before, treated=self.treated, kind=self.kind)
        return Reading(units, of, total)


_NOTHING = Tallies()


def _numbers(rate: Rate) -> tuple[float, float, float, float]:
    return rate.of, rate.count, rate.clumps, rate.reports


def _answers(tallies: Tallies, k: int) -> tuple[float, float, float, float]:
    told = tallies.answers
    return sum(told), told[k] if k < len(told) else 0, 0.0, 0.0


def _means(numbers: Floats) -> tuple[Floats, Floats]:
    """Means and their variances, by what all devices' numbers vary within a device."""
    count, total, squares = numbers[:, 0], numbers[:, 1], numbers[:, 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(count > 0, total / count, np.nan)
        within = np.where(count > 0, squares - total**2 / count, 0.0).sum()
        spare = np.maximum(count - 1, 0).sum()
        variance = max(within / spare, 0.0) if spare > 0 else 0.0
        noise = np.where(count > 0, variance / count, np.inf)
    return value, noise


def _above(usual: Floats, ratio: float) -> Floats:
    """Which share of each bin lies above the slow time; all of nothing if nothing is known."""
    if not usual.any():
        return np.zeros(BINS)
    reached = np.cumsum(usual) / usual.sum()
    place = int(np.searchsorted(reached, SLOW_SHARE))
    under = reached[place - 1] if place else 0.0
    inside = (SLOW_SHARE - under) / max(reached[place] - under, 1e-12)
    slow = _BIN_BOTTOM[place] + inside / 2 + np.log2(ratio)
    above: Floats = np.clip((_BIN_BOTTOM + 0.5 - slow) * 2, 0.0, 1.0)
    return above
