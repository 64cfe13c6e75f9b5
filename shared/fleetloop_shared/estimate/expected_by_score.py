"""Accuracy without labels from the score histogram alone: what each score is worth, averaged."""

import math

import numpy as np
import numpy.typing as npt

from fleetloop_shared.estimate.effective_rows import effective_rows
from fleetloop_shared.estimate.records import MAE, AccuracyReference, Estimate

Floats = npt.NDArray[np.float64]

FEWEST_ROWS = 50
"""Rows in a window, and labelled rows behind it, below which nothing is estimated."""

LARGEST_UNSEEN = 0.05
"""Share of rows with scores that no labelled row has, above which nothing is estimated."""

_Z = 1.96


def expected_by_score(reference: AccuracyReference, score_counts: list[int]) -> Estimate:
    r"""Mean over a window's score histogram of what a row of each bin is worth.

    $$\hat a = \sum_k q_k e_k, \qquad
    s^2 = \sum_k q_k^2 \frac{\sigma_k^2}{n_k} + \frac1m \sum_k q_k \sigma_k^2$$

    with the window's shares $q_k$ of $m$ rows, and per bin the expected worth $e_k$ of a row, its
    standard deviation $\sigma_k$ and the $n_k$ labelled rows behind it; 95 % of the time the true
    value of these very rows is within $\hat a \pm 1.96\,s$, as long as a score still means what it
    meant at training. A bin without labelled rows is given the value between its neighbours'.

    For a classification this is confidence-based performance estimation (CBPE) with bins instead
    of single scores: one product of 32 numbers, so it costs a device nothing. For a regression it
    is direct loss estimation with the prediction as its only input, which is weak: `raking` at the
    hub uses all features. It is over-optimistic where inputs spread and the model is calibrated
    only on average, and blind to a change of what inputs mean.

    Args:
        reference: What scores were worth on labelled rows.
        score_counts: The window's score histogram.

    Returns:
        The estimate, or the reason why there is none: fewer than 50 rows; more than one in twenty
        with scores that no labelled row has; fewer than 50 labelled rows left to compare with once
        they are weighted as the window asks; predictions of a regression crowding at the ends of
        the known range.

    Examples:
        >>> reference = AccuracyReference(
        ...     metric="accuracy", value=0.75, low=0.7, high=0.8, rows=800, counts=[400, 400],
        ...     expected=[0.9, 0.6], spread=[0.3, 0.49], loss_bound=0.4, loss_cap=1.0,
        ...     bound_from="gate")
        >>> found = expected_by_score(reference, [100, 300])
        >>> round(found.value, 3), round(found.low, 3), round(found.high, 3)
        (0.675, 0.618, 0.732)
        >>> expected_by_score(reference, [4, 3]).refused
        '7 rows are too few: 50 are needed'

    References:
        NannyML, "Confidence-based performance estimation" and "Direct loss estimation" (2022); for
        the assumption, S. Garg et al., "Leveraging unlabeled data to predict out-of-distribution
        performance", ICLR (2022).
    """
    seen = np.array(score_counts, np.float64)
    refused = _refusal(reference, seen)
    if refused:
        return Estimate(metric=reference.metric, rows=int(seen.sum()), refused=refused)
    known = np.array(reference.counts, np.float64)
    share, places = seen / seen.sum(), np.arange(len(seen))
    held = np.flatnonzero(known)
    worth = np.interp(places, held, np.array(reference.expected)[held])
    variance = np.interp(places, held, np.array(reference.spread)[held] ** 2)
    behind = np.maximum(np.interp(places, held, known[held]), 1.0)
    value = float(share @ worth)
    half = _Z * math.sqrt(float(share**2 @ (variance / behind) + share @ variance / seen.sum()))
    most = math.inf if reference.metric == MAE else 1.0
    return Estimate(
        metric=reference.metric,
        rows=int(seen.sum()),
        value=value,
        low=max(0.0, value - half),
        high=min(most, value + half),
    )


def _refusal(reference: AccuracyReference, seen: Floats) -> str:
    """Why the histogram cannot be told from; "" if it can."""
    rows, known = seen.sum(), np.array(reference.counts, np.float64)
    if rows < FEWEST_ROWS:
        return f"{rows:.0f} rows are too few: {FEWEST_ROWS} are needed"
    unseen = float(seen[known == 0].sum() / rows)
    if unseen > LARGEST_UNSEEN:
        return f"{unseen:.0%} of the rows have scores that no labelled row has"
    if reference.metric == MAE:
        crowded = (seen / rows - known / known.sum())[[0, -1]].clip(0.0).sum()
        if crowded > LARGEST_UNSEEN:
            return f"{crowded:.0%} more predictions than usual are at the ends of the known range"
    left = effective_rows(known, seen)
    if left < FEWEST_ROWS:
        return (
            f"scores have moved so far that of {reference.rows:,} labelled rows {left:.0f} are left"
            f" to compare with: {FEWEST_ROWS} are needed"
        )
    return ""
