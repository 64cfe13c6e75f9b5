"""What the bins of a feature would hold if something happened to it."""

import math

import numpy as np
import numpy.typing as npt

from fleetloop_hub.packaging.binned import bins_of
from fleetloop_hub.packaging.reference import BINS
from fleetloop_shared.profile import ReferenceFeature

Columns = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

SHIFTS_SD = (0.25, 0.5, 1.0)
SPREAD = 1.5
ODD = 0.02
"""Share of the values that go missing, or are of a category that is not listed."""

KINDS = ("quarter_sd", "half_sd", "whole_sd", "spread", "missing", "unknown")


def changed_shares(feature: ReferenceFeature, column: Columns, bins: int) -> Floats:
    """Shares of the bins after each of `KINDS`, shape (kinds, bins).

    A number that takes few values, such as a flag, is moved by letting some of them become the next
    larger one; whole numbers stay whole. So no value appears that cannot be.

    Args:
        feature: Its bins.
        column: Its values in the reference, NaN where missing.
        bins: How many bins there are, missing being the last.

    Returns:
        NaN in a line whose kind makes no sense for the feature.
    """
    before = _shares(feature, column, bins)
    found = np.full((len(KINDS), bins), np.nan)
    found[4] = (1 - ODD) * before
    found[4, -1] += ODD
    if feature.category:
        found[5] = (1 - ODD) * before
        found[5, 0] += ODD
        return found
    levels = np.unique(column[np.isfinite(column)])
    if 2 * len(levels) < BINS:
        found[:3] = _raised(feature, levels, before)
        return found
    whole = bool((levels == np.rint(levels)).all())
    with np.errstate(over="ignore", invalid="ignore"):
        for line, shift in enumerate(SHIFTS_SD):
            found[line] = _moved(feature, column, bins, shift * feature.sd, whole=whole)
        if not whole:
            spread = feature.mean + SPREAD * (column.astype(np.float64) - feature.mean)
            found[3] = _shares(feature, spread.astype(np.float32), bins)
    return found


def _moved(
    feature: ReferenceFeature, column: Columns, bins: int, distance: float, *, whole: bool
) -> Floats:
    """Every value moved; whole numbers stay whole, some of them one farther than others."""
    if not whole:
        return _shares(feature, column + np.float32(distance), bins)
    farther, steps = math.modf(distance)
    near = _shares(feature, column + np.float32(steps), bins)
    return (1 - farther) * near + farther * _shares(feature, column + np.float32(steps + 1), bins)


def _shares(feature: ReferenceFeature, column: Columns, bins: int) -> Floats:
    places = bins_of(feature.edges, column, bins - 1)
    shares: Floats = np.bincount(places, minlength=bins) / len(column)
    return shares


def _raised(feature: ReferenceFeature, levels: Columns, before: Floats) -> Floats:
    """Some values of each level one level higher, so that the mean moves as far as it should."""
    found = np.full((len(SHIFTS_SD), len(before)), np.nan)
    at = bins_of(feature.edges, levels, len(before) - 1)
    steps = np.diff(levels.astype(np.float64))
    farthest = float(before[at[:-1]] @ steps)
    for line, shift in enumerate(SHIFTS_SD):
        if shift * feature.sd < farthest:
            moving = before[at[:-1]] * (shift * feature.sd / farthest)
            found[line] = before
            found[line, at[:-1]] -= moving
            found[line, at[1:]] += moving
    return found
