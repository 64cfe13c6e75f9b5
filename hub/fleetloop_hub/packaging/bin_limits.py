"""Limits of the statistics of bins, for windows of any length."""

import math

import numpy as np
import numpy.typing as npt

from fleetloop_hub.packaging import bin_forms, row_memory
from fleetloop_hub.packaging.binned import Binned
from fleetloop_hub.packaging.mean_tail import skewness
from fleetloop_hub.packaging.null_windows import Statistics
from fleetloop_hub.packaging.quadratic_tail import tail_limit, uncertainty
from fleetloop_hub.packaging.rare_limit import rare_limit
from fleetloop_shared.drift.anderson_darling import anderson_darling
from fleetloop_shared.drift.rare_bins import rare
from fleetloop_shared.drift.triangular import triangular_discrimination

Floats = npt.NDArray[np.float64]

_SIGNIFICANT = 4.0
_LARGER = 0.8
_FEW_INDEPENDENT = 60
"""Rows that the reference is worth, below which contiguous windows tell more about its tail."""

_CHECKED = 20
"""Drawn statistics beyond the limit that the computed one is compared with."""


class BinLimits:
    """What the statistics of bins reach, a given share of undrifted windows apart.

    Without drift the difference of two bin shares is close to normal, so that Anderson-Darling and
    triangular discrimination are sums of chi-squared variables, whose weights follow from the
    reference's bins and from how much its rows resemble each other, and whose tail can be computed
    however far out. What is not normal is measured, and paid for: few values in a bin, the size of
    the reference, a memory that is itself only measured, and changes that last longer than rows
    resemble each other.
    """

    def __init__(self, reference: Binned, drawn: Statistics, drawn_rows: int) -> None:
        """Measure the memory of the reference's rows.

        Args:
            reference: Its rows in order of time.
            drawn: Windows of rows drawn one by one.
            drawn_rows: Rows in each of them.
        """
        shares = reference.shares
        self._reference = reference
        order, self._share = bin_forms.order_roots(shares), bin_forms.share_roots(shares)
        self._order = order * reference.ordered[:, None, None]
        ordered = reference.ordered.copy()
        ordered[-1] = True  # scores have an order, although they are not judged by it
        forms = order.transpose(0, 2, 1) @ order
        self._memory = row_memory.measure(reference.places, shares, forms, ordered)
        self._slow = bin_forms.largest_values(order, shares)
        alone = row_memory.independent(shares)
        self._more = dict.fromkeys(("order", "share"), np.ones(len(shares)))
        self._unlike = {
            "order": _unlike(drawn.order, bin_forms.weights(self._order, alone)),
            "share": _unlike(
                drawn.share,
                bin_forms.weights(self._share, alone) * (1 / drawn_rows + 1 / reference.rows),
            ),
        }

    def order(self, rows: int, share: float, seen: Statistics | None) -> Floats:
        """Limits of Anderson-Darling, one a feature; scales must be asked for from the shortest on.

        A scale for which the reference is too short takes over what the one before it showed.

        Args:
            rows: In a window.
            share: The share of windows that may exceed each limit.
            seen: Contiguous windows of so many rows, None where the reference is too short.
        """
        weights = bin_forms.weights(self._order, self._difference(rows))
        slow = self._slow
        lasting = np.einsum("fb,fbc,fc->f", slow, self._memory.covariance(rows), slow)
        skew = skewness(self._reference.shares, slow, rows / np.maximum(lasting, 1.0), share)
        limits = self._limits(weights, share) * skew * self._unlike["order"]
        limits = np.maximum(limits, self._by_chance(rows, share)[0])
        if seen is None:
            unseen: Floats = limits * self._more["order"]
            return unseen
        limits = self._at_most(limits, rows, share, seen.order)
        self._more["order"] = self._exceeding(weights, rows, seen.order)
        farthest: Floats = np.maximum(limits * self._more["order"], seen.order.max(axis=0))
        return farthest

    def share(self, rows: int, share: float, seen: Statistics | None) -> Floats:
        """Limits of triangular discrimination, one a feature and one for the scores.

        The arguments are those of `order`.
        """
        each = 1 / rows + 1 / self._reference.rows
        weights = bin_forms.weights(self._share, self._difference(rows)) * each
        limits = self._limits(weights, share) * self._unlike["share"]
        limits = np.maximum(limits, self._by_chance(rows, share)[1])
        if seen is None:
            unseen: Floats = limits * self._more["share"]
            return unseen
        limits = self._at_most(limits, rows, share, seen.share)
        self._more["share"] = self._exceeding(weights, rows, seen.share)
        farthest: Floats = np.maximum(limits * self._more["share"], seen.share.max(axis=0))
        return farthest

    def rare(self, rows: int, share: float, seen: Statistics | None) -> Floats:
        """Limits of the deviance of rare bins, one a feature.

        Where such rows come in bunches, a bunch counts as one row; bunches differ in size, which
        counts twice.

        The arguments are those of `order`.
        """
        shares, few = self._reference.shares, rare(self._reference.counts)
        alone = shares * (1 - shares)
        lasting = np.einsum("fbb->fb", self._memory.covariance(rows))
        bunch = np.divide(lasting, alone, out=np.ones_like(alone), where=few & (alone > 0))
        whole = self._reference.rows
        alike = [rare_limit(whole, rows, share / bins) for bins in few.sum(axis=1).tolist()]
        limits: Floats = np.array(alike) * (2 * bunch.max(axis=1) - 1)
        return limits if seen is None else np.maximum(limits, seen.rare.max(axis=0))

    def _by_chance(self, rows: int, share: float) -> tuple[Floats, Floats]:
        """Both statistics of a window of which only so many rows are odd as may be: see `rare`."""
        reference = self._reference
        odd = math.ceil(math.log(share) / math.log(rows / (rows + reference.rows)))
        window = rows * reference.shares
        each = np.arange(len(window))
        window[each, window.argmax(axis=1)] -= min(odd, rows)
        window[:, -1] += min(odd, rows)
        counts = np.rint(np.maximum(window, 0.0)).astype(np.int64)
        order = anderson_darling(reference.counts, counts) * reference.ordered
        return order, triangular_discrimination(reference.counts, counts)

    def _difference(self, rows: int) -> Floats:
        """Covariances of window shares less reference shares, in units of 1 / n + 1 / m."""
        whole = self._reference.rows
        both = self._memory.covariance(rows) / rows + self._memory.covariance(whole) / whole
        return both / (1 / rows + 1 / whole)

    def _limits(self, weights: Floats, share: float) -> Floats:
        worth = self._memory.independent_rows
        unsure = np.array([uncertainty(rows, share) for rows in worth.tolist()])
        limits: Floats = tail_limit(weights, share) * unsure
        return limits

    def _at_most(self, limits: Floats, rows: int, share: float, seen: Floats) -> Floats:
        """No more than an exponential tail of contiguous windows, where rows resemble others long.

        A season is such a likeness: computed as if it were chance, it would have no bounds, and no
        temperature would ever be odd.
        """
        start = np.quantile(seen, _LARGER, axis=0)
        beyond = np.maximum(seen - start, 0.0)
        mean = beyond.sum(axis=0) / np.maximum((beyond > 0).sum(axis=0), 1)
        unsure = uncertainty(self._reference.rows / rows, share)
        bounded = (start + mean * max(math.log((1 - _LARGER) / share), 0.0)) * unsure
        lasting = self._memory.independent_rows < _FEW_INDEPENDENT
        least: Floats = np.where(lasting, np.minimum(limits, bounded), limits)
        return least

    def _exceeding(self, weights: Floats, rows: int, seen: Floats) -> Floats:
        """By how much contiguous windows exceed what was computed, where they clearly do."""
        mean = weights.sum(axis=1)
        windows = self._reference.rows / rows
        spread = np.sqrt(2 / windows * (weights**2).sum(axis=1))
        clearly = seen.mean(axis=0) > mean + _SIGNIFICANT * spread
        more = np.divide(
            seen.mean(axis=0), mean, out=np.ones_like(mean), where=clearly & (mean > 0)
        )
        exceeding: Floats = np.maximum(more, 1.0)
        return exceeding


def _unlike(drawn: Floats, weights: Floats) -> float:
    """By how much the largest drawn statistics exceed what was computed, over all features."""
    varies = weights.max(axis=1) > 0
    found = drawn[:, varies]
    if not found.size:
        return 1.0
    share = min(_CHECKED / found.size, 0.1)
    return max(1.0, float(np.quantile(found / tail_limit(weights[varies], share), 1 - share)))
