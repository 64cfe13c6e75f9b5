"""How many rows a challenger scores at once, and how long it rests: a run stays short, CPU bounded.

On one core a run of the challenger is the longest that an answer can wait for it. So a run is made
of as many rows as take half of what an answer may wait, by the slowest rows seen lately.
"""

MOST_ROWS = 256
"""Rows of one run."""

SLOW_RUNS = 5
"""Runs of a single row, one after the other, that take longer than an answer may wait."""

LONGEST_REST_S = 5.0

_FORGET = 0.9
_AIM = 0.5


class Pacing:
    """The pace of one challenger.

    Attributes:
        rows: Rows of the next run.
        too_slow_ms: What one row takes, where that is more than an answer may wait; else None.
    """

    def __init__(self, most_delay_ms: float, cpu_share: float) -> None:
        """Begin with single rows.

        Args:
            most_delay_ms: What a run may take.
            cpu_share: Share of one core that all runs may take.
        """
        self.rows = 1
        self.too_slow_ms: float | None = None
        self._most_s, self._share = most_delay_ms / 1_000, cpu_share
        self._row_s = 0.0
        self._slow = 0

    def after(self, rows: int, took_s: float) -> float:
        """A run is over; returns the seconds to rest.

        Args:
            rows: Of the run.
            took_s: What it took, all in all.

        Examples:
            >>> pacing = Pacing(most_delay_ms=10, cpu_share=0.25)
            >>> pacing.after(1, 0.001), pacing.rows
            (0.003, 2)
        """
        self._row_s = max(took_s / rows, self._row_s * _FORGET)
        fitting = int(_AIM * self._most_s / self._row_s) if self._row_s > 0 else MOST_ROWS
        self.rows = max(1, min(MOST_ROWS, 2 * self.rows, fitting))
        self._slow = self._slow + 1 if rows == 1 and took_s > self._most_s else 0
        if self._slow >= SLOW_RUNS:
            self.too_slow_ms = 1_000 * took_s
        return min(LONGEST_REST_S, took_s * (1 / self._share - 1))
