"""Triangular discrimination: has the share of any bin changed, whatever the order of bins?"""

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_LEAST_SHARE = float(np.finfo(np.float64).tiny)


def triangular_discrimination(reference: Counts, window: Counts) -> Floats:
    r"""Distance between the bin shares $p$ of the reference and $q$ of a window.

    $$\Delta(p, q) = \sum_j \frac{(p_j - q_j)^2}{p_j + q_j}$$

    Between 0 (equal shares) and 2 (no bin in common). Up to a factor it is the two-sample
    chi-squared statistic, but it needs no expected counts: a bin that is empty in the reference
    adds its share and no more, where the population stability index would add infinity.

    Use it for new categories, missing values, holes and peaks, and for the score histogram. Use
    `anderson_darling` for slow movements of an ordered value, which it sees sooner.

    Args:
        reference: Rows in each bin, shape (..., bins).
        window: The same for the window; leading axes broadcast.

    Returns:
        One statistic for each leading index; 0 where either side has no rows.

    Examples:
        >>> reference = np.array([[50, 50, 0]])
        >>> triangular_discrimination(reference, np.array([[5, 5, 0]])).tolist()
        [0.0]
        >>> triangular_discrimination(reference, np.array([[4, 4, 2]])).round(3).tolist()
        [0.222]
        >>> triangular_discrimination(reference, np.array([[0, 0, 9]])).tolist()
        [2.0]

    References:
        F. Topsøe, "Some inequalities for information divergence and related measures of
        discrimination", IEEE Transactions on Information Theory 46 (2000).
    """
    return Triangular(reference)(window)


class Triangular:
    """The same, with what many windows need of one reference computed once."""

    def __init__(self, reference: Counts) -> None:
        """Take the reference's rows in each bin."""
        rows = reference.sum(axis=-1, keepdims=True)
        self._share = reference / np.maximum(rows, 1)
        self._known = rows > 0

    def __call__(self, window: Counts) -> Floats:
        """One statistic for each leading index of a window's rows in each bin."""
        m = np.add.reduce(window, axis=-1, keepdims=True)
        seen = window / np.maximum(m, 1)
        terms = seen - self._share
        terms *= terms
        seen += self._share
        terms /= np.maximum(seen, _LEAST_SHARE, out=seen)
        total: Floats = np.add.reduce(terms, axis=-1)
        total *= ((m > 0) & self._known)[..., 0]
        return total
