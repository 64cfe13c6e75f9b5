"""Deviance of bins that hardly ever hold a row: are values missing, or new, or stuck?"""

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

RARE = 50
"""A bin is rare if it holds less than one in so many rows of the reference."""


def rare(reference: Counts) -> npt.NDArray[np.bool_]:
    """Which bins are looked at alone: the rare ones, and the last, in which a value is missing.

    Args:
        reference: Rows in each bin, shape (..., bins), the last of which is missing.
    """
    few: npt.NDArray[np.bool_] = reference * RARE < reference.sum(axis=-1, keepdims=True)
    few[..., -1] = True
    return few


def rare_bins(reference: Counts, window: Counts) -> Floats:
    r"""The largest deviance of a rare bin.

    With $x$ of $n$ reference rows and $k$ of $m$ window rows in a bin, $N = n + m$ and
    $\pi = (x + k) / N$,

    $$G = 2 \left( x \ln \frac{x}{n \pi} + (n - x) \ln \frac{n - x}{n (1 - \pi)}
    + k \ln \frac{k}{m \pi} + (m - k) \ln \frac{m - k}{m (1 - \pi)} \right)$$

    $e^{-G / 2}$ bounds the probability that so many of the $x + k$ rows fall to one side by chance,
    also where x is 0: five missing values in 256 rows, after none in 10,000, are one in 100
    million.

    Use it for values that go missing, new categories and values that are stuck, as soon as a few
    rows show them; the statistics over all bins hardly notice one that holds 2 % of the rows.

    Args:
        reference: Rows in each bin, shape (..., bins), the last of which is missing.
        window: The same for the window; leading axes broadcast.

    Returns:
        One deviance for each leading index; 0 where either side has no rows.

    Examples:
        >>> reference = np.array([[5000, 5000, 0]])
        >>> rare_bins(reference, np.array([[126, 125, 5]])).round(1).tolist()
        [37.0]
        >>> rare_bins(reference, np.array([[255, 1, 0]])).tolist()
        [0.0]

    References:
        R. R. Sokal and F. J. Rohlf, "Biometry", chapter 17: the G test of independence.
    """
    few = np.broadcast_to(rare(reference), np.broadcast_shapes(reference.shape, window.shape))
    n = reference.sum(axis=-1, keepdims=True, dtype=np.float64)
    m = window.sum(axis=-1, keepdims=True, dtype=np.float64)
    total = n + m
    both = (reference + window).astype(np.float64)
    deviance = (
        _term(reference, n * both, total)
        + _term(n - reference, n * (total - both), total)
        + _term(window, m * both, total)
        + _term(m - window, m * (total - both), total)
    )
    largest: Floats = np.where(few, 2 * deviance, 0.0).max(axis=-1, initial=0.0)
    return largest


_SIGNS = 2 * np.array([1.0, 1.0, 1.0, -1.0, -1.0])


class RareBins:
    r"""The same, with what many windows need of one reference computed once.

    With $h(t) = t \ln t$ the sum above is
    $h(x) + h(n - x) + h(k) + h(m - k) + h(N) - h(n) - h(m) - h(x + k) - h(N - x - k)$.
    """

    def __init__(self, reference: Counts) -> None:
        """Take the reference's rows in each bin, shape (features, bins)."""
        few = rare(reference)
        self._bins = np.flatnonzero(few)
        self._begins = np.concatenate([[0], few.sum(axis=1).cumsum()[:-1]])
        n = reference.sum(axis=1, keepdims=True)
        self._seen = reference[few].astype(np.float64)
        self._rows = np.broadcast_to(n, reference.shape)[few].astype(np.float64)
        self._known = 2 * (_h(self._seen) + _h(self._rows - self._seen) - _h(self._rows))

    def __call__(self, window: Counts) -> Floats:
        """The largest deviance, shape (windows, features).

        Args:
            window: Rows in each bin, shape (windows, features, bins), as many in each feature.
        """
        k = window.reshape(len(window), -1)[:, self._bins].astype(np.float64)
        m = np.add.reduce(window[:, 0], axis=-1, dtype=np.float64)[:, None]
        both, total = k + self._seen, m + self._rows
        # as one array, since each call costs more than its few numbers
        h = _h(np.array([k, m - k, total, both, total - both]))
        deviance = np.einsum("t,twb->wb", _SIGNS, h)
        deviance += self._known - 2 * _h(m)
        deviance[both == 0] = 0.0
        largest: Floats = np.maximum.reduceat(deviance, self._begins, axis=1)
        return np.maximum(largest, 0.0, out=largest)


def _h(t: Floats) -> Floats:
    logs: Floats = np.log(np.maximum(t, 1.0))
    logs *= t
    return logs


def _term(seen: Counts | Floats, expected: Floats, total: Floats) -> Floats:
    """What was seen * ln(seen / (expected / total)), 0 where nothing was seen."""
    there = seen > 0
    ratio = np.divide(
        seen * total, expected, out=np.ones_like(expected), where=there & (expected > 0)
    )
    return np.asarray(seen * np.log(ratio), np.float64)
