"""What serving gives back: answers to who asks, and what has come together to the agent."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from fleetloop_agent.ports import Rows
from fleetloop_agent.serving.open_window import OpenWindow
from fleetloop_agent.serving.truths import Truths
from fleetloop_shared.drift.scan import Judged
from fleetloop_shared.estimate.records import LabelEvidence
from fleetloop_shared.groups import GroupCounts
from fleetloop_shared.latency import BINS
from fleetloop_shared.manifest import Manifest
from fleetloop_shared.reports import Label, Sample

T = TypeVar("T")

Floats = npt.NDArray[np.float64]


class Answer(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The answer to one row.

    Attributes:
        prediction_id: Names it; a label that is known later refers to it.
        label: One of the signature's classes, or the number of a regression.
        score: Probability of the positive class; without one, of the answer; or the number itself.
        model: The model that answered.
        version: Its version.
        artifact: SHA-256 of the bytes that answered.
        class_name: What the class is called, where it has a name.
        probabilities: Of all classes, in the signature's order; none of a regression.
    """

    prediction_id: str
    label: int | float
    score: float
    model: str
    version: int
    artifact: str
    class_name: str | None = None
    probabilities: list[float] = []


class Answered(msgspec.Struct, frozen=True, gc=False):
    """The answers to the rows of one call, all of one model; records are made when asked for.

    An application that wants the scores of a thousand rows takes them as an array, and no object is
    made for each row. `len` is the number of rows.

    Attributes:
        prefix: What all prediction ids of this start begin with.
        first: The number of the first answer; those of the others follow it without a gap.
        manifest: Of the model that answered: its name, version, hash and signature.
        truths: What its answers are called.
    """

    prefix: str
    first: int
    manifest: Manifest
    truths: Truths
    _scores: Floats | tuple[float]
    _labels: Floats | tuple[float]
    _outputs: Rows | tuple[list[float]]

    @property
    def scores(self) -> Floats:
        """One a row, as `Answer.score`."""
        return np.asarray(self._scores, np.float64)

    @property
    def labels(self) -> Floats:
        """One a row, as `Answer.label`: one of the classes, or the number of a regression."""
        return np.asarray(self._labels, np.float64)

    @property
    def outputs(self) -> Rows:
        """What the model put out, shape (rows, classes), or (rows, 1) of a regression."""
        return np.asarray(self._outputs, np.float32)

    def __len__(self) -> int:
        """How many rows were answered."""
        return len(self._scores)

    def each(self) -> list[Answer]:
        """An answer a row."""
        manifest, prefix, first = self.manifest, self.prefix, self.first
        by = manifest.model, manifest.version, manifest.sha256
        said = self.truths.said
        if isinstance(self._scores, tuple):
            number, name = said(self._labels[0])
            outputs = self._outputs[0] if manifest.signature.classes else []
            return [Answer(f"{prefix}{first}", number, self._scores[0], *by, name, outputs)]
        scores: list[float] = self._scores.tolist()
        labels = _plain(self._labels)
        rows = _plain(self._outputs) if manifest.signature.classes else [[] for _ in labels]
        answers = []
        for k, label in enumerate(labels):
            number, name = said(label)
            answers.append(Answer(f"{prefix}{first + k}", number, scores[k], *by, name, rows[k]))
        return answers


@dataclass(frozen=True)
class Window:
    """A window of served rows that is to be told of.

    Attributes:
        judged: What the monitor found.
        manifest: Of the model that answered them.
    """

    judged: Judged
    manifest: Manifest


@dataclass(frozen=True)
class Counters:
    """How serving went since the last `collect`.

    Attributes:
        rows: Rows answered.
        errors: Rows the model failed on.
        refused: Rows refused for their form, or for a value that the signature refuses; and labels
            refused with those that came with them.
        latency_counts: How long the model's runs took, in the bins of `fleetloop_shared.latency`.
        labels: Labels for answers of the loaded model.
        labels_correct: Answers among those that were right, None for a regression.
        dropped: Blocks, samples and labels that nobody collected in time, and rows that were to be
            sent and did not fit the budget of samples.
        evidence: What all labels for answers of the loaded model say, None before the first.
        groups: How groups of people were answered by the loaded model.
        abstained: Those of the refused rows that a value out of range was refused in.
        answer_counts: How often the loaded model gave each answer, as `fleetloop_shared.answers`
            counts them.
    """

    rows: int = 0
    errors: int = 0
    refused: int = 0
    latency_counts: tuple[int, ...] = (0,) * BINS
    labels: int = 0
    labels_correct: int | None = 0
    dropped: int = 0
    evidence: LabelEvidence | None = None
    groups: list[GroupCounts] = field(default_factory=list)
    abstained: int = 0
    answer_counts: tuple[int, ...] = ()


@dataclass(frozen=True)
class Collected:
    """What has come together since the last `collect`.

    Attributes:
        windows: Windows that are over, and alarms.
        samples: Served rows that may leave the device.
        labels: Labels that came.
        counters: How serving went.
        open_window: What the monitor has not told yet, if it was asked for.
        withheld: Features that no sample holds.
    """

    windows: list[Window]
    samples: list[Sample]
    labels: list[Label]
    counters: Counters
    open_window: OpenWindow | None = None
    withheld: list[str] = field(default_factory=list)


def _plain(values: npt.NDArray[np.generic] | tuple[T]) -> Sequence[T]:
    """As Python's own numbers."""
    if isinstance(values, tuple):
        return values
    numbers: list[T] = values.tolist()
    return numbers
