"""The difference between treated devices and control, where devices are what varies.

A thousand rows of one device say little about another one: the device is the unit. Each has a value
with a noise of its own, and devices differ beyond that; how much is taken from the devices
themselves, steadied by a guess that counts as a few devices. What a device did before the phase
takes away most of what it has of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]

GUESS_DEVICES = 4.0
"""How many degrees of freedom the guess of the devices' spread counts for."""

_MOST_KNOWN = 0.8
"""Share of the devices whose past must be known, for it to be used."""

_ENOUGH_FREEDOM = 6


@dataclass(frozen=True)
class Units:
    """One measure of all devices; an array has one place a device.

    Attributes:
        value: Now; NaN where nothing was reported.
        noise: The variance of that value, as far as the device's own rows tell.
        before: The same measure before the phase; NaN where it is not known.
        before_noise: Its variance.
        treated: Whether it has taken the version.
        kind: Its hardware type, as a place in a list.
    """

    value: Floats
    noise: Floats
    before: Floats
    before_noise: Floats
    treated: Flags
    kind: Places

    def take(self, chosen: Flags) -> "Units":
        """Only these devices."""
        arrays = (getattr(self, name)[chosen] for name in self.__dataclass_fields__)
        return Units(*arrays)


@dataclass(frozen=True)
class Contrast:
    """Treated minus control.

    Attributes:
        kind: The hardware type, None for all together.
        difference: The estimate.
        variance: Of the estimate; infinite where nothing can be compared.
        freedom: Degrees of freedom of that variance.
        by_past: Whether there was no control (of its kind) and it rests on the devices' own past.
    """

    kind: int | None
    difference: float
    variance: float
    freedom: float
    by_past: bool = False


def contrasts(units: Units, guess: float) -> list[Contrast]:
    r"""The difference of each hardware type of the treated devices, and of all together first.

    Within a type, with the device's value $y_d$ of variance $v_d$ and its past $x_d$,

    $$\hat\delta_h = \bar y'_{h,T} - \bar y'_{h,C}, \quad y'_d = y_d - \beta x_d, \quad
    \operatorname{var} \hat\delta_h = \frac{1}{\sum_T 1/(v_d + \tau^2)} +
    \frac{1}{\sum_C 1/(v_d + \tau^2)}$$

    with means weighted by $1/(v_d+\tau^2)$; $\beta$ is the slope within types and sides, and
    $\tau^2$ the variance between devices by the method of moments within them, averaged with the
    guess by degrees of freedom. All types together are their differences weighted by $1 /
    \operatorname{var}$. A type without control is compared by $y_d - x_d$ with all of the control,
    and with nothing at all, at the cost of one guess more, where there is none.

    Args:
        units: The devices.
        guess: How far devices differ in peace, as a standard deviation of the measure.

    References:
        R. DerSimonian and N. Laird, "Meta-analysis in clinical trials", Controlled Clinical Trials
        7 (1986); A. Deng et al., "Improving the sensitivity of online controlled experiments by
        utilizing pre-experiment data", WSDM (2013); G. K. Smyth, "Linear models and empirical Bayes
        methods", Statistical Applications in Genetics and Molecular Biology 3 (2004).
    """
    units = units.take(np.isfinite(units.value))
    past = np.isfinite(units.before)
    kinds = sorted(set(units.kind[units.treated].tolist()))
    matched = {k: bool((~units.treated & (units.kind == k)).any()) for k in kinds}
    if past.any() and past.mean() >= _MOST_KNOWN:
        slope, fitted = _slope(units.take(past), guess)
        adjusted = _adjust(units.take(past), slope)
    else:
        fitted, adjusted = False, units
    found = []
    spread = _Spread.of(adjusted, guess, fitted=fitted)
    changes: tuple[Units, _Spread] | None = None
    for kind in kinds:
        if matched[kind]:
            found.append(_within(kind, adjusted, spread))
            continue
        if changes is None:
            of_all = _adjust(units.take(past), 1.0)
            changes = of_all, _Spread.of(of_all, guess, fitted=False)
        found.append(_by_past(kind, *changes, guess))
    return [_together(found), *found]


def _slope(units: Units, guess: float) -> tuple[float, bool]:
    """How much of what a device did before it goes on doing, and whether the devices told it."""
    x, y, freedom = units.before.copy(), units.value.copy(), 0
    for cell in _cells(units):
        x[cell] -= x[cell].mean()
        y[cell] -= y[cell].mean()
        freedom += int(cell.sum()) - 1
    spread = float(x @ x)
    if freedom >= _ENOUGH_FREEDOM and spread > 0:
        return min(max(float(x @ y) / spread, 0.0), 1.0), True
    sure = float(np.median(units.before_noise)) <= max(float(np.median(units.noise)), guess**2)
    return float(sure), False


def _adjust(units: Units, slope: float) -> Units:
    value = units.value - slope * units.before
    noise = units.noise + slope**2 * units.before_noise
    return Units(
        value, noise, units.before, units.before_noise, treated=units.treated, kind=units.kind
    )


def _cells(units: Units) -> Iterator[Flags]:
    """The devices of one type on one side."""
    cells = units.kind * 2 + units.treated
    for cell in set(cells.tolist()):
        yield cells == cell


@dataclass(frozen=True)
class _Spread:
    """How far devices differ beyond their own noise: a variance, and how well it is known."""

    variance: float
    freedom: float

    @classmethod
    def of(cls, units: Units, guess: float, *, fitted: bool) -> "_Spread":
        weights = 1 / (units.noise + guess**2)
        total = own = share = freedom = 0.0
        for cell in _cells(units):
            w, y, v = weights[cell], units.value[cell], units.noise[cell]
            sum_w = w.sum()
            keep = w - w * w / sum_w
            total += float(w @ (y - (w @ y) / sum_w) ** 2)
            own += float(keep @ v)
            share += float(keep.sum())
            freedom += float(sum_w**2 / (w @ w)) - 1
        freedom = max(freedom - fitted, 0.0)
        seen = max(0.0, (total - own) / share) if share > 0 else 0.0
        known = GUESS_DEVICES + freedom
        return cls((GUESS_DEVICES * guess**2 + freedom * seen) / known, known)


def _within(kind: int, units: Units, spread: _Spread) -> Contrast:
    of_kind = units.kind == kind
    here, here_variance = _mean(units, of_kind & units.treated, spread)
    there, there_variance = _mean(units, of_kind & ~units.treated, spread)
    return Contrast(kind, here - there, here_variance + there_variance, spread.freedom)


def _by_past(kind: int, units: Units, spread: _Spread, guess: float) -> Contrast:
    here, here_variance = _mean(units, (units.kind == kind) & units.treated, spread)
    there, there_variance = _mean(units, ~units.treated, spread)
    if there_variance == np.inf:  # no control at all: time itself may have moved all
        there, there_variance = 0.0, guess**2
    variance = here_variance + there_variance
    return Contrast(kind, here - there, variance, spread.freedom, by_past=True)


def _mean(units: Units, chosen: Flags, spread: _Spread) -> tuple[float, float]:
    if not chosen.any():
        return 0.0, np.inf
    weights = 1 / (units.noise[chosen] + spread.variance)
    total = float(weights.sum())
    return float(weights @ units.value[chosen]) / total, 1 / total


def _together(found: list[Contrast]) -> Contrast:
    sure = [c for c in found if np.isfinite(c.variance)]
    if not sure:
        return Contrast(None, 0.0, np.inf, GUESS_DEVICES)
    weights = np.array([1 / c.variance for c in sure])
    difference = float(weights @ [c.difference for c in sure] / weights.sum())
    freedom = min(c.freedom for c in sure)
    by_past = all(c.by_past for c in sure)
    return Contrast(None, difference, float(1 / weights.sum()), freedom, by_past)
