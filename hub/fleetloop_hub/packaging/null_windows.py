"""Windows without drift, and what the device's statistics say about them."""

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from fleetloop_hub.packaging.binned import Binned, count_places
from fleetloop_shared.drift.anderson_darling import anderson_darling
from fleetloop_shared.drift.fisher_z import fisher_z
from fleetloop_shared.drift.moments import correlations
from fleetloop_shared.drift.rare_bins import rare_bins
from fleetloop_shared.drift.triangular import triangular_discrimination

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Cells = TypeVar("Cells", Counts, Floats)

MOST_CELLS = 512
"""Cells that contiguous windows begin at and end at."""

DRAWN_ROWS, MOST_DRAWN = 160_000, 800
"""Rows and windows that are drawn one by one."""

_AT_ONCE = 64


@dataclass(frozen=True)
class Statistics:
    """What is judged, of many windows.

    Attributes:
        order: Anderson-Darling, shape (windows, features + 1).
        share: Triangular discrimination, the same; the last is that of the scores.
        rare: Deviance of rare bins, the same.
        z: Fisher's z of the pairs, shape (windows, pairs).
    """

    order: Floats
    share: Floats
    rare: Floats
    z: Floats


def fits(reference_rows: int, window_rows: int) -> bool:
    """Whether windows can be cut out and compared with the rest of the reference."""
    return reference_rows >= 4 * window_rows


class NullWindows:
    """Undrifted windows of one reference.

    Attributes:
        cell_rows: Contiguous windows are whole numbers of cells of so many rows.
    """

    def __init__(self, reference: Binned, pairs: Floats, block_rows: int) -> None:
        """Count the reference cell by cell.

        Args:
            reference: Its rows.
            pairs: Its correlations.
            block_rows: Every window is a whole number of blocks; a cell is a fraction of one.
        """
        self._reference, self._pairs = reference, pairs
        self.cell_rows = _cell_rows(reference.rows, block_rows)
        self._counts, self._sums, self._products = self._cells()

    def contiguous(self, window_rows: int) -> Statistics:
        """Windows of rows that follow each other, each compared with the rows outside it.

        They begin at every cell; the reference must hold four of them, see `fits`.
        """
        cells = window_rows // self.cell_rows
        counts = _sliding(self._counts, cells)
        rest = self._reference.counts - counts
        live = correlations(
            window_rows, _sliding(self._sums, cells), _sliding(self._products, cells)
        )
        z = fisher_z(self._pairs, live, self._reference.rows, window_rows)
        rows = self._reference.rows
        apart = math.sqrt((rows + window_rows) / (rows - window_rows))
        return _statistics(self._reference.ordered, rest, counts, z * apart)

    def drawn(self, window_rows: int, random: np.random.Generator) -> Statistics:
        """Windows of rows drawn one by one, as if the reference were the whole world."""
        reference = self._reference
        windows = min(MOST_DRAWN, max(1, DRAWN_ROWS // window_rows))
        parts = []
        for _ in range(0, windows, _AT_ONCE):
            rows = random.integers(0, reference.rows, (_AT_ONCE, window_rows))
            counts = count_places(reference.places[rows], reference.counts.shape[1])
            u = reference.moved[rows]
            live = correlations(window_rows, u.sum(axis=1), u.transpose(0, 2, 1) @ u)
            z = fisher_z(self._pairs, live, reference.rows, window_rows)
            parts.append(_statistics(reference.ordered, reference.counts, counts, z))
        more = 1 + window_rows / reference.rows
        return Statistics(
            order=np.concatenate([p.order for p in parts]) * more,
            share=np.concatenate([p.share for p in parts]) * more,
            rare=np.concatenate([p.rare for p in parts]),
            z=np.concatenate([p.z for p in parts]) * np.sqrt(more),
        )

    def _cells(self) -> tuple[Counts, Floats, Floats]:
        """Running totals of counts, sums and products, of the newest whole cells."""
        reference, size = self._reference, self.cell_rows
        cells = reference.rows // size
        newest = slice(reference.rows - cells * size, None)
        places = reference.places[newest].reshape(cells, size, -1)
        u = reference.moved[newest].reshape(cells, size, -1)
        return (
            _running(count_places(places, reference.counts.shape[1])),
            _running(u.sum(axis=1)),
            _running(u.transpose(0, 2, 1) @ u),
        )


def _cell_rows(rows: int, block_rows: int) -> int:
    """The smallest fraction of a block with which there are not too many cells."""
    fractions = [d for d in range(1, block_rows + 1) if block_rows % d == 0]
    return next((d for d in fractions if rows <= d * MOST_CELLS), block_rows)


def _running(cells: Cells) -> Cells:
    """Totals of the cells before each one; the cells come twice, so that windows close a ring."""
    return np.concatenate([np.zeros_like(cells[:1]), cells, cells]).cumsum(axis=0)


def _sliding(running: Cells, cells: int) -> Cells:
    """Sums of the windows of so many cells, one that begins at each cell."""
    starts = (len(running) - 1) // 2
    return running[cells : cells + starts] - running[:starts]


def _statistics(ordered: Flags, reference: Counts, seen: Counts, z: Floats) -> Statistics:
    return Statistics(
        order=anderson_darling(reference, seen) * ordered,
        share=triangular_discrimination(reference, seen),
        rare=rare_bins(reference, seen),
        z=z,
    )
