"""Remembers the last answers, so that labels which come later can be compared with them."""

from array import array

import numpy as np
import numpy.typing as npt

RECENT_ANSWERS = 65_536
"""How many answers are remembered: 1.5 MB."""

_NONE = -1


class RecentAnswers:
    """The label of each of the last answers, by the answer's number."""

    def __init__(self, capacity: int = RECENT_ANSWERS) -> None:
        """Remember nothing yet.

        Args:
            capacity: How many answers are remembered; then the oldest is forgotten.
        """
        self._capacity = capacity
        self._next = 0
        self._numbers = array("q", [_NONE]) * capacity
        self._labels = array("d", [0.0]) * capacity
        self._loads = array("q", [0]) * capacity

    def note(self, number: int, label: float, load: int) -> None:
        """Remember an answer.

        Args:
            number: The answer's number, one more than the last.
            label: What was answered.
            load: Which loading of a model answered it.
        """
        place = number % self._capacity
        self._numbers[place] = number
        self._next = number + 1
        self._labels[place] = label
        self._loads[place] = load

    def note_many(self, first: int, labels: npt.NDArray[np.float64], load: int) -> None:
        """Remember the answers of one call.

        Args:
            first: The number of the first of them; the others follow.
            labels: What was answered.
            load: Which loading of a model answered them.
        """
        self._next = first + len(labels)
        if len(labels) > self._capacity:
            first += len(labels) - self._capacity
            labels = labels[-self._capacity :]
        place = first % self._capacity
        until = min(place + len(labels), self._capacity)  # the end of the arrays; then on from 0
        some = until - place
        self._note_slice(slice(place, until), first, labels[:some], load)
        if some < len(labels):
            rest = labels[some:]
            self._note_slice(slice(0, len(rest)), first + some, rest, load)

    def _note_slice(
        self, places: slice, first: int, labels: npt.NDArray[np.float64], load: int
    ) -> None:
        np.frombuffer(self._numbers, np.int64)[places] = np.arange(first, first + len(labels))
        np.frombuffer(self._labels, np.float64)[places] = labels
        np.frombuffer(self._loads, np.int64)[places] = load

    def last(self, count: int, load: int) -> npt.NDArray[np.float64]:
        """What was answered last, as far as it is remembered and one loading answered it.

        Args:
            count: How many answers there were.
            load: Which loading of a model.
        """
        count = min(count, self._capacity)
        places = np.arange(self._next - count, self._next) % self._capacity
        by = np.frombuffer(self._loads, np.int64)[places]
        answers: npt.NDArray[np.float64] = np.frombuffer(self._labels, np.float64)[places]
        chosen: npt.NDArray[np.float64] = answers[by == load]
        return chosen

    def take(self, number: int) -> tuple[float, int] | None:
        """Label and load of an answer, once; None if it is unknown, forgotten or was taken."""
        place = number % self._capacity
        if self._numbers[place] != number:
            return None
        self._numbers[place] = _NONE
        return self._labels[place], self._loads[place]
