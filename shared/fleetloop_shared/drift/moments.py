"""Sums about the reference, and the correlations they hold."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fleetloop_shared.profile import ReferenceFeature

Floats = npt.NDArray[np.float64]


def scales(features: Sequence[ReferenceFeature]) -> tuple[Floats, Floats]:
    """What `standardise` subtracts and divides by; a category is infinitely wide.

    So every distance of a category is 0, its sums and products are 0, and its correlation with any
    other feature is 0, in the reference as in every window: its numbers are names.
    """
    mean = np.array([f.mean for f in features], np.float64)
    sd = np.array([np.inf if f.category else f.sd for f in features], np.float64)
    return mean, sd


def standardise(rows: npt.NDArray[np.float32], mean: Floats, sd: Floats) -> Floats:
    """Distances from the reference's mean in its standard deviations, missing and infinite as 0.

    An infinite value has its place in the counts (an outer bin), but one of them would make every
    sum it enters infinite: here it counts as missing.

    Args:
        rows: Values, shape (rows, features).
        mean: As `scales` gives it.
        sd: The same.

    Examples:
        >>> rows = np.array([[3.0, np.nan, np.inf]], np.float32)
        >>> standardise(rows, np.ones(3), np.full(3, 2.0)).tolist()
        [[1.0, 0.0, 0.0]]
    """
    distances: Floats = (rows - mean) / sd
    distances[~np.isfinite(distances)] = 0.0
    return distances


def correlations(rows: float, sums: Floats, products: Floats) -> Floats:
    r"""Pearson correlations of the pairs (i, j), i < j, row by row.

    $$r_{ij} = \frac{P_{ij} - S_i S_j / n}{\sqrt{(P_{ii} - S_i^2 / n)(P_{jj} - S_j^2 / n)}}$$

    Args:
        rows: n.
        sums: $S$, shape (..., features).
        products: $P$, shape (..., features, features).

    Returns:
        Shape (..., pairs), within -1 to 1; 0 where a feature does not vary.

    Examples:
        >>> u = np.array([[1.0, 2.0], [2.0, 4.0], [4.0, 6.0]])
        >>> correlations(3, u.sum(axis=0), u.T @ u).round(3).tolist()
        [0.982]
    """
    features = sums.shape[-1]
    centred = products - sums[..., :, None] * sums[..., None, :] / max(rows, 1)
    variance = np.diagonal(centred, axis1=-2, axis2=-1)
    noise = 1e-12 * np.diagonal(products, axis1=-2, axis2=-1)
    spread = np.sqrt(np.where(variance > noise, variance, 0.0))
    i, j = np.triu_indices(features, 1)
    scale = spread[..., i] * spread[..., j]
    pairs = np.divide(centred[..., i, j], scale, out=np.zeros_like(scale), where=scale > 0)
    within: Floats = np.clip(pairs, -1.0, 1.0)
    return within
