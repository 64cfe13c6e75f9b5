"""Judges windows against the reference and the calibrated thresholds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fleetloop_shared.drift.anderson_darling import AndersonDarling
from fleetloop_shared.drift.bins import Bins
from fleetloop_shared.drift.fisher_z import FisherZ
from fleetloop_shared.drift.jensen_shannon import jensen_shannon
from fleetloop_shared.drift.moments import correlations
from fleetloop_shared.drift.psi import population_stability_index
from fleetloop_shared.drift.rare_bins import RareBins
from fleetloop_shared.drift.rolled import Profiles
from fleetloop_shared.drift.sums import Block
from fleetloop_shared.drift.triangular import Triangular
from fleetloop_shared.profile import (
    SCORE_BINS,
    UNLISTED_EDGE,
    LiveProfile,
    ReferenceProfile,
    ScaleThresholds,
)
from fleetloop_shared.reports import CorrelationDrift, FeatureDrift

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

SHOWN_PAIRS = 5
"""How many pairs of features a verdict names at most."""


@dataclass(frozen=True)
class Verdict:
    """What the statistics say about one window.

    Attributes:
        rows: Rows in the window.
        alarm: Whether any statistic has reached its threshold.
        ratio: The largest statistic / threshold.
        features: Every feature, largest ratio first.
        correlations: The pairs at or over their threshold, largest first, five at most.
        score_ratio: Triangular discrimination of the scores / threshold.
    """

    rows: int
    alarm: bool
    ratio: float
    features: list[FeatureDrift]
    correlations: list[CorrelationDrift]
    score_ratio: float


@dataclass(frozen=True)
class Statistics:
    """What decides, of several windows at once.

    Attributes:
        anderson_darling: Shape (windows, features); 0 for a category, which has no order.
        triangular: Shape (windows, features).
        rare: Deviance of rare bins, shape (windows, features).
        z: |Fisher z|, shape (windows, pairs).
        live: The correlations themselves, shape (windows, pairs).
        score: Triangular discrimination of the scores, shape (windows,).
    """

    anderson_darling: Floats
    triangular: Floats
    rare: Floats
    z: Floats
    live: Floats
    score: Floats


@dataclass(frozen=True)
class Ratios:
    """The same in units of their thresholds; an alarm from 1.

    Attributes:
        features: The largest of a feature's statistics, shape (windows, features).
        pairs: Shape (windows, pairs).
        score: Shape (windows,).
        largest: Of all, shape (windows,).
    """

    features: Floats
    pairs: Floats
    score: Floats
    largest: Floats


class Limits:
    """The thresholds of several windows, side by side."""

    def __init__(self, scales: Sequence[ScaleThresholds]) -> None:
        """Take the thresholds of the windows, in their order."""
        self._anderson_darling = np.array([s.anderson_darling for s in scales], np.float64)
        self._triangular = np.array([s.triangular for s in scales], np.float64)
        self._rare = np.array([s.rare for s in scales], np.float64)
        self._correlation = np.array([[s.correlation] for s in scales])
        self._score = np.array([s.score for s in scales])

    def of(self, places: list[int]) -> "Limits":
        """Those of windows of several of these scales, by their places."""
        chosen = Limits([])
        chosen._anderson_darling = self._anderson_darling[places]  # its own kind
        chosen._triangular = self._triangular[places]
        chosen._rare = self._rare[places]
        chosen._correlation = self._correlation[places]
        chosen._score = self._score[places]
        return chosen

    def ratios(self, found: Statistics) -> Ratios:
        """The statistics of as many windows, in units of their thresholds."""
        features = found.anderson_darling / self._anderson_darling
        np.maximum(features, found.triangular / self._triangular, out=features)
        np.maximum(features, found.rare / self._rare, out=features)
        pairs = found.z / self._correlation
        score = found.score / self._score
        largest = features.max(axis=1, initial=0.0)
        np.maximum(largest, pairs.max(axis=1, initial=0.0), out=largest)
        np.maximum(largest, score, out=largest)
        return Ratios(features, pairs, score, largest)


class Judge:
    """Compares windows with one reference."""

    def __init__(self, reference: ReferenceProfile) -> None:
        """Take what rows are compared with."""
        features = reference.features
        bins = Bins([f.edges for f in features])
        self.reference = reference
        self.expected = bins.fill([f.counts for f in features], [f.missing for f in features])
        self._ordered = np.array([not f.category for f in features])
        self._lists = np.array([f.category and f.edges[:1] == [UNLISTED_EDGE] for f in features])
        self._anderson_darling = AndersonDarling(self.expected)
        scores = np.array(reference.score_counts)
        self._triangular = Triangular(_with_scores(self.expected[None], scores[None])[0])
        self._rare = RareBins(self.expected)
        self._before = np.array(reference.correlations, np.float64)
        self._fisher_z = FisherZ(self._before, reference.rows)

    def statistics(self, blocks: Sequence[Block]) -> Statistics:
        """What decides about windows, each the sum of its blocks."""
        counts = np.array([b.counts for b in blocks])
        products = np.array([b.products for b in blocks])
        rows = products[:, 0, 0]
        live = correlations(rows, products[:, 0, 1:], np.ascontiguousarray(products[:, 1:, 1:]))
        z = self._fisher_z(live, rows[:, None])
        scores = np.array([b.score_counts for b in blocks])
        shares = self._triangular(_with_scores(counts, scores))
        return Statistics(
            anderson_darling=self._anderson_darling(counts) * self._ordered,
            triangular=shares[:, :-1],
            rare=self._rare(counts),
            z=np.abs(z, out=z),
            live=live,
            score=shares[:, -1],
        )

    def verdict(self, thresholds: ScaleThresholds, block: Block) -> Verdict:
        """The verdict on a window of about `thresholds.rows` rows."""
        found = self.statistics([block])
        return self.told(found, Limits([thresholds]).ratios(found), 0, block)

    def told(self, found: Statistics, ratios: Ratios, place: int, block: Block) -> Verdict:
        """The verdict on one of several windows.

        Args:
            found: The statistics of all of them.
            ratios: The same in units of their thresholds.
            place: Which one.
            block: Its rows.
        """
        largest = float(ratios.largest[place])
        decides = ratios.features, found.anderson_darling, found.triangular, found.rare
        return Verdict(
            rows=block.rows,
            alarm=largest >= 1.0,
            ratio=largest,
            features=self._features([statistic[place] for statistic in decides], block),
            correlations=self._pairs(found.live[place], ratios.pairs[place]),
            score_ratio=float(ratios.score[place]),
        )

    def _features(self, judged: list[Floats], block: Block) -> list[FeatureDrift]:
        missing = block.counts[:, -1]
        columns = np.array(
            [
                *judged,
                population_stability_index(self.expected, block.counts),
                jensen_shannon(self.expected, block.counts),
                block.sums / np.maximum(block.rows - missing, 1),
                missing / max(block.rows, 1),
                block.counts[:, 0] * self._lists / max(block.rows, 1),
            ]
        ).T.tolist()
        features = self.reference.features
        return [
            FeatureDrift(
                name=features[k].name,
                ratio=ratio,
                anderson_darling=order,
                triangular=share,
                rare=rare,
                psi=psi,
                js=js,
                shift=shift_sd * features[k].sd,
                shift_sd=shift_sd,
                missing_ratio=missing_ratio,
                unlisted_ratio=unlisted_ratio,
            )
            for k in np.argsort(-judged[0], kind="stable").tolist()
            for ratio, order, share, rare, psi, js, shift_sd, missing_ratio, unlisted_ratio in [
                columns[k]
            ]
        ]

    def _pairs(self, live: Floats, ratios: Floats) -> list[CorrelationDrift]:
        if ratios.max(initial=0.0) < 1.0:
            return []
        features = self.reference.features
        first, second = np.triu_indices(len(features), 1)
        loud = [k for k in np.argsort(-ratios, kind="stable")[:SHOWN_PAIRS] if ratios[k] >= 1.0]
        return [
            CorrelationDrift(
                a=features[first[k]].name,
                b=features[second[k]].name,
                reference=float(self._before[k]),
                live=float(live[k]),
                ratio=float(ratios[k]),
            )
            for k in loud
        ]


def _with_scores(counts: Counts, scores: Counts) -> Counts:
    """Scores as one more feature, so that one call serves both; empty bins fill up the shorter."""
    windows, features, bins = counts.shape
    filled = np.zeros((windows, features + 1, max(bins, SCORE_BINS)), np.int64)
    filled[:, :-1, :bins] = counts
    filled[:, -1, :SCORE_BINS] = scores
    return filled


def judge(
    reference: ReferenceProfile, thresholds: ScaleThresholds, profile: LiveProfile
) -> Verdict:
    """The verdict on a profile, about as the device that took it has judged its rows.

    The thresholds keep their false-alarm budget for windows of `thresholds.rows`; with other rows
    the statistics are still right, the alarm is not calibrated.
    """
    return Judge(reference).verdict(thresholds, Profiles(reference).unrolled(profile))
