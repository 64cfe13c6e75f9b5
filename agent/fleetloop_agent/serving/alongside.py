"""What may stand beside the champion: it sees the rows that are answered, and answers some."""

from abc import ABC, abstractmethod

import numpy as np
import numpy.typing as npt

from fleetloop_agent.ports import Rows
from fleetloop_agent.serving.intake import Given
from fleetloop_agent.serving.records import Answered

Floats = npt.NDArray[np.float64]


class Alongside(ABC):
    """Called in the threads of who asks; each call takes microseconds, whatever runs meanwhile."""

    @abstractmethod
    def note(self, row: bytes, number: int, score: float, label: float) -> None:
        """The champion has answered a row; who calls holds its lock.

        Args:
            row: Its float32 values.
            number: Of its answer.
            score: As answered.
            label: As answered.
        """

    @abstractmethod
    def note_many(self, rows: Rows, first: int, said: tuple[Floats, Floats]) -> None:
        """The champion has answered rows; who calls holds its lock.

        Args:
            rows: Their values.
            first: The number of the first answer; the others follow.
            said: Scores and labels, as answered.
        """

    @abstractmethod
    def answer(self, rows: Given, key: str) -> Answered | None:
        """The challenger's answer, where the rows of this key are its; else None.

        None as well where it fails or the rows are not its inputs: the champion takes them then.
        """

    @abstractmethod
    def label(self, prediction_id: str, number: int | None, label: float) -> bool:
        """The truth about an answer came; whether it was one that the challenger has given.

        Args:
            prediction_id: Names the answer.
            number: Of the champion's answer, None where it is none of this start.
            label: The truth.
        """
