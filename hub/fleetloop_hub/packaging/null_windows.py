"""Windows without drift, and what the device's statistics say about them."""

import numpy as np
import numpy.typing as npt

from fleetloop_shared.drift.anderson_darling import anderson_darling
from fleetloop_shared.drift.bins import Bins, count_scores
from fleetloop_shared.drift.fisher_z import fisher_z
from fleetloop_shared.drift.moments import correlations, scales, standardise
from fleetloop_shared.drift.triangular import triangular_discrimination
from fleetloop_shared.profile import ReferenceProfile

Rows = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

WINDOWS = 1_000
"""Contiguous windows looked at, overlapping where the reference is short."""

DRAWS = 2_000
"""Independent windows drawn."""

_AT_ONCE = 100


class NullWindows:
    """Undrifted windows of one reference; scores are those of 0 to 1, see `scaled_scores`.

    Every answer has a row a window and a column a statistic: Anderson-Darling a feature, triangular
    discrimination a feature, the largest squared Fisher z of all pairs, triangular discrimination
    of the scores. All of them are quadratic in the change, so that their tails are alike.

    Attributes:
        window_rows: Rows in each.
        reference_rows: Rows in the reference.
    """

    def __init__(
        self,
        reference: ReferenceProfile,
        rows: Rows,
        scores: npt.NDArray[np.floating],
        window_rows: int,
        random: np.random.Generator,
    ) -> None:
        features = reference.features
        self._bins = Bins([f.edges for f in features])
        self._counts = self._bins.fill([f.counts for f in features], [f.missing for f in features])
        self._used = self._bins.fill([[1] * len(f.counts) for f in features], [1] * len(features))
        self._correlations = np.array(reference.correlations, np.float64)
        self._score_counts = np.array(reference.score_counts)
        self._rows, self._scores = rows, scores
        self._u = standardise(rows, *scales(features))
        self._ordered = np.array([not f.category for f in features])
        self.window_rows = window_rows
        self._random = random
        self.reference_rows = len(rows)

    @staticmethod
    def fits(reference_rows: int, window_rows: int) -> bool:
        """Whether windows can be cut out and compared with the rest of the reference."""
        return reference_rows >= 4 * window_rows

    @staticmethod
    def block_rows(reference_rows: int) -> int:
        """Length of the blocks that windows are put together from when they cannot be cut out."""
        return max(1, reference_rows // 8)

    def contiguous(self) -> Floats:
        """Windows of rows that follow each other, each compared with the rows outside it.

        The reference is closed to a ring. Where it has fewer than four windows, windows are put
        together from shorter blocks instead and compared with all of it; what that leaves out, the
        reference's own uncertainty, is made up for by a factor.
        """
        rows, size = len(self._rows), self.window_rows
        if self.fits(rows, size):
            starts = np.unique(np.linspace(0, rows, WINDOWS, endpoint=False).astype(np.int64))
            return self._look((starts[:, None] + np.arange(size)) % rows, cut_out=True)
        block = self.block_rows(rows)
        starts = self._random.integers(0, rows, (WINDOWS, -(-size // block)))
        places = (starts[..., None] + np.arange(block)) % rows
        drawn = places.reshape(WINDOWS, -1)[:, :size]
        return self._look(drawn, cut_out=False) * (1 + size / rows)

    def independent(self) -> Floats:
        """Windows of rows drawn one by one, bins that the reference lacks included."""
        rows, size = len(self._rows), self.window_rows
        drawn = self._random.integers(0, rows, (DRAWS, size))
        squared_z = np.concatenate([self._squared_z(part) for part in _parts(drawn)])
        order, share = [], []
        for _ in range(0, DRAWS, _AT_ONCE):
            seen = self._draw(self._counts + self._used / 2)
            order.append(anderson_darling(self._counts, seen) * self._ordered)
            share.append(triangular_discrimination(self._counts, seen))
        scores = np.concatenate(
            [self._draw(self._score_counts + 0.5) for _ in range(0, DRAWS, _AT_ONCE)]
        )
        return np.column_stack(
            [
                np.concatenate(order),
                np.concatenate(share),
                squared_z * (1 + size / rows),
                triangular_discrimination(self._score_counts, scores),
            ]
        )

    def _draw(self, weights: Floats) -> Places:
        """Counts of windows whose bin shares are themselves drawn (Dirichlet, multinomial)."""
        shares = self._random.standard_gamma(weights, (_AT_ONCE, *weights.shape))
        shares /= shares.sum(axis=-1, keepdims=True)
        return self._random.multinomial(self.window_rows, shares)

    def _look(self, places: Places, *, cut_out: bool) -> Floats:
        found = []
        for part in _parts(places):
            seen = np.array([self._bins.count(self._rows[window].T) for window in part])
            scores = np.array([count_scores(self._scores[window]) for window in part])
            rest = self._counts - seen * cut_out
            scores_rest = self._score_counts - scores * cut_out
            found.append(
                np.column_stack(
                    [
                        anderson_darling(rest, seen) * self._ordered,
                        triangular_discrimination(rest, seen),
                        self._squared_z(part),
                        triangular_discrimination(scores_rest, scores),
                    ]
                )
            )
        return np.concatenate(found)

    def _squared_z(self, places: Places) -> Floats:
        u = self._u[places]
        live = correlations(places.shape[1], u.sum(axis=1), u.transpose(0, 2, 1) @ u)
        z = fisher_z(self._correlations, live, len(self._rows), places.shape[1])
        squared: Floats = (z**2).max(axis=1, initial=0.0)
        return squared


def _parts(places: Places) -> list[Places]:
    return [places[k : k + _AT_ONCE] for k in range(0, len(places), _AT_ONCE)]
