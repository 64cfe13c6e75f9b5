"""How far out one in a million of a quadratic statistic lies, where no simulation reaches."""

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LARGEST_SHARE = 0.2
"""Shares above this are not the tail any more."""

_HALVINGS = 32
_NORMAL = NormalDist()
_erfc = np.frompyfunc(math.erfc, 1, 1)


def normal_tail(z: Floats) -> Floats:
    """The share of a standard normal variable that lies above z.

    >>> normal_tail(np.array([0.0, 1.959964])).round(4).tolist()
    [0.5, 0.025]
    """
    tail: Floats = np.asarray(_erfc(z / math.sqrt(2)), np.float64) / 2
    return tail


def two_sided(share: float) -> float:
    """The z that a standard normal variable exceeds to either side with this probability.

    Args:
        share: Above 0; more than `LARGEST_SHARE` counts as that.
    """
    return _NORMAL.inv_cdf(1 - min(share, LARGEST_SHARE) / 2)


def tail_limit(weights: Floats, share: float) -> Floats:
    r"""The value that $\sum_k \lambda_k \chi^2_1$ exceeds with a probability of `share`.

    With $K(t) = -\frac12 \sum_k \ln(1 - 2 \lambda_k t)$, $x = K'(t)$, $w = \sqrt{2 (t x - K(t))}$
    and $v = t \sqrt{K''(t)}$ the saddlepoint approximation is

    $$P(X > x) = 1 - \Phi(w) + \varphi(w) \left(\frac1v - \frac1w\right)$$

    whose relative error stays within some percent however far out, where that of a sample ends.

    Args:
        weights: $\lambda$, not negative, shape (..., k).
        share: Above 0; more than `LARGEST_SHARE` counts as that.

    Returns:
        One limit for each leading index; 0 where all weights are.

    Examples:
        >>> tail_limit(np.ones((1, 1)), 1e-6).round(1).tolist()  # exact: 23.9
        [24.0]
        >>> tail_limit(np.full((1, 16), 0.5), 1e-6).round(1).tolist()  # exact: 29.2
        [29.2]

    References:
        R. Lugannani and S. Rice, "Saddle point approximation for the distribution of the sum of
        independent random variables", Advances in Applied Probability 12 (1980).
        D. Kuonen, "Saddlepoint approximations for distributions of quadratic forms in normal
        variables", Biometrika 86 (1999).
    """
    largest = weights.max(axis=-1, keepdims=True)
    unit = np.divide(weights, largest, out=np.zeros_like(weights), where=largest > 0)
    low, high = np.zeros(largest.shape), np.ones(largest.shape)
    wanted = min(share, LARGEST_SHARE)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        farther = _tail(unit, middle) < wanted
        low, high = np.where(farther, low, middle), np.where(farther, middle, high)
    limit: Floats = ((unit / (1 - unit * low)).sum(axis=-1, keepdims=True) * largest)[..., 0]
    return limit


def _tail(unit: Floats, doubled: Floats) -> Floats:
    """P(X > K'(t)) at t = doubled / 2, for weights of which the largest is 1."""
    rest = 1 - unit * doubled
    x = (unit / rest).sum(axis=-1, keepdims=True)
    cumulant = -np.log(rest).sum(axis=-1, keepdims=True) / 2
    curvature = 2 * ((unit / rest) ** 2).sum(axis=-1, keepdims=True)
    w = np.sqrt(np.maximum(doubled * x - 2 * cumulant, 1e-12))
    v = np.maximum(doubled / 2 * np.sqrt(curvature), 1e-12)
    density = np.exp(-(w**2) / 2) / math.sqrt(2 * math.pi)
    tail: Floats = normal_tail(w) + density * (1 / v - 1 / w)
    return tail


def uncertainty(rows: float, share: float) -> float:
    r"""How much farther out a limit lies when its scale was measured on so many rows only.

    The square of Student's $t$ with $\nu$ degrees of freedom over that of the normal quantile z,
    by $z = \sqrt{\nu \ln(1 + t^2 / \nu)}\,(8 \nu + 1) / (8 \nu + 3)$: an inflation that is
    underestimated by a tenth makes a false alarm of one in a million four times as likely.

    Args:
        rows: $\nu$, independent observations behind the scale; fewer than 4 count as 4.
        share: The share of both tails together; more than `LARGEST_SHARE` counts as that.

    Examples:
        >>> round(uncertainty(1e9, 1e-6), 3), round(uncertainty(50, 1e-6), 2)
        (1.0, 1.3)

    References:
        D. L. Wallace, "Bounds on normal approximations to Student's and the chi-square
        distributions", Annals of Mathematical Statistics 30 (1959).
    """
    freedom = max(rows, 4.0)
    squared = two_sided(share) ** 2
    wider = squared * ((8 * freedom + 3) / (8 * freedom + 1)) ** 2
    return math.expm1(wider / freedom) * freedom / squared
