"""Tilts weights until a mean is what a device reports: what the shares of bins do not show."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_STEPS = 12
_LONGEST = 0.5
_NEAR = 1e-3
_STEEPEST = 30.0


def tilt(weights: Floats, values: Floats, wanted: float) -> Floats:
    r"""Exponential tilting: the weights nearest to these under which the mean is `wanted`.

    $$w_i \leftarrow \frac{w_i e^{\lambda v_i}}{\sum_j w_j e^{\lambda v_j}}, \qquad
    \lambda: \sum_i w_i v_i = \bar v$$

    found by Newton's method with steps of limited length. Used for products of two features, so for
    their correlation, and for how far values go within the outer bins. A mean that no weights of
    these rows give is approached, and the weights thin out: the effective number of rows says so.

    Args:
        weights: Where to begin, adding up to 1.
        values: v, one a row.
        wanted: The mean.

    Returns:
        Weights that add up to 1.

    Examples:
        >>> tilt(np.full(3, 1 / 3), np.array([0.0, 1.0, 2.0]), 1.5).round(3).tolist()
        [0.116, 0.268, 0.616]

    References:
        J. Hainmueller, "Entropy balancing for causal effects", Political Analysis 20 (2012).
    """
    slope, tilted = 0.0, weights
    for _ in range(_STEPS):
        mean = float(tilted @ values)
        variance = float(tilted @ (values - mean) ** 2)
        if abs(wanted - mean) < _NEAR or variance <= 0:
            break
        slope += float(np.clip((wanted - mean) / variance, -_LONGEST, _LONGEST))
        tilted = weights * np.exp(np.clip(slope * (values - wanted), -_STEEPEST, _STEEPEST))
        tilted = tilted / tilted.sum()
    return tilted
