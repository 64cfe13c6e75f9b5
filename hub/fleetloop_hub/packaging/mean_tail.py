"""How far out the mean of few values lies, where it is not normal yet."""

import numpy as np
import numpy.typing as npt

from fleetloop_hub.packaging.quadratic_tail import two_sided

Floats = npt.NDArray[np.float64]

_HALVINGS = 32
_STEEPEST = 64.0


def skewness(shares: Floats, values: Floats, rows: Floats, share: float) -> Floats:
    r"""How much farther out the square of a mean lies than if it were normal.

    The mean of so many independent values exceeds $y = K'(t)$ with a probability of about
    $e^{-\text{rows} (t y - K(t))}$, where $K(t) = \ln \sum_j p_j e^{t g_j}$; of normal values, with
    $e^{-\text{rows}\, y^2 / 2}$. A few rows of a flag that is seldom up are far from normal.

    Args:
        shares: p of each bin, shape (features, bins).
        values: g of each bin, with a mean of 0 and a variance of 1, the same shape.
        rows: Independent rows behind the mean, shape (features,).
        share: Of both tails together.

    Returns:
        The larger factor of both sides, at least 1, shape (features,).

    Examples:
        >>> flag = np.array([[0.5, 0.5], [0.97, 0.03]])
        >>> values = np.array([[-1.0, 1.0], [-0.176, 5.69]])
        >>> skewness(flag, values, np.array([256.0, 256.0]), 1e-6).round(1).tolist()
        [1.0, 1.6]

    References:
        H. Cramér, "Sur un nouveau théorème-limite de la théorie des probabilités", Actualités
        scientifiques et industrielles 736 (1938).
    """
    exponent = two_sided(share) ** 2 / 2 / np.maximum(rows, 1.0)
    farthest = np.ones(len(shares))
    for side in (values, -values):
        farthest = np.maximum(farthest, _cramer(shares, side, exponent) ** 2 / (2 * exponent))
    return farthest


def _cramer(shares: Floats, values: Floats, exponent: Floats) -> Floats:
    """The mean that is as unlikely as the exponent says, or the largest value there is."""
    low, high = np.zeros((len(shares), 1)), np.full((len(shares), 1), _STEEPEST)
    for _ in range(_HALVINGS):
        t = (low + high) / 2
        farther = _tilted(shares, values, t)[1] > exponent[:, None]
        low, high = np.where(farther, low, t), np.where(farther, t, high)
    return _tilted(shares, values, low)[0][:, 0]


def _tilted(shares: Floats, values: Floats, t: Floats) -> tuple[Floats, Floats]:
    """Mean of the values where bins are weighted with exp(t value), and how unlikely it is."""
    largest = values.max(axis=1, keepdims=True)
    weighted = shares * np.exp(t * (values - largest))
    total = weighted.sum(axis=1, keepdims=True)
    mean = (weighted * values).sum(axis=1, keepdims=True) / total
    return mean, t * (mean - largest) - np.log(total)
