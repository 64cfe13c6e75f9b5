"""What a fitted model still needs before it can answer: calibration and a decision threshold."""

from dataclasses import dataclass

import numpy as np
from msgspec import structs

from fleetloop_hub.data.frame import Frame
from fleetloop_hub.packaging.fitted import Fitted
from fleetloop_hub.packaging.head import Head
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.spec.training_tables import CandidateTable
from fleetloop_hub.training.calibrate import choose
from fleetloop_hub.training.deciding import balanced_threshold, odd_threshold, with_odd_range
from fleetloop_hub.training.fitting.anomaly import CONTAMINATION
from fleetloop_hub.validation.metrics import Answers, measure
from fleetloop_shared.manifest import NO_CLASS, CalibrationMap, Signature


@dataclass(frozen=True)
class Model:
    """A candidate that can answer.

    Attributes:
        candidate: What it is.
        fitted: The model.
        head: What follows it.
        signature: How its outputs are read.
    """

    candidate: CandidateTable
    fitted: Fitted
    head: Head
    signature: Signature

    def answers(self, rows: Frame) -> Answers:
        """What it says in floating point, before it is packed."""
        outputs = self.head.apply(self.fitted.raw(rows.values), rows.values)
        return Answers(rows.label, outputs.astype(np.float32), self.signature)


@dataclass(frozen=True)
class Parts:
    """Rows for finishing.

    Attributes:
        train: What the model was fitted on.
        newer: Rows it has not seen.
    """

    train: Frame
    newer: Frame


def finish(
    candidate: CandidateTable, fitted: Fitted, spec: ModelSpec, form: Signature, parts: Parts
) -> Model:
    """Calibrate on newer rows, and say where an answer turns into yes.

    Args:
        candidate: What was fitted.
        fitted: The model.
        spec: Its spec.
        form: Inputs and outputs, and the threshold of calibrated scores.
        parts: What it was fitted on, and newer rows.
    """
    if spec.model.task == "anomaly":
        share = candidate.contamination or CONTAMINATION
        scores = fitted.raw(parts.train.values)[:, 1]
        form = structs.replace(
            with_odd_range(form, scores), decision_threshold=odd_threshold(scores, share)
        )
        return Model(candidate, fitted, Head(positive=form.positive), form)
    if spec.model.task == "regression":
        return Model(candidate, fitted, Head(), form)
    places = np.searchsorted(form.classes, parts.newer.label).astype(np.float64)
    raw = fitted.raw(parts.newer.values)
    calibration = choose(spec.training.calibration, fitted.family, raw, places, form.positive)
    head = Head(calibration=calibration, positive=form.positive)
    if calibration.method == "none" and candidate.balanced and form.positive != NO_CLASS:
        share = float((parts.train.label == form.classes[form.positive]).mean())
        moved = balanced_threshold(form.decision_threshold, share)
        form = structs.replace(form, decision_threshold=moved)
    shown = CalibrationMap(method=calibration.method, x=list(calibration.x), y=list(calibration.y))
    return Model(candidate, fitted, head, structs.replace(form, calibration=shown))


def score(model: Model, rows: Frame, spec: ModelSpec) -> float:
    """The spec's metric on rows."""
    return measure(spec.gates.metric, model.answers(rows))
