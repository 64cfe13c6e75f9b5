"""Whether scores are probabilities: the expected calibration error."""

import math
from dataclasses import dataclass

import numpy as np

from fleetloop_hub.validation.bootstrap import draws, ends
from fleetloop_hub.validation.metrics import Answers, Flags, Floats
from fleetloop_hub.version_parts import CalibrationBin
from fleetloop_shared.manifest import NO_CLASS

_BINS = 15
_erfc = np.vectorize(math.erfc, otypes=[np.float64])


@dataclass(frozen=True)
class Calibration:
    """How far scores are from shares.

    Attributes:
        error: The expected calibration error, its bias taken off.
        low: Lower end of its 95 % interval.
        high: Upper end of it.
        bins: What it was computed from, in ascending order of the score.
    """

    error: float
    low: float
    high: float
    bins: list[CalibrationBin]


def calibration(answers: Answers, seed: int) -> Calibration:
    """The error in bins of equal numbers of rows, as Kumar, Liang and Ma (2019) debias it.

    Of a model with a positive class, its probability against how often it was true; of several
    classes, the largest probability against how often that answer was right. A perfect model's
    plain error is above 0 by chance alone; what chance adds, given each bin's share and rows, is
    taken off: about half of it where scores are perfect, nearly all where they are not. The
    interval is of resampled rows, moved to lie around the estimate.

    Args:
        answers: Of a classification.
        seed: Of the resampling.
    """
    scores, right = _claims(answers)
    place = _places(scores)
    member = (place[:, None] == np.arange(place.max() + 1)).astype(np.float64)
    point = float(_debiased(scores, right, member, np.ones((1, len(scores))))[0])
    drawn = np.concatenate(
        [_debiased(scores, right, member, weights) for weights in draws(len(scores), seed)]
    )
    low, high = ends(drawn - drawn.mean() + point, point)
    bins = [
        CalibrationBin(
            rows=int((place == k).sum()),
            score=float(scores[place == k].mean()),
            share=float(right[place == k].mean()),
        )
        for k in range(place.max() + 1)
    ]
    return Calibration(max(0.0, point), max(0.0, low), max(0.0, high), bins)


def _claims(answers: Answers) -> tuple[Floats, Flags]:
    """What each row's score claims the probability of, and whether that was so."""
    positive = answers.signature.positive
    if positive == NO_CLASS:
        return answers.scores, answers.right
    true: Flags = answers.truth == answers.signature.classes[positive]
    return answers.scores, true


def _places(scores: Floats) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The bin of each row; equal scores share one, so that there may be fewer bins."""
    edges = np.unique(np.quantile(scores, np.arange(1, _BINS) / _BINS))
    _, place = np.unique(np.searchsorted(edges, scores, side="left"), return_inverse=True)
    return place.astype(np.int64)


def _debiased(scores: Floats, right: Flags, member: Floats, weights: Floats) -> Floats:
    """The error of each weighting: sum over bins of |score - share|, less what chance adds.

    If a bin's share is normal around what was seen, with its binomial variance, |gap| has the mean
    of a folded normal; what that exceeds the seen |gap| by is the bias.
    """
    rows = weights @ member
    safe = np.maximum(rows, 1.0)
    score = weights @ (member * scores[:, None]) / safe
    share = weights @ (member * right[:, None]) / safe
    gap = np.abs(score - share)
    sd = np.maximum(np.sqrt(share * (1 - share) / safe), 1e-12)
    z = gap / sd
    folded = sd * np.sqrt(2 / np.pi) * np.exp(-(z**2) / 2) + gap * (1 - _erfc(z / np.sqrt(2)))
    weight = rows / weights.sum(axis=1, keepdims=True)
    error: Floats = (weight * (2 * gap - folded)).sum(axis=1)
    return error
