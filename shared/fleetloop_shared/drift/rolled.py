"""Blocks as profiles, which are small enough to travel, and back."""

import math

import numpy as np
import numpy.typing as npt

from fleetloop_shared.drift.bins import Bins
from fleetloop_shared.drift.sums import Block
from fleetloop_shared.profile import LiveProfile, ReferenceProfile

Rows = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

_LARGEST_SUM = 2.0**53
_PARTS = 5
"""Smallest and largest values are told to a fifth of a standard deviation, or better."""


class Profiles:
    """Rolls up the blocks that were counted on one reference, and unrolls them."""

    def __init__(self, reference: ReferenceProfile) -> None:
        """Take bins and correlations."""
        features = reference.features
        self._bins = Bins([f.edges for f in features])
        self._pairs = np.triu_indices(len(features))
        self._expected = np.eye(len(features))
        self._expected[np.triu_indices(len(features), 1)] = reference.correlations
        digits = np.array([told_digits(f.sd) for f in features], np.float64)
        self._finer = 10.0 ** digits.clip(0, None)
        self._coarser = 10.0 ** (-digits).clip(0, None)

    def rolled(self, block: Block) -> LiveProfile:
        """A block, or the sum of many, as it travels: rounded, see `LiveProfile`."""
        counts, missing = self._bins.strip(block.counts)
        step = near_step(block.rows)
        more = (block.products[1:, 1:] - block.rows * self._expected)[self._pairs]
        sums = block.sums.clip(-_LARGEST_SUM, _LARGEST_SUM)
        return LiveProfile(
            rows=block.rows,
            counts=counts,
            missing=missing,
            low=self._outward(block.low, up=False),
            high=self._outward(block.high, up=True),
            sums=np.rint(sums).astype(np.int64).tolist(),
            near_sums=np.rint(block.products[0, 1:]).astype(np.int64).tolist(),
            near_step=step,
            near_products=np.rint(more / step).astype(np.int64).tolist(),
            score_counts=block.score_counts.tolist(),
            out_of_range=block.out_of_range.tolist(),
        )

    def _outward(self, values: Rows, *, up: bool) -> list[float | None]:
        """Rounded away from the others; None if it is not finite, as there was none."""
        places = values.astype(np.float64) * self._finer / self._coarser
        rounded = (np.ceil(places) if up else np.floor(places)) * self._coarser / self._finer
        return [x if math.isfinite(x) else None for x in rounded.tolist()]

    def near_products(self, profile: LiveProfile) -> Floats:
        """Sums of products of near distances, shape (features, features)."""
        upper = profile.rows * self._expected
        upper[self._pairs] += np.multiply(profile.near_products, profile.near_step)
        products: Floats = upper + np.triu(upper, 1).T
        return products

    def unrolled(self, profile: LiveProfile) -> Block:
        """About the block that a profile was made of."""
        products = np.empty((len(profile.sums) + 1,) * 2)
        products[0, 0] = profile.rows
        products[0, 1:] = products[1:, 0] = profile.near_sums
        products[1:, 1:] = self.near_products(profile)
        return Block(
            rows=profile.rows,
            counts=self._bins.fill(profile.counts, profile.missing),
            low=np.array([np.inf if x is None else x for x in profile.low], np.float32),
            high=np.array([-np.inf if x is None else x for x in profile.high], np.float32),
            sums=np.array(profile.sums, np.float64),
            products=products,
            score_counts=np.array(profile.score_counts, np.int64),
            out_of_range=np.array(profile.out_of_range, np.int64),
        )


def near_step(rows: int) -> int:
    """The largest power of two up to the root of the rows.

    Sums of products vary by about the root of the rows; to round them to that adds a twelfth to
    their variance, at most.

    >>> near_step(1), near_step(256), near_step(1_024), near_step(2_000)
    (1, 16, 32, 32)
    """
    return 1 << (math.isqrt(max(rows, 1)).bit_length() - 1)


def told_digits(sd: float) -> int:
    """Digits behind the point that tell apart values a fifth of a standard deviation from another.

    >>> told_digits(1.0), told_digits(700.0)
    (1, -2)
    """
    return max(-40, min(40, -math.floor(math.log10(max(sd / _PARTS, 1e-300)))))
