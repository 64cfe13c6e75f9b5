"""Where rows most plausibly began to differ: as far back as they look like the alarming window."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fleetloop_shared.drift.fisher_z import FisherZ
from fleetloop_shared.drift.moments import correlations
from fleetloop_shared.drift.sums import Block
from fleetloop_shared.profile import ReferenceProfile

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

_CALM = 10.0
"""Nats by which rows must be likelier as the reference's to be calm for certain: 22,000 to 1."""


def log_likelihood_ratio(reference: Counts, window: Counts, parts: Counts) -> Floats:
    r"""How much likelier rows are half as a window's than wholly as the reference's.

    $$L = \sum_j c_j \ln \frac{q_j + p_j}{2 p_j}, \qquad p_j = \frac{r_j + 1/2}{n + b / 2}, \qquad
    q_j = \frac{w_j + p_j b / 2}{m + b / 2}$$

    with $c_j$ of a part's rows, $w_j$ of $m$ window rows and $r_j$ of $n$ reference rows in bin
    $j$ of $b$. It is positive for rows like the window's and negative for rows like the
    reference's. Half, because the window that is an alarm first looks by chance a little farther
    away than its rows are, and the first rows of a slow change are not as far yet.

    Args:
        reference: Rows in each bin, shape (..., bins).
        window: The same for the window.
        parts: The same for parts of the stream, shape (parts, ..., bins).

    Returns:
        Shape (parts, ...).

    Examples:
        >>> reference, window = np.array([500, 500, 0]), np.array([20, 80, 0])
        >>> calm, changed = np.array([50, 50, 0]), np.array([20, 80, 0])
        >>> log_likelihood_ratio(reference, window, np.array([calm, changed])).round(1).tolist()
        [-4.5, 13.7]

    References:
        E. S. Page, "Continuous inspection schemes", Biometrika 41 (1954); D. V. Hinkley,
        "Inference about the change-point from cumulative sum tests", Biometrika 58 (1971).
    """
    bins = reference.shape[-1]
    before = (reference + 0.5) / (reference.sum(axis=-1, keepdims=True) + bins / 2)
    after = (window + before * bins / 2) / (window.sum(axis=-1, keepdims=True) + bins / 2)
    total: Floats = (parts * np.log((after + before) / (2 * before))).sum(axis=-1)
    return total


@dataclass(frozen=True)
class Loud:
    """In what a window is an alarm.

    Attributes:
        features: The places of features.
        pairs: The places of pairs of them, whose correlation has changed.
        score: Whether the score is one.
    """

    features: Places
    pairs: Places
    score: bool


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

    def place(self, blocks: Sequence[Block], begun: int, window: Block, loud: Loud) -> int:
        """Which block is the first of those that differ.

        From the last on, as far back as their log-likelihood ratio adds up to its largest sum. No
        further than over calm blocks, though: before the window, where it falls by `_CALM` below
        what it was, the change must have begun after them, whatever came before.

        Args:
            blocks: In the order of their rows, at least one; the last are those that differ.
            begun: The first block of the window.
            window: The rows that are an alarm, as sums.
            loud: In what.
        """
        sums = np.cumsum(self._evidence(blocks, window, loud)[::-1])
        fallen = np.maximum.accumulate(sums) - sums > _CALM
        fallen[: len(blocks) - begun] = False
        reached = int(fallen.argmax()) if fallen.any() else len(sums)
        return len(blocks) - 1 - int(sums[:reached].argmax())

    def _evidence(self, blocks: Sequence[Block], window: Block, loud: Loud) -> Floats:
        """How much likelier each block is as rows of the window than as rows of the reference."""
        evidence = np.zeros(len(blocks))
        if len(loud.features):
            evidence += log_likelihood_ratio(
                self._expected[loud.features],
                window.counts[loud.features],
                np.array([b.counts[loud.features] for b in blocks]),
            ).sum(axis=1)
        if len(loud.pairs):
            evidence += self._of_pairs([*blocks, window], loud.pairs)
        if loud.score:
            scores = np.array([b.score_counts for b in blocks])
            evidence += log_likelihood_ratio(self._scores, window.score_counts, scores)
        return evidence

    def _of_pairs(self, blocks: Sequence[Block], pairs: Places) -> Floats:
        """The same of normal Fisher z, half as far; of all blocks but the last, the window."""
        products = np.array([b.products for b in blocks])
        rows = products[:, 0, 0]
        live = correlations(rows, products[:, 0, 1:], products[:, 1:, 1:])[:, pairs]
        z = FisherZ(self._before[pairs], self._rows)(live, rows[:, None])
        sd = np.sqrt(1 / np.maximum(rows - 3, 1) + 1 / max(self._rows - 3, 1))[:, None]
        apart, after = (z * sd)[:-1], (z * sd)[-1] / 2
        total: Floats = (after * (apart - after / 2) / sd[:-1] ** 2).sum(axis=1)
        return total
