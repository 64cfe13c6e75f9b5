"""Streams of rows through the code that a device watches with, and when it raises an alarm."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2

from fleetloop_shared.drift.scan import Judged
from fleetloop_shared.profile import DriftThresholds, ReferenceProfile
from support.watching import judged

Rows = npt.NDArray[np.float32]
Scores = npt.NDArray[np.float64]


class Watch:
    """One reference with its thresholds."""

    def __init__(self, reference: ReferenceProfile, thresholds: DriftThresholds) -> None:
        """Take what the manifest carries."""
        self._reference, self._thresholds = reference, thresholds

    @property
    def window_rows(self) -> int:
        """Rows in a reporting window."""
        return self._thresholds.window_rows

    def told(self, rows: Rows, scores: Scores) -> list[Judged]:
        """All that a device tells of these rows."""
        return judged(self._reference, self._thresholds, rows, scores)


def alarms(watch: Watch, rows: Rows, scores: Scores) -> Iterator[Judged]:
    """The windows that are an alarm, each once."""
    return (w for w in watch.told(rows, scores) if w.verdict.alarm)


def alarmed_windows(watch: Watch, rows: Rows, scores: Scores) -> int:
    """Reporting windows in which there was an alarm; of whole windows only."""
    return sum(window.alarm for window in watch.told(rows, scores) if window.closed)


def first_alarm(watch: Watch, rows: Rows, scores: Scores, began: int) -> int | None:
    """The row at which the first alarm is raised by a window that ends after `began`.

    After a false alarm before it nothing is told until that reporting window ends.
    """
    ends = (w.first_row - 1 + w.verdict.rows for w in alarms(watch, rows, scores))
    return min((end for end in ends if end > began), default=None)


def poisson_interval(count: int) -> tuple[float, float]:
    """The 95 % interval of the mean of a Poisson count (Garwood)."""
    low = float(chi2.ppf(0.025, 2 * count)) / 2 if count else 0.0
    return low, float(chi2.ppf(0.975, 2 * count + 2)) / 2
