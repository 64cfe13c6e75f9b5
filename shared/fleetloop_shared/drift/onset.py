"""Where rows most plausibly began to differ: the last rows that are least like the reference."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from fleetloop_shared.drift.fisher_z import FisherZ
from fleetloop_shared.drift.moments import correlations
from fleetloop_shared.drift.sums import Block
from fleetloop_shared.profile import ReferenceProfile

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
Sums = TypeVar("Sums", Counts, Floats)


def log_likelihood_ratio(reference: Counts, window: Counts) -> Floats:
    r"""How much likelier a window's rows are under their own bin shares than under another's.

    $$G = \sum_j c_j \ln \frac{c_j / m}{p_j}, \qquad p_j = \frac{r_j + 1/2}{n + b / 2}$$

    with $c_j$ of $m$ window rows and $r_j$ of $n$ reference rows in bin $j$ of $b$. Without drift
    its mean is about $(b - 1) / 2$ whatever the number of rows; with it, it grows by the relative
    entropy of the two a row. So of all ends of a stream that of the drifted rows has the largest:
    a longer one is diluted, a shorter one leaves rows out.

    Args:
        reference: Rows in each bin, shape (..., bins).
        window: The same for the window; leading axes broadcast.

    Examples:
        >>> reference = np.array([[500, 500, 0]])
        >>> log_likelihood_ratio(reference, np.array([[50, 50, 0]])).round(2).tolist()
        [0.05]
        >>> log_likelihood_ratio(reference, np.array([[20, 80, 0]])).round(1).tolist()
        [19.3]

    References:
        S. S. Wilks, "The large-sample distribution of the likelihood ratio for testing composite
        hypotheses", Annals of Mathematical Statistics 9 (1938); D. V. Hinkley, "Inference about the
        change-point in a sequence of random variables", Biometrika 57 (1970).
    """
    rows = window.sum(axis=-1, keepdims=True)
    bins = reference.shape[-1]
    share = (reference + 0.5) / (reference.sum(axis=-1, keepdims=True) + bins / 2)
    ratio = np.divide(window, share * np.maximum(rows, 1))
    logs = np.log(ratio, out=np.zeros_like(ratio), where=ratio > 0)
    total: Floats = (window * logs).sum(axis=-1)
    return total


class Onset:
    """Finds the onset of a change among blocks that follow each other."""

    def __init__(self, reference: ReferenceProfile, expected: Counts) -> None:
        """Take what rows are compared with.

        Args:
            reference: It.
            expected: Its rows in each bin, as `Bins.fill` gives them.
        """
        self._expected = expected
        self._scores = np.array(reference.score_counts)
        self._before = np.array(reference.correlations, np.float64)
        self._rows = reference.rows

    def place(
        self, blocks: Sequence[Block], features: Places, pairs: Places, *, score: bool
    ) -> int:
        """Which block is the first of those that differ.

        Args:
            blocks: In the order of their rows, at least one; the last are those that differ.
            features: In which features.
            pairs: In the correlations of which pairs.
            score: Whether in the score.
        """
        evidence = np.zeros(len(blocks))
        if len(features):
            counts = _to_the_end([b.counts[features] for b in blocks])
            evidence += log_likelihood_ratio(self._expected[features], counts).sum(axis=1)
        if len(pairs):
            products = _to_the_end([b.products for b in blocks])
            rows = products[:, 0, 0]
            live = correlations(rows, products[:, 0, 1:], products[:, 1:, 1:])[:, pairs]
            z = FisherZ(self._before[pairs], self._rows)(live, rows[:, None])
            evidence += (z**2).sum(axis=1) / 2  # the same ratio, of a normal z
        if score:
            scores = _to_the_end([b.score_counts for b in blocks])
            evidence += log_likelihood_ratio(self._scores, scores)
        return int(np.argmax(evidence))


def _to_the_end(parts: Sequence[Sums]) -> Sums:
    """From each part on, the sum of all that follow."""
    sums: Sums = np.cumsum(np.array(parts)[::-1], axis=0)[::-1]
    return sums
