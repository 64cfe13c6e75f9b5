"""Rows on their way from the champion to the challenger: a share of them, and a bounded number."""

import random
from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fleetloop_agent.ports import Rows

QUEUED_ROWS = 2_048
QUEUED_BYTES = 4 * 1024 * 1024
"""Rows that wait at most; a newer one is dropped then, and counted."""

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Batch:
    """Rows with what the champion has said of them.

    Attributes:
        rows: Shape (rows, features).
        numbers: Of the champion's answers.
        scores: As answered.
        labels: As answered.
    """

    rows: Rows
    numbers: Numbers
    scores: Floats
    labels: Floats


class ShadowQueue:
    """Put by threads that hold the champion's lock, taken by one other."""

    def __init__(self, share: float, columns: int, seed: int) -> None:
        """Nothing waits.

        Args:
            share: Of the rows, 0 to 1.
            columns: Features of a row.
            seed: Which rows it is, as far as chance decides.
        """
        self._share, self._columns = share, columns
        self._limit = max(1, min(QUEUED_ROWS, QUEUED_BYTES // (4 * columns)))
        self._draw = random.Random(seed).random  # noqa: S311  # a share, no secret
        self._draws = np.random.default_rng(seed)
        self._waiting: deque[tuple[bytes, int, float, float]] = deque()
        self.full = 0

    def __len__(self) -> int:
        """Rows that wait."""
        return len(self._waiting)

    def put(self, row: bytes, number: int, score: float, label: float) -> None:
        """Take a row, if its turn is now; one that finds no room is counted in `full`."""
        if self._draw() < self._share:
            if len(self._waiting) < self._limit:
                self._waiting.append((row, number, score, label))
            else:
                self.full += 1

    def put_many(self, rows: Rows, first: int, said: tuple[Floats, Floats]) -> None:
        """Take those of the rows whose turn it is."""
        chosen = np.flatnonzero(self._draws.random(len(rows)) < self._share)
        room = max(0, self._limit - len(self._waiting))
        self.full += max(0, len(chosen) - room)
        scores, labels = said
        for k in chosen[:room].tolist():
            self._waiting.append((rows[k].tobytes(), first + k, scores[k], labels[k]))

    def take(self, most: int) -> Batch | None:
        """The rows that wait longest, None where none does."""
        taken: list[tuple[bytes, int, float, float]] = []
        while self._waiting and len(taken) < most:
            taken.append(self._waiting.popleft())
        if not taken:
            return None
        rows, numbers, scores, labels = zip(*taken, strict=True)
        values = np.frombuffer(b"".join(rows), np.float32).reshape(-1, self._columns)
        return Batch(
            values,
            np.array(numbers, np.uint64),
            np.array(scores, np.float64),
            np.array(labels, np.float64),
        )
