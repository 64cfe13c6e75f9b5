"""The bins in which devices count scores and differences of champion and challenger."""

import math

import numpy as np
import numpy.typing as npt

from fleetloop_shared.shadow_report import DIFFERENCE_BINS, SCORE_BINS

_SMALLEST = 18


def difference_bins(apart: npt.NDArray[np.float64], span: float) -> npt.NDArray[np.int64]:
    """The bin of each difference: k holds span · 2^(k-19) up to, not including, span · 2^(k-18).

    The first bin holds what is smaller as well, the last what is larger.

    Args:
        apart: Distances, 0 or more.
        span: The range of the champion's scores.

    Examples:
        >>> difference_bins(np.array([0.0, 1e-9, 0.4, 0.5, 1.0, 7.0]), 1.0).tolist()
        [0, 0, 17, 18, 19, 19]
    """
    ratios = np.maximum(apart / (span or 1.0), math.ldexp(1.0, -_SMALLEST - 1))
    exponents = np.frexp(ratios)[1] - 1  # so that ratio is in [2^e, 2^(e+1))
    found: npt.NDArray[np.int64] = np.clip(exponents + _SMALLEST + 1, 0, DIFFERENCE_BINS - 1)
    return found.astype(np.int64)


def score_bins(scores: npt.NDArray[np.float64], low: float, high: float) -> npt.NDArray[np.int64]:
    """How many scores fall into each of `SCORE_BINS`; one beyond an end falls into the last there.

    Examples:
        >>> score_bins(np.array([-1.0, 0.0, 0.5, 1.0]), 0.0, 1.0).nonzero()[0].tolist()
        [0, 16, 31]
    """
    places = (scores - low) * (SCORE_BINS / ((high - low) or 1.0))
    return np.bincount(np.clip(places, 0, SCORE_BINS - 1).astype(np.int64), minlength=SCORE_BINS)
