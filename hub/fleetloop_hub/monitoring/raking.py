"""Weights of labelled rows under which they look as a device's rows do, feature by feature."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

SWEEPS = 12
"""Times that every feature is adjusted at most."""

ENOUGH = 1e-3
"""Where no feature's shares are off by more than this, all together, it is good."""


def rake(weights: Floats, places: Places, shares: Sequence[Floats], sweeps: int = SWEEPS) -> Floats:
    r"""Iterative proportional fitting: each feature's shares are met in turn, until all are.

    $$w_i \leftarrow w_i \, \frac{q_k}{\sum_{j:\, x_j \in k} w_j} \quad \text{for } x_i \in k$$

    with the wanted share $q_k$ of each bin $k$ of one feature, then of the next. Among all weights
    that meet the shares it finds those that differ least, in relative entropy, from the weights it
    began with: whatever the shares do not speak of stays as it was among the labelled rows.

    Args:
        weights: Where to begin, adding up to 1.
        places: The bin of each row, shape (features, rows).
        shares: For each feature the wanted share of each bin. A bin without rows must have none.
        sweeps: How often all of them are gone through at most.

    Returns:
        Weights that add up to 1.

    Examples:
        >>> places = np.array([[0, 0, 1, 1], [0, 1, 0, 1]])
        >>> wanted = [np.array([0.25, 0.75]), np.array([0.5, 0.5])]
        >>> rake(np.full(4, 0.25), places, wanted).tolist()
        [0.125, 0.125, 0.375, 0.375]

    References:
        W. E. Deming and F. F. Stephan, "On a least squares adjustment of a sampled frequency table
        when the expected marginal totals are known", Annals of Mathematical Statistics 11 (1940);
        I. Csiszár, "I-divergence geometry", Annals of Probability 3 (1975), for what it finds.
    """
    for _ in range(sweeps):
        off = 0.0
        for place, wanted in zip(places, shares, strict=True):
            held = np.bincount(place, weights, minlength=len(wanted))
            off = max(off, float(np.abs(held - wanted).sum()))
            ratio = np.divide(wanted, held, out=np.zeros_like(wanted), where=held > 0)
            weights = weights * ratio[place]
        weights = weights / weights.sum()
        if off < ENOUGH:
            break
    return weights


def effective(weights: Floats) -> float:
    """How many rows of equal weight these weights are worth (Kish, 1965).

    >>> effective(np.array([0.5, 0.5, 0.0]))
    2.0
    """
    return float(weights.sum() ** 2 / (weights**2).sum())
