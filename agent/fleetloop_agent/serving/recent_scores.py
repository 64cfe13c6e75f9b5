"""Scores of the last windows, as many as an estimate of the accuracy needs."""

from collections import deque

from fleetloop_shared.estimate.expected_by_score import expected_by_score
from fleetloop_shared.estimate.records import Estimate
from fleetloop_shared.manifest import Manifest

ENOUGH_ROWS = 512
"""Rows from which on older windows are left out: an accuracy is then sure to 4 points or so."""

MOST_WINDOWS = 64


class RecentScores:
    """Sums the score histograms of one model's newest windows; another model begins anew."""

    def __init__(self) -> None:
        """No window was seen yet."""
        self._artifact = ""
        self._windows: deque[list[int]] = deque(maxlen=MOST_WINDOWS)

    def estimate(self, manifest: Manifest, score_counts: list[int]) -> Estimate | None:
        """How accurate the answers of the newest windows are, by their scores.

        Args:
            manifest: Of the model that answered.
            score_counts: Of the window that has just closed.

        Returns:
            None if nothing is known about the model's accuracy.
        """
        if manifest.accuracy is None:
            return None
        if manifest.sha256 != self._artifact:
            self._artifact = manifest.sha256
            self._windows.clear()
        self._windows.append(score_counts)
        total = [0] * len(score_counts)
        for counts in reversed(self._windows):
            total = [a + b for a, b in zip(total, counts, strict=True)]
            if sum(total) >= ENOUGH_ROWS:
                break
        return expected_by_score(manifest.accuracy, total)
