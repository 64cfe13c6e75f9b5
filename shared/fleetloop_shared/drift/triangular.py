"""Triangular discrimination: has the share of any bin changed, whatever the order of bins?"""

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


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
    n = reference.sum(axis=-1, keepdims=True)
    m = window.sum(axis=-1, keepdims=True)
    p = reference / np.maximum(n, 1)
    q = window / np.maximum(m, 1)
    both = p + q
    terms = np.divide((p - q) ** 2, both, out=np.zeros_like(both), where=both > 0)
    total: Floats = np.where((n > 0) & (m > 0), terms, 0.0).sum(axis=-1)
    return total
