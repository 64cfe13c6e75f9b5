"""What a device tells of a challenger beside its champion: counts that add up, and no row."""

import math

import msgspec
import numpy as np
import numpy.typing as npt

from fleetloop_shared.reports import Report

SCORE_BINS = 32
"""Of a score histogram, equally wide from the champion's `score_low` to its `score_high`."""

DIFFERENCE_BINS = 20
"""Of how far two numbers are apart, each twice as wide as the one before; see `difference_bins`."""

_SMALLEST = 18


class Labelled(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that both have answered and whose label came: who was right.

    Attributes:
        both: Both were.
        only_champion: The champion was, the challenger not.
        only_challenger: The other way round.
        neither: None of them was.
    """

    both: int = 0
    only_champion: int = 0
    only_challenger: int = 0
    neither: int = 0


class ShadowCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How a challenger and the champion have answered the same rows; sums of it are such as well.

    Attributes:
        model: The model.
        champion: The version that answered.
        challenger: The version that was compared with it.
        artifact: SHA-256 of the challenger's bytes.
        rows: Rows that both have scored.
        agreed: Those of them with the same answer; of a regression, answers near enough.
        answers: A row a class of the champion, a column a class of the challenger, in the order of
            their signatures: how often they said so; empty for a regression.
        differences: How far apart the answers of a regression were, by `difference_bins`; empty
            for classes.
        champion_scores: Histogram of the champion's scores, `SCORE_BINS` of them.
        challenger_scores: The same of the challenger's, in the same bins.
        labelled: Rows whose label came, by who was right.
        latency_counts: The challenger's runs, as `latency` counts them; a run is many rows.
        skipped: Rows that were to be scored and were not, by why: "full", "failed", "changed".
        answered: Rows that the challenger has answered in place of the champion.
        answered_labels: Labels that came for those, counted by the version that answered.
        answered_right: Answers among those that were right; 0 for a regression.
        fell_back: Rows that it was to answer, and the champion did as it failed.
    """

    model: str
    champion: int
    challenger: int
    artifact: str
    rows: int
    agreed: int
    answers: list[list[int]]
    differences: list[int]
    champion_scores: list[int]
    challenger_scores: list[int]
    labelled: Labelled
    latency_counts: list[int]
    skipped: dict[str, int]
    answered: int = 0
    answered_labels: int = 0
    answered_right: int = 0
    fell_back: int = 0


class ShadowReport(Report, frozen=True, kw_only=True):
    """What has been counted since the last such report, or since the challenger was loaded.

    Attributes:
        counts: The counts.
    """

    counts: ShadowCounts


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
