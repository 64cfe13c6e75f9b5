"""A block of rows as sums: what a device counts at once, and adds up to windows."""

import math

import msgspec
import numpy as np
import numpy.typing as npt

from fleetloop_shared.drift.bins import Bins, count_scores
from fleetloop_shared.drift.moments import Moments
from fleetloop_shared.manifest import Signature
from fleetloop_shared.profile import LiveProfile, ReferenceProfile

Rows = npt.NDArray[np.float32]
Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_LARGEST = np.finfo(np.float32).max


class Block(msgspec.Struct, frozen=True, eq=False):
    """Sums over rows; the sum of two of them is that of all their rows.

    All but `sums` are exact: the same in whatever order, on any machine, and in whatever parts the
    rows were counted. `sums` is rounded.

    Attributes:
        rows: How many rows.
        counts: Rows in each bin, shape (features, bins + 1), as `Bins.count` gives them.
        low: Smallest finite value a feature, infinity if there was none.
        high: Largest finite value a feature, minus infinity if there was none.
        sums: Sum of the distances of each feature, see `LiveProfile`.
        products: Sums of products of near distances behind a 1, as `Moments.of` gives them, shape
            (1 + features, 1 + features).
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
        self._moments = Moments(reference.features)
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
        self._pairs = np.triu_indices(len(features))

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
        return [
            Block(
                rows=each,
                counts=counts[k],
                low=low[k],
                high=high[k],
                sums=sums[k],
                products=products[k],
                score_counts=count_scores(scores[k * each : (k + 1) * each], *self._score_range),
                out_of_range=outside[k] if outside.ndim > 1 else outside,
            )
            for k in range(parts)
        ]

    def profile(self, block: Block) -> LiveProfile:
        """A block, or the sum of many, as it travels."""
        counts, missing = self._bins.strip(block.counts)
        return LiveProfile(
            rows=block.rows,
            counts=counts,
            missing=missing,
            low=[x if math.isfinite(x) else None for x in block.low.tolist()],
            high=[x if math.isfinite(x) else None for x in block.high.tolist()],
            sums=block.sums.tolist(),
            near_sums=block.products[0, 1:].tolist(),
            near_products=block.products[1:, 1:][self._pairs].tolist(),
            score_counts=block.score_counts.tolist(),
            out_of_range=block.out_of_range.tolist(),
        )


def unrolled(reference: ReferenceProfile, profile: LiveProfile) -> Block:
    """The block that a profile was made of."""
    width = len(reference.features)
    upper = np.zeros((width, width))
    upper[np.triu_indices(width)] = profile.near_products
    products = np.empty((width + 1, width + 1))
    products[0, 0] = profile.rows
    products[0, 1:] = products[1:, 0] = profile.near_sums
    products[1:, 1:] = upper + np.triu(upper, 1).T
    bins = Bins([f.edges for f in reference.features])
    return Block(
        rows=profile.rows,
        counts=bins.fill(profile.counts, profile.missing),
        low=np.array([np.inf if x is None else x for x in profile.low], np.float32),
        high=np.array([-np.inf if x is None else x for x in profile.high], np.float32),
        sums=np.array(profile.sums, np.float64),
        products=products,
        score_counts=np.array(profile.score_counts, np.int64),
        out_of_range=np.array(profile.out_of_range, np.int64),
    )


def _finite_range(by_part: Rows, low: Rows, high: Rows) -> tuple[Rows, Rows]:
    """The range of finite values, from that of all values; empty where there are none."""
    for part, feature in np.argwhere(~(np.isfinite(low) & np.isfinite(high))):
        values = by_part[feature, part]
        finite = values[np.isfinite(values)]
        low[part, feature] = finite.min(initial=np.inf)
        high[part, feature] = finite.max(initial=-np.inf)
    return low, high
