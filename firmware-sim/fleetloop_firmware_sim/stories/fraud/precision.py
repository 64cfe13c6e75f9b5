"""Average precision of scores, with bootstrap intervals: what counts where fraud is rare."""

import numpy as np
import numpy.typing as npt

from fleetloop_firmware_sim.stories.fraud.places import Floats

Truth = npt.NDArray[np.bool_]

_DRAWS = 400


def average_precision(truth: Truth, scores: Floats) -> float:
    """Precision averaged over the frauds, from the highest score down; NaN without any fraud.

    The sum over thresholds of precision times the gain in recall; equal scores are one threshold.

    >>> average_precision(np.array([True, False, True]), np.array([0.9, 0.8, 0.7]))
    0.8333333333333333
    """
    if not truth.any():
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.diff(scores[order]) != 0.0, True)  # the last of all rows
    found, said = np.cumsum(truth[order])[last], np.arange(1, len(scores) + 1)[last]
    gained = np.diff(found, prepend=0)
    return float((gained * found / said).sum() / found[-1])


def interval(truth: Truth, scores: Floats, seed: int) -> tuple[float, float]:
    """A 95 % interval of the average precision, by drawing rows with replacement."""
    return _ends([average_precision(truth[rows], scores[rows]) for rows in _draws(truth, seed)])


def gain(truth: Truth, before: Floats, after: Floats, seed: int) -> tuple[float, float]:
    """A 95 % interval of the difference that other scores make on the same rows."""
    return _ends(
        [
            average_precision(truth[rows], after[rows])
            - average_precision(truth[rows], before[rows])
            for rows in _draws(truth, seed)
        ]
    )


def _draws(truth: Truth, seed: int) -> list[npt.NDArray[np.int64]]:
    chance = np.random.default_rng(seed)
    draws = _DRAWS if len(truth) else 0
    return [chance.integers(0, len(truth), len(truth)) for _ in range(draws)]


def _ends(drawn: list[float]) -> tuple[float, float]:
    known = [value for value in drawn if value == value]  # noqa: PLR0124  # NaN is not itself
    if not known:
        return float("nan"), float("nan")
    low, high = np.quantile(known, [0.025, 0.975])
    return float(low), float(high)
