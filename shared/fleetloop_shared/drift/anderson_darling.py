"""Binned two-sample Anderson-Darling statistic: has an ordered feature moved or spread?"""

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_LEAST_WEIGHT = 0.25
"""Weights are quarters of whole numbers; where one is 0, so is the gap."""


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
    return AndersonDarling(reference)(window)


class AndersonDarling:
    """The same, with what many windows need of one reference computed once."""

    def __init__(self, reference: Counts) -> None:
        """Take the reference's rows in each bin."""
        bins = reference.shape[-1]
        self._to_middle = np.triu(np.ones((bins, bins)), 1) + np.eye(bins) / 2
        self._reference = reference.astype(np.float64)
        self._rows = self._reference.sum(axis=-1, keepdims=True)
        self._middle = self._reference @ self._to_middle

    def __call__(self, window: Counts) -> Floats:
        """One statistic for each leading index of a window's rows in each bin."""
        seen = window.astype(np.float64)
        m = np.add.reduce(seen, axis=-1, keepdims=True)
        rows = self._rows + m
        middle = seen @ self._to_middle
        middle += self._middle
        gap = rows * self._middle  # m R - n W, with W = B - R
        gap -= self._rows * middle
        gap *= gap
        seen += self._reference
        gap *= seen
        weight = rows - middle
        weight *= middle
        seen *= rows * 0.25
        weight -= seen
        gap /= np.maximum(weight, _LEAST_WEIGHT, out=weight)
        total: Floats = np.add.reduce(gap, axis=-1)
        m *= self._rows
        m *= rows
        total *= ((rows - 1) / np.maximum(m, 1, out=m))[..., 0]
        return total
