"""How probable it is that a row is sent for a reason, and the number drawn to decide it."""

import numpy as np
import numpy.typing as npt

from fleetloop_shared.sampling import Reason

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.uint64]

_STEP = 0.2
_OPENS_AT = {
    Reason.DRIFT: 0.0,
    Reason.DISAGREEMENT: 0.1,
    Reason.OUT_OF_RANGE: 0.2,
    Reason.LOW_CONFIDENCE: 0.3,
    Reason.RANDOM: 0.4,
}
_ALWAYS_RANDOM = 0.05


def opening(reason: Reason, fill: float) -> float:
    """How far a budget lets a reason go: 1 where it is full, a lesser reason less as it empties.

    Random rows go on at a twentieth to the last, so that no kind of row is ever left out.

    >>> [round(opening(reason, 0.35), 2) for reason in Reason]
    [1.0, 1.0, 0.75, 0.25, 0.05]
    """
    share = min(1.0, max(0.0, (fill - _OPENS_AT[reason]) / _STEP))
    if reason is Reason.RANDOM:
        return max(share, min(_ALWAYS_RANDOM, fill))
    return share


def drawn(numbers: Numbers, seed: int) -> Floats:
    """A number of [0, 1) for each answer, the same whenever it is asked for (SplitMix64).

    >>> drawn(np.array([1, 2], np.uint64), 7).round(3).tolist()
    [0.772, 0.246]
    """
    with np.errstate(over="ignore"):
        x = (numbers + np.uint64(seed)) * np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((x ^ (x >> np.uint64(31))) >> np.uint64(11)) / float(1 << 53)
