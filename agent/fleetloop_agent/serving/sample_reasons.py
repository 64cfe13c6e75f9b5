"""Finds rows that are worth more than others: unsure, out of range, or of a changed world."""

import numpy as np
import numpy.typing as npt

from fleetloop_agent.ports import Rows
from fleetloop_shared.drift.verdict import Verdict
from fleetloop_shared.manifest import NO_CLASS, REGRESSION, Manifest

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

_CLEAR_SD = 0.1
"""A mean that has moved less than this says nothing about the side on which rows are new."""

_CLEAR_SHARE = 0.005


class LeastSure:
    """The rows that a model is least sure of: a band of its scores.

    With a positive class it lies about the decision threshold, without one at the lowest scores. It
    holds the given share of the training rows, as far as their score histogram tells.
    """

    def __init__(self, manifest: Manifest, share: float) -> None:
        """Find the band; a regression has none, its numbers are neither sure nor unsure."""
        signature, counts = manifest.signature, manifest.reference.score_counts
        self.low, self.high = np.inf, -np.inf
        if not share or signature.task == REGRESSION or not sum(counts):
            return
        edges = np.linspace(signature.score_low, signature.score_high, len(counts) + 1)
        below = np.concatenate([[0.0], np.cumsum(counts)]) / sum(counts)
        middle = 0.0
        if signature.positive != NO_CLASS:
            middle = float(np.interp(signature.decision_threshold, edges, below))
        first = min(max(0.0, middle - share / 2), 1.0 - share)
        self.low = -np.inf if first <= 0 else float(np.interp(first, below, edges))
        last = first + share
        self.high = np.inf if last >= 1 else float(np.interp(last, below, edges))

    def of(self, scores: Floats) -> Flags:
        """Which rows these are."""
        return (scores >= self.low) & (scores <= self.high)


class OutOfRange:
    """The rows that have a value outside its feature's range or categories."""

    def __init__(self, manifest: Manifest) -> None:
        """Take the ranges that a manifest states, as float32."""
        features = manifest.signature.features
        lows = [0.0 if f.categories else f.low for f in features]
        highs = [f.high for f in features]
        with np.errstate(over="ignore"):
            self._low = np.array([-np.inf if x is None else x for x in lows], np.float32)
            self._high = np.array([np.inf if x is None else x for x in highs], np.float32)

    def of(self, rows: Rows) -> Flags:
        """Which rows these are; a missing value is within any range."""
        outside: Flags = np.any((rows < self._low) | (rows > self._high), axis=1)
        return outside


class Drifted:
    """The rows that show an alarm: on the side to which the loudest feature has moved.

    Where a value is missing or not listed more often than before, those rows show it; where the
    mean stands still, or a correlation or the score has moved, any row does.
    """

    def __init__(self, verdict: Verdict, manifest: Manifest) -> None:
        """Take what has moved furthest from a verdict with an alarm."""
        self._place: int | None = None
        self._missing = self._unlisted = False
        self._middle, self._above = 0.0, True
        moved = verdict.features[0] if verdict.features else None
        if moved is None or moved.ratio < 1 or moved.ratio < verdict.score_ratio:
            return
        names = [f.name for f in manifest.signature.features]
        place = names.index(moved.name)
        reference = manifest.reference.features[place]
        usual = reference.missing / max(1, manifest.reference.rows)
        self._missing = moved.missing_ratio > usual + _CLEAR_SHARE
        self._unlisted = moved.unlisted_ratio >= _CLEAR_SHARE
        gone = self._missing or self._unlisted
        moves = not gone and abs(moved.shift_sd) >= _CLEAR_SD and not reference.category
        if not (gone or moves):
            return
        self._place = place
        self._middle = reference.mean if moves else np.inf
        self._above = moved.shift > 0 or not moves

    def of(self, rows: Rows) -> Flags:
        """Which rows these are."""
        if self._place is None:
            return np.ones(len(rows), bool)
        values = rows[:, self._place]
        shows = values > self._middle if self._above else values < self._middle
        if self._missing:
            shows |= np.isnan(values)
        if self._unlisted:
            shows |= values < 0
        return shows
