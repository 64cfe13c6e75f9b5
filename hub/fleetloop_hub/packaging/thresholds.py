"""Turns a false-alarm budget into drift thresholds for windows of every length.

Of the windows of each length the same share may be a false alarm; it is divided between five kinds
of statistics and their features. A threshold is then far out in the tail, one window in a million
and farther, where no replayed window has ever been: it is computed from what the reference shows
about its bins, its correlations and the likeness of rows that follow each other (`bin_limits`,
`pair_limits`), and checked on null windows of the reference, contiguous ones and such as are drawn
row by row, in the statistics that the device computes (`null_windows`).
"""

import numpy as np
import numpy.typing as npt

from fleetloop_hub.packaging.bin_limits import BinLimits
from fleetloop_hub.packaging.binned import binned
from fleetloop_hub.packaging.null_windows import NullWindows, fits
from fleetloop_hub.packaging.pair_limits import PairLimits
from fleetloop_hub.packaging.quadratic_tail import LARGEST_SHARE
from fleetloop_hub.packaging.scales import scale_rows
from fleetloop_shared.profile import DriftThresholds, ReferenceProfile, ScaleThresholds

Rows = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

ORDER, SHARE, RARE, PAIRS, SCORE = 0.3, 0.1, 0.4, 0.1, 0.1
"""Parts of the budget, each divided among the features."""

DIGITS = 4
"""A threshold's; more would only cost bytes."""

_PER = 1_000_000
_SMALLEST = 1e-9


def calibrate(  # noqa: PLR0913  # what: three arguments; how: three by keyword only
    reference: ReferenceProfile,
    rows: Rows,
    scores: npt.NDArray[np.floating],
    *,
    window_rows: int,
    false_alarms_per_million_rows: float,
    seed: int,
) -> DriftThresholds:
    """Thresholds that keep the budget on rows like those of the reference.

    Args:
        reference: The profile of `rows`.
        rows: The reference's rows in order of time, NaN where missing.
        scores: Their scores, of 0 to 1 (see `scaled_scores`).
        window_rows: Rows in the reporting window.
        false_alarms_per_million_rows: The budget, for all scales and statistics together.
        seed: Of the windows that are drawn.

    Raises:
        ValueError: A window without rows, or a budget that leaves no window undisturbed.
    """
    rate = false_alarms_per_million_rows / _PER
    if window_rows < 1 or not 0 < rate * window_rows < 1:
        raise ValueError(
            f"a window of {window_rows} rows with {false_alarms_per_million_rows} false alarms per "
            "million rows: the window needs rows, and the budget must be above 0 and below one a "
            "window"
        )
    lengths = scale_rows(window_rows, len(rows))
    calibration = _Calibration(reference, rows, scores.astype(np.float64), lengths[0], seed)
    windows_a_row = sum(1 / length for length in lengths)
    return DriftThresholds(
        window_rows=window_rows,
        false_alarms_per_million_rows=false_alarms_per_million_rows,
        scales=[
            calibration.scale(length, min(rate / windows_a_row, LARGEST_SHARE))
            for length in lengths
        ],
    )


class _Calibration:
    """Of one reference."""

    def __init__(
        self, reference: ReferenceProfile, rows: Rows, scores: Floats, block_rows: int, seed: int
    ) -> None:
        self._rows = len(rows)
        self._features = len(reference.features)
        placed = binned(reference, rows, scores)
        self._null = NullWindows(placed, np.array(reference.correlations), block_rows)
        drawn = self._null.drawn(block_rows, np.random.default_rng(seed))
        self._bins = BinLimits(placed, drawn, block_rows)
        self._pairs = PairLimits(self._null, self._rows, block_rows, drawn)

    def scale(self, length: int, share: float) -> ScaleThresholds:
        """Thresholds that a share of windows of this length exceeds."""
        seen = self._null.contiguous(length) if fits(self._rows, length) else None
        each = share / max(self._features, 1)
        return ScaleThresholds(
            rows=length,
            anderson_darling=_written(self._bins.order(length, each * ORDER, seen)[:-1]),
            triangular=_written(self._bins.share(length, each * SHARE, seen)[:-1]),
            rare=_written(self._bins.rare(length, each * RARE, seen)[:-1]),
            correlation=_written([self._pairs.limit(share * PAIRS, seen)])[0],
            score=_written(self._bins.share(length, share * SCORE, seen)[-1:])[0],
        )


def _written(limits: Floats | list[float]) -> list[float]:
    return [max(float(f"{limit:.{DIGITS}g}"), _SMALLEST) for limit in limits]
