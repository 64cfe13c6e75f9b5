"""Rows as sums, which add up to those of more rows."""

import msgspec
import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.float32]
Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


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
