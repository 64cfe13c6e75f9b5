"""Gathers what one collect hands over: bounded, and what does not fit is counted."""

from collections import deque
from typing import Generic, TypeVar

import numpy as np

from fleetloop_agent.serving.records import Counters

T = TypeVar("T")

LATENCIES = 1_024
"""Runs of the model over which latency is told."""


def added(right: int | None, more: int | None) -> int | None:
    """The sum of two counts of right answers; unknown if one of them is."""
    return None if right is None or more is None else right + more


class Buffer(Generic[T]):
    """The last things that came, until they are taken."""

    def __init__(self, capacity: int) -> None:
        """Hold nothing yet.

        Args:
            capacity: Beyond it the oldest is dropped.
        """
        self._capacity = capacity
        self._held: deque[T] = deque(maxlen=capacity)
        self.dropped = 0

    def put(self, thing: T) -> None:
        """Hold a thing."""
        self.dropped += len(self._held) == self._capacity
        self._held.append(thing)

    def take(self) -> list[T]:
        """Everything that is held, oldest first; it is no longer held then."""
        held = list(self._held)
        self._held.clear()
        return held


class Tally:
    """Counts since the last `take`, and the model's last latencies."""

    def __init__(self) -> None:
        """Count nothing yet."""
        self._latencies_ms: deque[float] = deque(maxlen=LATENCIES)
        self.labels_correct: int | None = 0
        self._clear()

    def ran(self, rows: int, out_of_range: int, took_ms: float) -> None:
        """Rows were answered in one run."""
        self.rows += rows
        self.out_of_range += out_of_range
        self._latencies_ms.append(took_ms)

    def labelled(self, *, correct: bool | None) -> None:
        """A label came for an answer of the loaded model.

        Args:
            correct: Whether the answer was right, None for a regression.
        """
        self.labels += 1
        self.labels_correct = added(self.labels_correct, correct)

    def forget_labels(self) -> None:
        """Another model is loaded: labels are counted for its answers only."""
        self.labels, self.labels_correct = 0, 0

    def take(self, dropped: int) -> Counters:
        """The counts, which begin again.

        Args:
            dropped: What buffers dropped meanwhile.
        """
        p50, p99 = (
            np.percentile(list(self._latencies_ms), [50, 99]).tolist()
            if self._latencies_ms
            else (None, None)
        )
        counters = Counters(
            rows=self.rows,
            errors=self.errors,
            refused=self.refused,
            out_of_range=self.out_of_range,
            latency_p50_ms=p50,
            latency_p99_ms=p99,
            labels=self.labels,
            labels_correct=self.labels_correct,
            dropped=dropped,
        )
        self._clear()
        return counters

    def _clear(self) -> None:
        self.rows = self.errors = self.refused = self.out_of_range = 0
        self.forget_labels()
