"""A sensor that measures a recording anew, row by row; the truth about a row comes later."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fleetloop_agent.ports import Rows
from fleetloop_firmware_sim.recording import Recording, Truth

Given = Rows | Sequence[Mapping[str, float | str | None]]


@dataclass(frozen=True)
class Answer:
    """What a device said about a row.

    Attributes:
        prediction_id: Names the answer.
        label: What it said: a class, or the number of a regression.
        score: As the model's signature has it read.
        version: The model version that said it.
        class_name: What the class is called, where it has a name.
    """

    prediction_id: str
    label: float
    score: float
    version: int
    class_name: str | None = None


class Feeder(ABC):
    """The way from a sensor to a device."""

    @abstractmethod
    def columns(self) -> list[str] | None:
        """What the device's model wants to see, in its order; None while it has no model."""

    @abstractmethod
    def predict(self, rows: Given) -> list[Answer] | None:
        """One answer a row; None if the device cannot answer now, and the rows are to be kept.

        Args:
            rows: Numbers, with the columns that the model wants; or mappings of names to numbers,
                texts, and None.

        Raises:
            FeedError: There is no such device, or it refuses the rows for good.
        """

    @abstractmethod
    def feedback(self, labels: Sequence[tuple[str, Truth]]) -> None:
        """Tell the truth about earlier answers, by prediction id.

        Raises:
            FeedError: There is no such device, or it refuses the labels for good.
        """


@dataclass(frozen=True)
class Reading:
    """A row that was answered.

    Attributes:
        row: Its number in the recording, from 0.
        answer: What the device said.
        truth: What it should have said, as the recording knows.
    """

    row: int
    answer: Answer
    truth: Truth | None


class Sensor:
    """Feeds a recording to a device; what was not answered is offered again.

    Attributes:
        readings: The rows that were answered, in order.
        unanswered: How often rows were offered in vain.
    """

    def __init__(self, recording: Recording, feeder: Feeder, label_delay_rows: int = 1) -> None:
        """Begin before the first row.

        Args:
            recording: What is measured.
            feeder: The device.
            label_delay_rows: How many rows later the truth about a row is known.
        """
        self.readings: list[Reading] = []
        self.unanswered = 0
        self._recording = recording
        self._feeder = feeder
        self._delay_rows = label_delay_rows
        self._selected: Recording | None = None
        self._told = 0
        self._judged, self._right = [0], [0]
        self._versions: list[tuple[int, int]] = []

    @property
    def done(self) -> bool:
        """Whether every row was answered; the last labels may be yet to come."""
        return len(self.readings) == len(self._recording.labels)

    def measure(self, rows: int) -> int:
        """Feed up to `rows` rows in one go, and the labels that have become known.

        Returns:
            How many were answered.

        Raises:
            FeedError: As the feeder.
            RecordingError: The model wants a column that the recording lacks.
        """
        first = len(self.readings)
        answers = self._ask(first, min(first + rows, len(self._recording.labels)))
        for row, answer in enumerate(answers, start=first):
            self._note(Reading(row, answer, self._recording.labels[row]))
        self._tell(len(self.readings) - self._delay_rows)
        return len(answers)

    def tell_the_rest(self) -> None:
        """Let every label become known.

        Raises:
            FeedError: As the feeder.
        """
        self._tell(len(self.readings))

    def accuracy(self, start: int = 0, stop: int | None = None) -> float | None:
        """The share of right answers to the recording's rows `start` up to `stop`.

        Answers of a regression are right where they hit the truth to the last digit: hardly ever.
        None if no row among them was answered and has a known truth.
        """
        stop = len(self.readings) if stop is None else min(stop, len(self.readings))
        start = min(start, stop)
        judged = self._judged[stop] - self._judged[start]
        return (self._right[stop] - self._right[start]) / judged if judged else None

    def versions(self) -> list[tuple[int, int]]:
        """Each model version that answered, with the row at which it first did, in order."""
        return list(self._versions)

    def _note(self, reading: Reading) -> None:
        known = reading.truth is not None
        self._judged.append(self._judged[-1] + known)
        answer = reading.answer
        said = answer.class_name if isinstance(reading.truth, str) else answer.label
        self._right.append(self._right[-1] + (known and said == reading.truth))
        if not self._versions or self._versions[-1][0] != reading.answer.version:
            self._versions.append((reading.answer.version, reading.row))
        self.readings.append(reading)

    def _ask(self, first: int, stop: int) -> list[Answer]:
        columns = self._feeder.columns() if first < stop else None
        if columns is None:
            self.unanswered += stop - first
            return []
        if self._selected is None or self._selected.columns != columns:
            self._selected = self._recording.select(columns)
        part = self._selected.part(first, stop)
        answers = self._feeder.predict(part.named() if part.texts else part.rows)
        self.unanswered += stop - first if answers is None else 0
        return answers or []

    def _tell(self, known: int) -> None:
        labels = [
            (reading.answer.prediction_id, reading.truth)
            for reading in self.readings[self._told : max(known, 0)]
            if reading.truth is not None
        ]
        if labels:
            self._feeder.feedback(labels)
        self._told = max(self._told, known)


class Pace:
    """How many rows are due by now, at so many rows a second."""

    def __init__(self, rows_per_s: float, now_s: float) -> None:
        """Begin now.

        Args:
            rows_per_s: The speed.
            now_s: Of a clock that never goes back.
        """
        self._rows_per_s = rows_per_s
        self._began_s = now_s
        self._taken = 0

    def due(self, now_s: float, most: int) -> int:
        """Rows that are due and were not taken before; what is over `most` stays due."""
        rows = int((now_s - self._began_s) * self._rows_per_s) - self._taken
        rows = max(0, min(rows, most))
        self._taken += rows
        return rows
