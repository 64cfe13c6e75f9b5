"""Counts rows into blocks: what a device counts at once, and adds up to windows."""

import numpy as np
import numpy.typing as npt

from fleetloop_shared.drift.bins import Bins, count_scores_of_parts
from fleetloop_shared.drift.moments import Moments
from fleetloop_shared.drift.rolled import Profiles
from fleetloop_shared.drift.sums import Block
from fleetloop_shared.manifest import Signature
from fleetloop_shared.profile import SCORE_BINS, LiveProfile, ReferenceProfile

Rows = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

_LARGEST = np.finfo(np.float32).max


class Blocks:
    """Counts rows on the bins and scales of one reference."""

    def __init__(self, reference: ReferenceProfile, signature: Signature) -> None:
        """Take bins, means and ranges.

        Args:
            reference: What rows are compared with.
            signature: Ranges and categories of the features, and the range of scores.
        """
        self._bins = Bins([f.edges for f in reference.features])
        self._moments = Moments(reference.features)
        self._profiles = Profiles(reference)
        self._score_range = signature.score_low, signature.score_high
        features = signature.features
        low = [0.0 if f.categories else f.low for f in features]
        high = [f.high for f in features]
        with np.errstate(over="ignore"):  # as values are: 0.7 is not below 0.7
            self._low = np.array([[-np.inf if x is None else x] for x in low]).astype(np.float32)
            self._high = np.array([[np.inf if x is None else x] for x in high]).astype(np.float32)
        self._usual_low = np.maximum(self._low[:, 0], -_LARGEST)
        self._usual_high = np.minimum(self._high[:, 0], _LARGEST)
        self._none = np.zeros(len(features), np.int64)

    def count(self, rows: Rows, scores: Floats) -> Block:
        """The sums over rows.

        Args:
            rows: Values, shape (rows, features), NaN where missing.
            scores: What the model said about each.
        """
        return self.count_parts(rows, scores, 1)[0]

    def count_parts(self, rows: Rows, scores: Floats, parts: int) -> list[Block]:
        """The blocks of several equal parts of rows, which is faster than one by one.

        Args:
            rows: Values, shape (parts * rows, features), NaN where missing.
            scores: What the model said about each.
            parts: How many.
        """
        columns = np.ascontiguousarray(rows.T)
        width = len(columns)
        by_part = columns.reshape(width, parts, -1)
        counts = self._bins.count_parts(columns, parts)
        low, high = np.fmin.reduce(by_part, axis=2).T, np.fmax.reduce(by_part, axis=2).T
        usual = low >= self._usual_low
        usual &= high <= self._usual_high
        outside = self._none
        if not usual.all():
            out = (columns < self._low) | (columns > self._high)
            outside = out.reshape(by_part.shape).sum(axis=2, dtype=np.int64).T
            low, high = _finite_range(by_part, low, high)
        missing = bool(counts[..., -1].any())
        sums, products = self._moments.of(columns, parts, missing=missing)
        each = len(scores) // parts
        score_counts = count_scores_of_parts(scores, parts, *self._score_range)
        return [
            Block(
                rows=each,
                counts=counts[k],
                low=low[k],
                high=high[k],
                sums=sums[k],
                products=products[k],
                score_counts=score_counts[k],
                out_of_range=outside[k] if outside.ndim > 1 else outside,
            )
            for k in range(parts)
        ]

    def nothing(self) -> Block:
        """A block without rows."""
        width = len(self._none)
        return Block(
            rows=0,
            counts=self._bins.fill([[]] * width, [0] * width),
            low=np.full(width, np.inf, np.float32),
            high=np.full(width, -np.inf, np.float32),
            sums=np.zeros(width),
            products=np.zeros((width + 1, width + 1)),
            score_counts=np.zeros(SCORE_BINS, np.int64),
            out_of_range=self._none,
        )

    def profile(self, block: Block) -> LiveProfile:
        """A block, or the sum of many, as it travels; see `Profiles.rolled`."""
        return self._profiles.rolled(block)


def _finite_range(by_part: Rows, low: Rows, high: Rows) -> tuple[Rows, Rows]:
    """The range of finite values, from that of all values; empty where there are none."""
    for part, feature in np.argwhere(~(np.isfinite(low) & np.isfinite(high))):
        values = by_part[feature, part]
        finite = values[np.isfinite(values)]
        low[part, feature] = finite.min(initial=np.inf)
        high[part, feature] = finite.max(initial=-np.inf)
    return low, high
