"""Sums about the reference, and the correlations they hold."""

import functools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fleetloop_shared.profile import ReferenceFeature

Columns = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

STEPS = 32
"""Near distances are whole numbers of this part of a standard deviation."""

REACH_SD = 8.0
"""Near distances end here, in standard deviations: one broken value is no change of correlation."""

_REACH = np.float32(REACH_SD * STEPS)
_EXACT_ROWS = 256
"""So many rows of products of whole numbers up to `_REACH` are exact in float32: 2^24."""

_STANDS_STILL = 1e-9
"""A feature that varies by a step in one row varies by more, and rounding makes less."""

_LARGEST = float(np.finfo(np.float32).max)


def scales(features: Sequence[ReferenceFeature]) -> tuple[Floats, Floats]:
    """What distances are measured from, and in; a category is infinitely wide.

    So every distance of a category is 0, its sums and products are 0, and its correlation with any
    other feature is 0, in the reference as in every window: its numbers are names.
    """
    mean = np.array([f.mean for f in features], np.float64)
    sd = np.array([np.inf if f.category else f.sd for f in features], np.float64)
    return mean, sd


def standardise(rows: Columns, mean: Floats, sd: Floats) -> Floats:
    """Near distances: from the reference's mean in its standard deviations, 8 at most.

    They are rounded to 1/32, so that sums of them and of their products are exact in any order and
    on any machine. A missing value is 0; an infinite one is as far as any can be.

    Args:
        rows: Values, shape (rows, features).
        mean: As `scales` gives it.
        sd: The same.

    Examples:
        >>> rows = np.array([[3.0, np.nan, np.inf]], np.float32)
        >>> standardise(rows, np.ones(3), np.full(3, 2.0)).tolist()
        [[1.0, 0.0, 8.0]]
    """
    with np.errstate(over="ignore", invalid="ignore"):
        steps = _steps(rows, *_in_float32(mean, sd))
    steps[np.isnan(steps)] = 0.0
    near: Floats = _near(steps, np.empty_like(steps)).astype(np.float64) / STEPS
    return near


class Moments:
    """Adds up the distances of many rows from one reference, and the products of the near ones."""

    def __init__(self, features: Sequence[ReferenceFeature]) -> None:
        """Take means and standard deviations."""
        self._scales = _in_float32(*scales(features))
        self._of_rows = (np.empty((0, 0), np.float32),) * 2
        unit = np.append(1.0, np.full(len(features), 1 / STEPS)).astype(np.float32)
        self._unit = unit[:, None] * unit

    def of(
        self, columns: Columns, parts: int = 1, *, missing: bool = True
    ) -> tuple[Floats, Floats]:
        """Sums and products of each of several equal parts of rows.

        Args:
            columns: Values, shape (features, parts * rows), NaN where missing.
            parts: How many.
            missing: Whether any value is.

        Returns:
            The sums of the distances, without those that are infinite, shape (parts, features); and
            the sums of products of near distances, in which a 1 goes before the features, shape
            (parts, 1 + features, 1 + features): [:, 0, 0] is the number of rows, [:, 0, 1:] are the
            sums of the near distances.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            steps = _steps(columns, *self._spread(columns.shape[1]))
            if missing:
                np.copyto(steps, 0.0, where=np.isnan(steps))
            by_part = steps.reshape(len(steps) * parts, -1)
            distances = np.add.reduce(by_part.astype(np.float64), axis=1)  # BLAS varies with parts
        if not np.isfinite(distances).all():
            finite = np.where(np.isfinite(by_part), by_part, 0.0)
            distances = np.add.reduce(finite.astype(np.float64), axis=1)
            np.copyto(steps, 0.0, where=np.isnan(steps))
        distances /= STEPS
        return distances.reshape(len(steps), parts).T, self._products(steps, parts)

    def _products(self, steps: Columns, parts: int) -> Floats:
        near = np.empty((len(steps) + 1, steps.shape[1]), np.float32)
        near[0] = 1.0
        _near(steps, near[1:])
        again = near.copy().T  # BLAS multiplies two arrays twice as fast as one with itself
        products = np.zeros((parts, len(near), len(near)))
        rows = steps.shape[1] // parts
        for part in range(parts):
            end = (part + 1) * rows
            for start in range(part * rows, end, _EXACT_ROWS):
                some = slice(start, min(start + _EXACT_ROWS, end))
                product = near[:, some] @ again[some]
                product *= self._unit
                if start == part * rows:
                    products[part] = product
                else:
                    products[part] += product
        return products

    def _spread(self, rows: int) -> tuple[Columns, Columns]:
        """Means and steps, written out for so many rows: what is contiguous is counted faster."""
        spread = self._of_rows
        if spread[0].shape[1] != rows:
            mean, per_step = (np.repeat(x[:, None], rows, axis=1) for x in self._scales)
            spread = self._of_rows = mean, per_step
        return spread


def _in_float32(mean: Floats, sd: Floats) -> tuple[Columns, Columns]:
    """Means, and steps for each unit of the feature."""
    with np.errstate(over="ignore"):
        per_step = np.minimum(STEPS / sd, _LARGEST)
        return mean.astype(np.float32), per_step.astype(np.float32)


def _steps(values: Columns, mean: Columns, per_step: Columns) -> Columns:
    steps = values - mean
    steps *= per_step
    return steps


def _near(steps: Columns, out: Columns) -> Columns:
    np.rint(steps, out=out)
    return out.clip(-_REACH, _REACH, out=out)


def correlations(rows: float | Floats, sums: Floats, products: Floats) -> Floats:
    r"""Pearson correlations of the pairs (i, j), i < j, row by row.

    $$r_{ij} = \frac{P_{ij} - S_i S_j / n}{\sqrt{(P_{ii} - S_i^2 / n)(P_{jj} - S_j^2 / n)}}$$

    Args:
        rows: n, one for all or one for each leading index.
        sums: $S$ of near distances, shape (..., features).
        products: $P$ of near distances, shape (..., features, features).

    Returns:
        Shape (..., pairs), within -1 to 1; 0 where a feature does not vary.

    Examples:
        >>> u = np.array([[1.0, 2.0], [2.0, 4.0], [4.0, 6.0]])
        >>> correlations(3, u.sum(axis=0), u.T @ u).round(3).tolist()
        [0.982]
    """
    features = sums.shape[-1]
    mean = sums / np.maximum(rows, 1)[..., None]
    centred = sums[..., :, None] * mean[..., None, :]
    np.subtract(products, centred, out=centred)
    flat = centred.reshape(*centred.shape[:-2], features * features)
    variance = flat[..., :: features + 1]
    varies = variance > _STANDS_STILL
    scale = varies / np.sqrt(np.where(varies, variance, 1.0))
    centred *= scale[..., :, None]
    centred *= scale[..., None, :]
    pairs: Floats = flat.take(_pairs(features), axis=-1)
    return pairs.clip(-1.0, 1.0, out=pairs)


@functools.cache
def _pairs(features: int) -> Places:
    first, second = np.triu_indices(features, 1)
    return first * features + second
