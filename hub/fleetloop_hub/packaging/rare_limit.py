"""How large the deviance of a rare bin gets by chance, when its true share is not known."""

import functools
import math

import numpy as np
import numpy.typing as npt

from fleetloop_shared.drift.rare_bins import rare_bins

Floats = npt.NDArray[np.float64]

_EXPECTED = np.geomspace(1e-4, 40.0, 48)
"""Rows of the bin in the reference, if its true share were known; each order of magnitude alike."""

_MOST = 100


@functools.lru_cache(maxsize=512)
def rare_limit(reference_rows: int, window_rows: int, share: float) -> float:
    """The smallest limit that a share of windows reaches at most.

    A bin holds x of the reference's rows and k of the window's, both Poisson variables of one rate,
    which nobody knows: it may be one row in ten thousand references, or forty in one, and each
    order of magnitude is as likely as any other. The chance of all (x, k) whose deviance is at
    least the limit is what is kept, so that a value which the reference happens not to hold may
    still turn up.

    Args:
        reference_rows: n.
        window_rows: m.
        share: Above 0 and below 1.

    Examples:
        >>> three, four = (rare_bins(np.array([10_000, 0]), np.array([256 - k, k])) for k in (3, 4))
        >>> bool(rare_limit(10_000, 256, 1e-6) < three < rare_limit(10_000, 256, 1e-7) < four)
        True
    """
    deviances, chances = _outcomes(reference_rows, window_rows)
    order = np.argsort(-deviances)
    beyond = np.cumsum(chances.mean(axis=0)[order])
    allowed = int(np.searchsorted(beyond, share, side="right"))
    if not allowed:
        return 2 * math.log(1 / share)
    # Half-way to the next outcome, so that rounding a threshold changes nothing.
    at, below = deviances[order[[allowed - 1, min(allowed, len(order) - 1)]]].tolist()
    limit: float = (at + below) / 2
    return min(limit, 2 * math.log(1 / share))


@functools.lru_cache(maxsize=16)
def _outcomes(reference_rows: int, window_rows: int) -> tuple[Floats, Floats]:
    """Deviance of each (x, k), shape (outcomes,), and its chance, shape (rates, outcomes)."""
    x = np.arange(min(_MOST, reference_rows) + 1)
    k = np.arange(min(_MOST, window_rows) + 1)
    pairs = np.stack([a.ravel() for a in np.meshgrid(x, k, indexing="ij")])
    before = np.stack([reference_rows - pairs[0], pairs[0]], axis=1)
    after = np.stack([window_rows - pairs[1], pairs[1]], axis=1)
    chances = (
        _poisson(_EXPECTED, x)[:, :, None]
        * _poisson(_EXPECTED * window_rows / reference_rows, k)[:, None, :]
    )
    return rare_bins(before, after), chances.reshape(len(_EXPECTED), -1)


def _poisson(mean: Floats, counts: npt.NDArray[np.int64]) -> Floats:
    logs = np.array([math.lgamma(c + 1) for c in counts.tolist()])
    chances: Floats = np.exp(counts * np.log(mean)[:, None] - mean[:, None] - logs)
    return chances
