"""The limit of Fisher's z over all pairs of features, for windows of any length."""

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from fleetloop_hub.packaging.null_windows import NullWindows, Statistics, fits
from fleetloop_hub.packaging.quadratic_tail import normal_tail, uncertainty

Floats = npt.NDArray[np.float64]

_MEASURED_ROWS = 64
"""Spreads are measured in windows of about so many rows, of which there are many."""

_CHECKED = 20
_TAIL = 0.1
_HALVINGS = 60
_FARTHEST = 1e4


class PairLimits:
    """What |z| of any pair reaches, a given share of undrifted windows apart.

    Fisher's z of normal rows that do not resemble each other has a spread of 1. The spread of each
    pair is measured in short contiguous windows, and made larger by as much as the spread of all
    pairs together is larger in longer ones.
    """

    def __init__(self, null: NullWindows, rows: int, block_rows: int, drawn: Statistics) -> None:
        """Measure the spread of each pair.

        Args:
            null: Contiguous windows.
            rows: In the reference.
            block_rows: In the shortest window that is judged.
            drawn: Windows of rows drawn one by one.
        """
        length = null.cell_rows
        while 2 * length <= min(block_rows, _MEASURED_ROWS) and fits(rows, 4 * length):
            length *= 2
        spread = (drawn.z**2).mean(axis=0)
        self._short = spread
        if fits(rows, length) and 2 * length >= min(block_rows, _MEASURED_ROWS):
            self._short = (null.contiguous(length).z ** 2).mean(axis=0)
        self._spread = np.maximum(spread, self._short)
        self._windows = rows / length
        self._unlike = _unlike(drawn.z, np.sqrt(spread))
        self._drawn = (drawn.z**2).max(axis=1, initial=0.0)
        self._longer = 1.0

    def limit(self, share: float, seen: Statistics | None) -> float:
        """The limit; scales must be asked for from the shortest on.

        Args:
            share: The share of windows that may exceed it.
            seen: Contiguous windows, None where the reference is too short for them.
        """
        pairs = len(self._spread)
        if not self._spread.any():
            return _NO_PAIR
        if seen is not None:
            now = float((seen.z**2).mean(axis=0).sum() / max(self._short.sum(), 1e-9))
            self._longer = max(self._longer, now)
        spread = np.sqrt(self._spread * self._longer)
        spread = spread[spread > 0]
        low, high = 0.0, _FARTHEST
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            often = 2 * float(normal_tail(middle / spread).sum()) > share
            low, high = (middle, high) if often else (low, middle)
        limit = high * self._unlike * math.sqrt(uncertainty(self._windows, share / pairs))
        limit = max(limit, math.sqrt(_tail(self._drawn, share) * self._longer))
        return limit if seen is None else max(limit, float(np.abs(seen.z).max()))


def _tail(largest: Floats, share: float) -> float:
    """What the largest squared z of a window reaches by an exponential tail of drawn windows.

    A few far values at the same time make a correlation that no normal rows would have.
    """
    start = float(np.quantile(largest, 1 - _TAIL))
    beyond = largest[largest > start] - start
    if not len(beyond):
        return start
    unsure = 1 + 1 / math.sqrt(len(beyond))
    return start + float(beyond.mean()) * unsure * max(math.log(_TAIL / share), 0.0)


_NO_PAIR = 10.0
"""Where no two features vary: none can be reached."""


def _unlike(drawn: Floats, spread: Floats) -> float:
    """By how much the largest drawn |z| exceed those of normal variables of the same spread."""
    varies = spread > 0
    found = np.abs(drawn[:, varies]) / spread[varies]
    if not found.size:
        return 1.0
    share = min(_CHECKED / found.size, 0.1)
    return max(1.0, float(np.quantile(found, 1 - share)) / NormalDist().inv_cdf(1 - share / 2))
