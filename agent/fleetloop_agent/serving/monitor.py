"""Counts served rows into live profiles, one a window.

A served row costs two list appends. Every block of rows is joined, binned and summed at once; a
window is a whole number of blocks and one shorter one, so that equal rows give equal profiles
whether they came one by one or many at a time.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fleetloop_agent.ports import Rows
from fleetloop_shared.drift.bins import Bins, count_scores
from fleetloop_shared.drift.moments import scales, standardise
from fleetloop_shared.profile import LiveProfile, ReferenceProfile

BLOCK_ROWS = 512
"""Rows that are held back before they are counted."""

_PRODUCT_ROWS = 256
"""Rows multiplied at once: with more of them BLAS starts threads, and gains nothing by it."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class FinishedWindow:
    """A window that is full.

    Attributes:
        first_row: Number of its first row since the monitor began, from 1.
        profile: Its rows, as sums.
    """

    first_row: int
    profile: LiveProfile


class Monitor:
    """Takes rows with their scores, gives back the windows they fill. Not thread-safe."""

    def __init__(
        self,
        reference: ReferenceProfile,
        window_rows: int,
        *,
        score_low: float = 0.0,
        score_high: float = 1.0,
    ) -> None:
        """Begin the first window.

        Args:
            reference: Bins, means and standard deviations.
            window_rows: Rows in a window.
            score_low: Where the score histogram begins.
            score_high: Where it ends.
        """
        features = reference.features
        self._bins = Bins([f.edges for f in features])
        self._mean, self._sd = scales(features)
        self._score_range = score_low, score_high
        self._pairs = np.triu_indices(len(features))
        self._window_rows = window_rows
        self._first_row = 1
        self._finished: list[FinishedWindow] = []
        self._begin_window()

    def add(self, row: Rows, score: float) -> None:
        """Take one row; it is kept as it is until its block is counted, so it must not change.

        Args:
            row: Its values, contiguous, of any shape.
            score: What the model said.
        """
        self._rows.append(row)
        self._scores.append(score)
        if len(self._scores) == self._room:
            self._count_block()

    def extend(self, rows: Rows, scores: npt.NDArray[np.float64]) -> None:
        """Take many rows, which must not change either.

        Args:
            rows: Their values, contiguous, shape (rows, features).
            scores: What the model said about each.
        """
        done = 0
        while done < len(rows):
            more = min(len(rows) - done, self._room - len(self._scores))
            self._rows.append(rows[done : done + more])
            self._scores.extend(scores[done : done + more].tolist())
            done += more
            if len(self._scores) == self._room:
                self._count_block()

    def take(self) -> list[FinishedWindow]:
        """The windows that have become full since the last call."""
        finished, self._finished = self._finished, []
        return finished

    def _begin_window(self) -> None:
        width = len(self._mean)
        self._counts = self._bins.fill([], [0] * width)
        self._score_counts = count_scores(np.empty(0))
        self._low = np.full(width, np.inf, np.float32)
        self._high = np.full(width, -np.inf, np.float32)
        self._sums = np.zeros(width)
        self._products = np.zeros((width, width))
        self._counted = 0
        self._begin_block()

    def _begin_block(self) -> None:
        self._rows: list[Rows] = []
        self._scores: list[float] = []
        self._room = min(BLOCK_ROWS, self._window_rows - self._counted)

    def _count_block(self) -> None:
        block: Rows = np.frombuffer(
            b"".join(self._rows),  # type: ignore[arg-type]  # arrays are buffers, untold before 3.12
            np.float32,
        )
        block = block.reshape(len(self._scores), -1)
        columns = np.ascontiguousarray(block.T)
        self._counts += self._bins.count(columns)
        self._score_counts += count_scores(np.array(self._scores), *self._score_range)
        u = standardise(block, self._mean, self._sd)
        self._sums += u.sum(axis=0)
        for start in range(0, len(u), _PRODUCT_ROWS):
            part = u[start : start + _PRODUCT_ROWS]
            self._products += part.T @ part
        self._note_range(columns)
        self._counted += len(block)
        if self._counted == self._window_rows:
            self._finished.append(FinishedWindow(self._first_row, self._profile()))
            self._first_row += self._window_rows
            self._begin_window()
        else:
            self._begin_block()

    def _note_range(self, columns: Rows) -> None:
        low, high = np.fmin.reduce(columns, axis=1), np.fmax.reduce(columns, axis=1)
        if not (np.isfinite(low) & np.isfinite(high)).all():
            finite = np.isfinite(columns)
            low = np.where(finite, columns, np.float32(np.inf)).min(axis=1)
            high = np.where(finite, columns, np.float32(-np.inf)).max(axis=1)
        np.minimum(self._low, low, out=self._low)
        np.maximum(self._high, high, out=self._high)

    def _profile(self) -> LiveProfile:
        counts, missing = self._bins.strip(self._counts)
        return LiveProfile(
            rows=self._counted,
            counts=counts,
            missing=missing,
            low=[x if np.isfinite(x) else None for x in self._low.tolist()],
            high=[x if np.isfinite(x) else None for x in self._high.tolist()],
            sums=self._sums.tolist(),
            products=self._products[self._pairs].tolist(),
            score_counts=self._score_counts.tolist(),
        )
