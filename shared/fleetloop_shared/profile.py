"""What rows looked like at training (reference) and look like on a device (live).

Both are counts and sums over fixed bins, so that live profiles merge by addition:
device to cohort to fleet, window to day.
"""

from collections.abc import Callable, Iterable

import msgspec

SCORE_BINS = 32
"""Equal bins of the score, from `Signature.score_low` to `Signature.score_high`."""


UNLISTED_EDGE = -0.5
"""The first edge of a category whose first bin holds what it does not list, and nothing else."""


class ReferenceFeature(msgspec.Struct, frozen=True, kw_only=True):
    """One feature of the training rows.

    Attributes:
        name: The feature's name.
        edges: Inner bin edges, ascending, as float32 values; bin k holds
            `edges[k-1] <= x < edges[k]`. `len(counts) == len(edges) + 1`.
        counts: Rows in each bin.
        missing: Rows in which the value was missing.
        mean: Mean, in the feature's unit; live moments are taken about it. 0.0 for a category.
        sd: Standard deviation, in the feature's unit; 1.0 for a constant feature or a category.
        category: Whether its numbers are names: they have no order and no distance, so that neither
            means nor correlations nor the Anderson-Darling statistic say anything about them.
    """

    name: str
    edges: list[float]
    counts: list[int]
    missing: int
    mean: float
    sd: float
    category: bool = False


class ReferenceProfile(msgspec.Struct, frozen=True, kw_only=True):
    """The training rows as the device compares with them.

    Attributes:
        rows: How many rows.
        features: In the order of the model's inputs.
        correlations: Pearson correlations of the pairs (i, j), i < j, row by row.
        score_counts: The scores of the model on these rows, in `SCORE_BINS` equal bins.
    """

    rows: int
    features: list[ReferenceFeature]
    correlations: list[float]
    score_counts: list[int]


class ScaleThresholds(msgspec.Struct, frozen=True, kw_only=True):
    """Where the drift statistics of windows of one length become alarms.

    Attributes:
        rows: Rows in such a window.
        anderson_darling: One threshold a feature.
        triangular: One threshold a feature.
        rare: One threshold a feature, on the deviance of its rare bins.
        correlation: One threshold for all pairs, on |z|.
        score: The threshold of triangular discrimination on the score histogram.
    """

    rows: int
    anderson_darling: list[float]
    triangular: list[float]
    rare: list[float]
    correlation: float
    score: float


class DriftThresholds(msgspec.Struct, frozen=True, kw_only=True):
    """How a device judges its rows: windows of several lengths, each with thresholds of its own.

    A long window sees a small change, a short one sees a large change soon. The first scale is the
    *block*: every other one is a whole number of blocks.

    Attributes:
        window_rows: The reporting window, one of the scales.
        false_alarms_per_million_rows: The budget that all scales and statistics keep together on
            rows like those of the reference.
        scales: By ascending length.
    """

    window_rows: int
    false_alarms_per_million_rows: float
    scales: list[ScaleThresholds]


class LiveProfile(msgspec.Struct, frozen=True, kw_only=True):
    """Rows served in one window, as sums.

    Distances are from the reference: `u = (x - reference mean) / reference sd`; a missing value, an
    infinite one and a category count as 0. Near distances are the same, but 8 at most, so that one
    broken value does not look like a change of correlation; an infinite value is 8 away.

    What travels is rounded, so that it is small. Counts are exact. At 1,024 rows a mean is known to
    0.0005 standard deviations and a correlation to 0.01, where chance alone moves them by 0.03.

    Attributes:
        rows: How many rows.
        counts: A list of bin counts a feature, on the reference's edges.
        missing: Missing values a feature.
        low: About the smallest value seen a feature, rounded down by less than half a standard
            deviation of the reference; None if none was.
        high: About the largest, rounded up.
        sums: Sum of the distances u a feature (from 1e37 on they are infinite): the mean value is
            `sums / (rows - missing)` standard deviations from the reference's.
        near_sums: Sum of the near distances a feature.
        near_step: What `near_products` are counted in: the larger, the more rows.
        near_products: For the pairs i <= j, row by row: what the sum of the products of near
            distances has more than if each were the reference's correlation (1 where i = j).
        score_counts: Scores in `SCORE_BINS` equal bins.
        out_of_range: Values a feature that lie outside the signature's range, or are none of its
            categories; answered all the same.
    """

    rows: int
    counts: list[list[int]]
    missing: list[int]
    low: list[float | None]
    high: list[float | None]
    sums: list[int]
    near_sums: list[int]
    near_step: int
    near_products: list[int]
    score_counts: list[int]
    out_of_range: list[int]

    def merge(self, other: "LiveProfile") -> "LiveProfile":
        """The profile of both windows' rows together.

        Raises:
            ValueError: They were taken on different references, or in windows of other lengths.
        """
        if self.near_step != other.near_step:
            raise ValueError("these profiles were taken in windows of different lengths")
        if [len(c) for c in self.counts] != [len(c) for c in other.counts]:
            raise ValueError("these profiles were taken on different references")
        return LiveProfile(
            rows=self.rows + other.rows,
            counts=[_added(x, y) for x, y in zip(self.counts, other.counts, strict=True)],
            missing=_added(self.missing, other.missing),
            low=[_known(min, a, b) for a, b in zip(self.low, other.low, strict=True)],
            high=[_known(max, a, b) for a, b in zip(self.high, other.high, strict=True)],
            sums=_added(self.sums, other.sums),
            near_sums=_added(self.near_sums, other.near_sums),
            near_step=self.near_step,
            near_products=_added(self.near_products, other.near_products),
            score_counts=_added(self.score_counts, other.score_counts),
            out_of_range=_added(self.out_of_range, other.out_of_range),
        )


def _added(a: list[int], b: list[int]) -> list[int]:
    return [x + y for x, y in zip(a, b, strict=True)]


def _known(
    choose: Callable[[Iterable[float]], float], a: float | None, b: float | None
) -> float | None:
    known = [x for x in (a, b) if x is not None]
    return choose(known) if known else None
