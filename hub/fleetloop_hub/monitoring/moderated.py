r"""How far each device is from the others, judged by how far they are from each other.

A few devices say little about how much devices differ in one measure, but there are many measures:
the spread of each is moderated towards what all measures of its kind show (Smyth 2004), so that
five devices are enough to see one that is clearly off, and honestly too few for less.

For device $i$ and measure $j$, with $m$ the median of the others and $s$ their spread,

$$t_{ij} = \frac{x_{ij} - m_{ij}}{\tilde s_{ij}}, \qquad
\tilde s^2 = \frac{d_0 s_0^2 + d\,s^2}{d_0 + d}$$

is compared with Student's t of $d_0 + d$ degrees of freedom. The spread is that of the nearer 70 %
of the others, so that up to three in ten may be off as well and hide nobody.

Reference: G. K. Smyth, "Linear models and empirical Bayes methods for assessing differential
expression in microarray experiments", Statistical Applications in Genetics and Molecular Biology
3 (2004).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import special

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

FAR = 0.3
"""Share of devices that may be far off without changing what the others are judged by."""

_ONE_BY_ONE = 40
_MOST_FREEDOM = 200.0
_DRAWS = 4_000
_LARGEST_TABLE = 60


@dataclass(frozen=True)
class Distances:
    """Each device against the others; all of shape (devices, measures).

    Attributes:
        centre: The median of the others.
        spread: The variance of a device about it.
        freedom: How surely that is known, in degrees of freedom.
    """

    centre: Floats
    spread: Floats
    freedom: Floats

    def chance(self, values: Floats) -> Floats:
        """The chance of values so far from the centre, two-sided, each for itself."""
        t = (values - self.centre) / np.sqrt(self.spread)
        chance: Floats = 2 * special.stdtr(self.freedom, -np.abs(t))
        return chance


def distances(values: Floats, least: Floats, kind: Places, scarce: Floats) -> Distances:
    """Judge each device by the others.

    Args:
        values: Shape (devices, measures), three devices or more.
        least: Variances that differences of equal devices have at least, shape (measures,).
        kind: What kind each measure is of, shape (measures,).
        scarce: By how much a device's variance is larger than the others', 1 or more, shape
            (devices,): fewer rows say less.
    """
    count = len(values)
    if count > _ONE_BY_ONE:
        centre, spread, freedom = _look(values, least, kind)
        return _compared(values, centre, spread, freedom, scarce)
    looks = [_look(np.delete(values, k, axis=0), least, kind) for k in range(count)]
    centre, spread, freedom = (np.array(part) for part in zip(*looks, strict=True))
    return _compared(values, centre, spread, freedom, scarce)


def between(one: Floats, others: Floats, least: Floats, kind: Places) -> Distances:
    """Judge the medians of a group of devices by others' medians and the spread within both.

    Args:
        one: Shape (devices, measures), two devices or more.
        others: The same, two or more.
        least: As for `distances`.
        kind: The same.
    """
    here, there = np.median(one, axis=0), np.median(others, axis=0)
    centred = np.concatenate([one - here, others - there])
    _, spread, freedom = _look(centred, least, kind)
    # the median of n normal values varies by pi / 2 as much as their mean
    wider = np.pi / 2 * (1 / len(one) + 1 / len(others))
    return Distances(there, spread * wider, freedom)


def _compared(
    values: Floats, centre: Floats, spread: Floats, freedom: Floats, scarce: Floats
) -> Distances:
    full = values.shape
    return Distances(
        np.broadcast_to(centre, full), spread * scarce[:, None], np.broadcast_to(freedom, full)
    )


def _look(others: Floats, least: Floats, kind: Places) -> tuple[Floats, Floats, Floats]:
    """Median, moderated spread and its degrees of freedom of each measure, shape (measures,)."""
    centre = np.median(others, axis=0)
    near = _near(len(others))
    squared = np.sort((others - centre) ** 2, axis=0)[:near].mean(axis=0)
    scale, freedom = _nearest_of_normal(min(len(others), _LARGEST_TABLE))
    if len(others) > _LARGEST_TABLE:
        freedom *= len(others) / _LARGEST_TABLE
    measured = squared / scale
    spread = np.maximum(measured, least)
    moderated, degrees = np.empty_like(spread), np.empty_like(spread)
    for each in np.unique(kind):
        of_kind = kind == each
        prior, weight = _prior(measured[of_kind], spread[of_kind], freedom)
        moderated[of_kind] = (weight * prior + freedom * spread[of_kind]) / (weight + freedom)
        degrees[of_kind] = min(weight + freedom, _MOST_FREEDOM)
    wider = 1 + np.pi / 2 / len(others)  # the centre is itself uncertain
    return centre, np.maximum(moderated, least) * wider, degrees


def _near(others: int) -> int:
    return others - int(FAR * others)


@lru_cache(maxsize=_LARGEST_TABLE + 1)
def _nearest_of_normal(others: int) -> tuple[float, float]:
    """Mean square of the nearer part of so many normal values, and its degrees of freedom.

    The degrees are those of the chi-squared distribution with the same mean and variance.
    """
    drawn = np.random.default_rng(others).standard_normal((_DRAWS, others))
    squared = np.sort((drawn - np.median(drawn, axis=1, keepdims=True)) ** 2, axis=1)
    nearest = squared[:, : _near(others)].mean(axis=1)
    mean = float(nearest.mean())
    return mean, 2 * mean**2 / float(nearest.var())


def _prior(measured: Floats, spread: Floats, freedom: float) -> tuple[float, float]:
    """What the measures of a kind have in common: their variance, and how surely (Smyth 2004).

    It is learned from these measures, so that it is never surer than all of them together.

    Args:
        measured: The spread of each measure.
        spread: The same, but never less than equal devices have.
        freedom: Of each, in degrees of freedom.
    """
    surest = min(freedom * len(spread), _MOST_FREEDOM)
    logs = np.log(spread) - special.psi(freedom / 2) + np.log(freedom / 2)
    if len(spread) < 3:  # noqa: PLR2004  # nothing to learn from
        return float(np.exp(logs.mean())), 1.0
    extra = float(logs.var(ddof=1)) - float(special.polygamma(1, freedom / 2))
    if extra <= float(special.polygamma(1, _MOST_FREEDOM / 2)):
        return float(measured.mean()), surest  # all alike: their mean is the best there is
    weight = 2 * _inverse_trigamma(extra)
    middle = logs.mean() + special.psi(weight / 2) - np.log(weight / 2)
    return float(np.exp(middle)), min(weight, surest)


def _inverse_trigamma(value: float) -> float:
    """Newton's method on 1 / trigamma, which is convex and nearly straight."""
    x = 0.5 + 1 / value
    for _ in range(20):
        trigamma = float(special.polygamma(1, x))
        step = trigamma * (1 - trigamma / value) / float(special.polygamma(2, x))
        x += step
        if -step / x < 1e-8:  # noqa: PLR2004
            break
    return x
