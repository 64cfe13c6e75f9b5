"""Turns a false-alarm budget into drift thresholds, by replaying undrifted windows.

Two kinds of undrifted windows go through the statistics that the device computes:

- *contiguous* windows, cut out of the time-ordered reference and compared with the rest of it: rows
  that follow each other closely make their statistics larger, and so the thresholds;
- *independent* windows, drawn from the reference's counts with half a row added to each bin, so
  that a value which the reference happens not to hold is unlikely, not impossible. There are many
  of them, so they show the tail; they are made larger by as much as contiguous windows are larger
  on average.

Each statistic is measured from where its larger values begin, in units of how far they go; the
largest of them a window is what the budget is kept for, so that it holds for all features, pairs
and the score together. A budget is often rarer than what the reference can show: a thousand windows
of 64 rows are 64,000 rows. Its place is then extrapolated with an exponential tail, which is the
tail of these quadratic statistics, and set further out the fewer contiguous windows there are.
"""

import math

import numpy as np
import numpy.typing as npt

from fleetloop_hub.packaging.null_windows import NullWindows
from fleetloop_hub.spec.fleet_tables import BLOCK_ROWS, FEWEST_WINDOW_ROWS
from fleetloop_shared.profile import DriftThresholds, ReferenceProfile, ScaleThresholds

Rows = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

ENOUGH_WINDOWS = 20
"""Contiguous windows without overlap from which the reference speaks for itself."""

_LARGER = 0.8
_TAILS = (0.8, 0.95)
_SMALLEST = 1e-9
_PER = 1_000_000
_SCALES = (1, 2, 4, 8, 16)


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
        scores: Their scores.
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
    random = np.random.default_rng(seed)
    lengths = scale_rows(window_rows, len(rows))
    return DriftThresholds(
        window_rows=window_rows,
        false_alarms_per_million_rows=false_alarms_per_million_rows,
        scales=[
            _scale(
                NullWindows(reference, rows, scores, length, random), rate * length / len(lengths)
            )
            for length in lengths
        ],
    )


def scale_rows(window_rows: int, reference_rows: int) -> list[int]:
    """The lengths of the windows that devices judge, ascending.

    Blocks, windows of 2, 4, 8 and 16 of them as far as the reference holds four such windows, and
    the reporting window.

    >>> scale_rows(1024, 10_000)
    [256, 512, 1024, 2048]
    >>> scale_rows(32, 300)
    [32, 64]
    """
    block = min(BLOCK_ROWS, window_rows)
    fitting = [block * n for n in _SCALES if NullWindows.fits(reference_rows, block * n)]
    return sorted({block, window_rows, *fitting})


def _scale(null: NullWindows, share: float) -> ScaleThresholds:
    limits = _limits(
        null.contiguous(),
        null.independent(),
        windows=null.reference_rows / null.window_rows,
        share=share,
    ).tolist()
    width = (len(limits) - 2) // 2
    return ScaleThresholds(
        rows=null.window_rows,
        anderson_darling=limits[:width],
        triangular=limits[width : 2 * width],
        correlation=math.sqrt(limits[-2]),
        score=limits[-1],
    )


def shortcomings(reference_rows: int, window_rows: int) -> list[str]:
    """What a reference of this size cannot tell about its windows, in words; empty if all is well.

    >>> shortcomings(20_000, 256)
    []
    >>> shortcomings(100, 64)[0]
    'the reference holds 1.6 windows of 64 rows: thresholds rest on resampled blocks of 12 rows'
    """
    windows = reference_rows / window_rows
    if windows >= ENOUGH_WINDOWS:
        return []
    basis = (
        "are set further out to be safe"
        if NullWindows.fits(reference_rows, window_rows)
        else f"rest on resampled blocks of {NullWindows.block_rows(reference_rows)} rows"
    )
    shorter = reference_rows // ENOUGH_WINDOWS
    windows_of = f", or windows of {shorter} rows," if shorter >= FEWEST_WINDOW_ROWS else ""
    return [
        f"the reference holds {windows:.1f} windows of {window_rows} rows: thresholds {basis}",
        f"{ENOUGH_WINDOWS * window_rows:,} rows{windows_of} would keep the budget better",
    ]


def _limits(contiguous: Floats, independent: Floats, *, windows: float, share: float) -> Floats:
    """One limit a statistic, which together a share of windows exceeds.

    Args:
        contiguous: Statistics of contiguous windows, shape (windows, statistics).
        independent: The same of independent windows.
        windows: How many contiguous windows there are without overlap.
        share: The share of windows that may exceed any limit.
    """
    mean = independent.mean(axis=0)
    larger = np.divide(contiguous.mean(axis=0), mean, out=np.ones_like(mean), where=mean > 0)
    inflated = independent * np.maximum(larger, 1.0)
    place = max(
        _place(_largest(contiguous), share, windows),
        _place(_largest(inflated), share, len(inflated)),
    )
    # With few windows the scale is itself uncertain; 2 / windows brought the false alarms of AR(1)
    # rows (phi 0 to 0.9, 3 to 80 windows) back to the budget.
    scale = np.maximum(_mean_excess(contiguous), _mean_excess(inflated)) * (
        1 + 2 / max(windows, 2.0)
    )
    limits: Floats = np.maximum(_start(contiguous), _start(inflated)) + scale * place
    return np.maximum(limits, _SMALLEST)


def _start(statistics: Floats) -> Floats:
    start: Floats = np.quantile(statistics, _LARGER, axis=0)
    return start


def _mean_excess(statistics: Floats) -> Floats:
    beyond = np.maximum(statistics - _start(statistics), 0.0)
    mean: Floats = beyond.sum(axis=0) / np.maximum((beyond > 0).sum(axis=0), 1)
    return np.maximum(mean, _SMALLEST)


def _largest(statistics: Floats) -> Floats:
    """The largest statistic of each window, all of them made comparable."""
    largest: Floats = ((statistics - _start(statistics)) / _mean_excess(statistics)).max(axis=1)
    return largest


def _place(largest: Floats, share: float, windows: float) -> float:
    """The value that a share of windows exceeds: the farthest of several exponential tails.

    Args:
        largest: The largest statistic of each window.
        share: The share of windows that may exceed the result.
        windows: How many windows without overlap they are worth.
    """
    places = [float(np.quantile(largest, 1 - share))]
    for level in _TAILS:
        start = float(np.quantile(largest, level))
        beyond = largest[largest > start] - start
        if share < 1 - level and len(beyond):
            uncertain = 1 + 1 / math.sqrt(max(1.0, (1 - level) * windows))
            places.append(start + float(beyond.mean()) * uncertain * math.log((1 - level) / share))
    return max(places)
