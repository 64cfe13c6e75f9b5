"""A block of rows as sums: what a device counts at once, and adds up to windows."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fleetloop_shared.drift.bins import Bins, count_scores
from fleetloop_shared.drift.moments import scales, standardise
from fleetloop_shared.manifest import Signature
from fleetloop_shared.profile import LiveProfile, ReferenceProfile

Rows = npt.NDArray[np.float32]
Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_PRODUCT_ROWS = 256
"""Rows multiplied at once: with more of them BLAS starts threads, and gains nothing by it."""


@dataclass(frozen=True)
class Block:
    """Sums over rows; the sum of two of them is that of all their rows.

    Attributes:
        rows: How many rows.
        counts: Rows in each bin, shape (features, bins + 1), as `Bins.count` gives them.
        low: Smallest finite value a feature, infinity if there was none.
        high: Largest finite value a feature, minus infinity if there was none.
        sums: Sum of u a feature, see `LiveProfile`.
        products: Sums of u_i * u_j, shape (features, features).
        score_counts: Scores in `SCORE_BINS` equal bins.
        out_of_range: Values a feature outside the signature's range or categories.
    """

    rows: int
    counts: Counts
    low: Rows
    high: Rows
    sums: Floats
    products: Floats
    score_counts: Counts
    out_of_range: Counts

    def __add__(self, other: "Block") -> "Block":
        """Both blocks' rows together."""
        return Block(
            rows=self.rows + other.rows,
            counts=self.counts + other.counts,
            low=np.minimum(self.low, other.low),
            high=np.maximum(self.high, other.high),
            sums=self.sums + other.sums,
            products=self.products + other.products,
            score_counts=self.score_counts + other.score_counts,
            out_of_range=self.out_of_range + other.out_of_range,
        )


class Blocks:
    """Counts rows on the bins and scales of one reference."""

    def __init__(self, reference: ReferenceProfile, signature: Signature) -> None:
        """Take bins, means and ranges.

        Args:
            reference: What rows are compared with.
            signature: Ranges and categories of the features, and the range of scores.
        """
        self._bins = Bins([f.edges for f in reference.features])
        self._mean, self._sd = scales(reference.features)
        self._score_range = signature.score_low, signature.score_high
        features = signature.features
        low = [0.0 if f.categories else f.low for f in features]
        high = [f.high for f in features]
        with np.errstate(over="ignore"):  # as values are: 0.7 is not below 0.7
            self._low = np.array([[-np.inf if x is None else x] for x in low]).astype(np.float32)
            self._high = np.array([[np.inf if x is None else x] for x in high]).astype(np.float32)
        self._pairs = np.triu_indices(len(features))

    def count(self, rows: Rows, scores: Floats) -> Block:
        """The sums over rows.

        Args:
            rows: Values, shape (rows, features), NaN where missing.
            scores: What the model said about each.
        """
        columns = np.ascontiguousarray(rows.T)
        u = standardise(rows, self._mean, self._sd)
        products = np.zeros((len(columns), len(columns)))
        for start in range(0, len(u), _PRODUCT_ROWS):
            part = u[start : start + _PRODUCT_ROWS]
            products += part.T @ part
        low, high = _range(columns)
        outside = (columns < self._low) | (columns > self._high)
        return Block(
            rows=len(rows),
            counts=self._bins.count(columns),
            low=low,
            high=high,
            sums=u.sum(axis=0),
            products=products,
            score_counts=count_scores(scores, *self._score_range),
            out_of_range=outside.sum(axis=1),
        )

    def profile(self, block: Block) -> LiveProfile:
        """A block, or the sum of many, as it travels."""
        counts, missing = self._bins.strip(block.counts)
        return LiveProfile(
            rows=block.rows,
            counts=counts,
            missing=missing,
            low=[x if np.isfinite(x) else None for x in block.low.tolist()],
            high=[x if np.isfinite(x) else None for x in block.high.tolist()],
            sums=block.sums.tolist(),
            products=block.products[self._pairs].tolist(),
            score_counts=block.score_counts.tolist(),
            out_of_range=block.out_of_range.tolist(),
        )


def _range(columns: Rows) -> tuple[Rows, Rows]:
    low, high = np.fmin.reduce(columns, axis=1), np.fmax.reduce(columns, axis=1)
    if not (np.isfinite(low) & np.isfinite(high)).all():
        finite = np.isfinite(columns)
        low = np.where(finite, columns, np.float32(np.inf)).min(axis=1)
        high = np.where(finite, columns, np.float32(-np.inf)).max(axis=1)
    return low, high
