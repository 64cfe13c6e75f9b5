"""What serving gives back: answers to who asks, and what has come together to the agent."""

from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from fleetloop_agent.ports import Rows
from fleetloop_agent.serving.truths import Truths
from fleetloop_shared.drift.scan import Judged
from fleetloop_shared.estimate.records import LabelEvidence
from fleetloop_shared.manifest import Manifest
from fleetloop_shared.reports import Label, Sample


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to one row.

    Attributes:
        prediction_id: Names it; a label that is known later refers to it.
        label: One of the signature's classes, or the number of a regression.
        score: Probability of the positive class; without one, of the answer; or the number itself.
        model: The model that answered.
        version: Its version.
        artifact: SHA-256 of the bytes that answered.
        class_name: What the class is called, where it has a name.
    """

    prediction_id: str
    label: int | float
    score: float
    model: str
    version: int
    artifact: str
    class_name: str | None = None


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """The answers to the rows of one call, all of one model, as arrays.

    Attributes:
        prefix: What all prediction ids of this start begin with.
        first: The number of the first answer; those of the others follow it without a gap.
        scores: One a row.
        labels: One of the classes a row, or the number of a regression.
        outputs: What the model put out, shape (rows, classes), or (rows, 1) of a regression.
        manifest: Of the model that answered.
        truths: What its answers are called.
    """

    prefix: str
    first: int
    scores: npt.NDArray[np.float64]
    labels: npt.NDArray[np.float64]
    outputs: Rows
    manifest: Manifest
    truths: Truths

    def each(self) -> list[Answer]:
        """An answer a row."""
        manifest, said = self.manifest, self.truths.said(self.labels.tolist())
        return [
            Answer(
                prediction_id=f"{self.prefix}{number}",
                label=label,
                score=score,
                model=manifest.model,
                version=manifest.version,
                artifact=manifest.sha256,
                class_name=class_name,
            )
            for number, (score, (label, class_name)) in enumerate(
                zip(self.scores.tolist(), said, strict=True), self.first
            )
        ]


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
        refused: Rows refused for their form.
        out_of_range: Values outside the signature's range, and categories that it does not list, in
            rows that were answered.
        latency_p50_ms: Median time of the model's last runs, None before the first.
        latency_p99_ms: 99th percentile of the same.
        labels: Labels for answers of the loaded model.
        labels_correct: Answers among those that were right, None for a regression.
        dropped: Blocks, samples and labels dropped because nobody collected them.
        evidence: What all labels for answers of the loaded model say, None before the first.
    """

    rows: int = 0
    errors: int = 0
    refused: int = 0
    out_of_range: int = 0
    latency_p50_ms: float | None = None
    latency_p99_ms: float | None = None
    labels: int = 0
    labels_correct: int | None = 0
    dropped: int = 0
    evidence: LabelEvidence | None = None


@dataclass(frozen=True)
class Collected:
    """What has come together since the last `collect`.

    Attributes:
        windows: Windows that are over, and alarms.
        samples: Served rows that may leave the device.
        labels: Labels that came.
        counters: How serving went.
    """

    windows: list[Window]
    samples: list[Sample]
    labels: list[Label]
    counters: Counters
