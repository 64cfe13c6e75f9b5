"""Gathers what one collect hands over: bounded, and what does not fit is counted."""

from collections import deque
from typing import Generic, TypeVar

import numpy as np

from fleetloop_agent.errors import AbstainedError, InputError
from fleetloop_agent.serving.records import Counters
from fleetloop_shared.latency import BINS, count_times

T = TypeVar("T")


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
    """Counts since the last `take`."""

    def __init__(self) -> None:
        """Count nothing yet."""
        self.labels_correct: int | None = 0
        self._clear()

    def took(self, times_ns: list[int]) -> None:
        """Runs of the model took these times, in nanoseconds; the list is emptied."""
        self._latency_counts += count_times(times_ns)
        times_ns.clear()

    def failed(self, rows: int, error: Exception) -> None:
        """Rows were refused for their form or value, or the model failed on them."""
        if not isinstance(error, InputError):
            self.errors += rows
            return
        self.refused += rows
        self.abstained += rows if isinstance(error, AbstainedError) else 0

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

    def take(self, rows: int, dropped: int) -> Counters:
        """The counts, which begin again.

        Args:
            rows: Rows that were answered meanwhile.
            dropped: What buffers dropped meanwhile.
        """
        counters = Counters(
            rows=rows,
            errors=self.errors,
            refused=self.refused,
            abstained=self.abstained,
            latency_counts=tuple(self._latency_counts.tolist()),
            labels=self.labels,
            labels_correct=self.labels_correct,
            dropped=dropped,
        )
        self._clear()
        return counters

    def _clear(self) -> None:
        self.errors = self.refused = self.abstained = 0
        self._latency_counts = np.zeros(BINS, np.int64)
        self.forget_labels()
