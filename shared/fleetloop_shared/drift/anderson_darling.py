"""Binned two-sample Anderson-Darling statistic: has an ordered feature moved or spread?"""

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def anderson_darling(reference: Counts, window: Counts) -> Floats:
    r"""Distance between two samples of ordered values that are known by their bins only.

    With $n$ reference rows and $m$ window rows in ordered bins, $N = n + m$, $l_j$ rows of both in
    bin $j$, $B_j$ rows of both below the middle of bin $j$, and $R_j$, $W_j$ the same of the
    reference and the window alone,

    $$A^2 = \frac{N - 1}{N} \sum_j
    \frac{l_j\,(m R_j - n W_j)^2}{n m\,\left(B_j (N - B_j) - N l_j / 4\right)}$$

    which is the k-sample statistic for tied values (mid-ranks) with k = 2.

    Use it where order means something, for movements and changes of spread that touch all bins a
    little: it sees half the mean shift that `triangular_discrimination` needs. Use that one for a
    value that appears in one bin only, whose place in the order says little, and for categories,
    which have no order at all. A missing value is a bin of its own at the upper end of the order.

    Args:
        reference: Rows in each bin, shape (..., bins); empty bins cost nothing.
        window: The same for the window; leading axes broadcast.

    Returns:
        One statistic for each leading index; 0 where either side has no rows. Without drift its
        mean is close to 1 for independent rows, and larger where rows follow each other closely.

    Examples:
        >>> reference = np.array([[100, 100, 100, 100, 0]])
        >>> anderson_darling(reference, np.array([[25, 24, 26, 25, 0]])).round(2).tolist()
        [0.01]
        >>> anderson_darling(reference, np.array([[5, 15, 30, 50, 0]])).round(2).tolist()
        [26.98]

    References:
        F. W. Scholz and M. A. Stephens, "K-sample Anderson-Darling tests", Journal of the American
        Statistical Association 82 (1987), equation 7.
    """
    both = (reference + window).astype(np.float64)
    n = reference.sum(axis=-1, keepdims=True, dtype=np.float64)
    m = window.sum(axis=-1, keepdims=True, dtype=np.float64)
    rows = n + m
    middle = both.cumsum(axis=-1) - both / 2
    reference_middle = reference.cumsum(axis=-1) - reference / 2
    gap = m * reference_middle - n * (middle - reference_middle)
    weight = n * m * (middle * (rows - middle) - rows * both / 4)
    terms = np.divide(both * gap**2, weight, out=np.zeros_like(gap), where=weight > 0)
    total: Floats = terms.sum(axis=-1) * (1 - 1 / np.maximum(rows[..., 0], 1))
    return total
