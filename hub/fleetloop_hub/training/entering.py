"""Packs a fitted candidate for the device, and records what it is worth there."""

import itertools
import math
from dataclasses import dataclass, field

from fleetloop_hub.packaging.artifact import Artifact, Outputs
from fleetloop_hub.packaging.packing import Packed, Trial, pack
from fleetloop_hub.run_parts import Candidate
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.training.deciding import costs
from fleetloop_hub.training.finishing import Model
from fleetloop_hub.training.folds import Fold
from fleetloop_hub.training.search import Found
from fleetloop_hub.validation.metrics import Answers, measure

_DIGITS = 6


@dataclass(frozen=True)
class Tried:
    """A candidate, fitted and packed.

    Attributes:
        record: What the run says about it.
        packed: Its files.
        model: What they were written from.
        answers: What the quantized artifact says about the rows it was judged on.
        scores: The metric on each fold, of the model before it was packed.
    """

    record: Candidate
    packed: Packed
    model: Model
    answers: Answers
    scores: list[float] = field(default_factory=list)


def enter(found: Found, fold: Fold, spec: ModelSpec) -> Tried:
    """Write the smallest file that loses no more than the spec allows, and measure it.

    Args:
        found: What is packed.
        fold: Rows it was fitted on, and rows it is judged on.
        spec: Metric, costs and losses.
    """
    model, judged = found.model, fold.judged

    def score(outputs: Outputs) -> float:
        return measure(spec.gates.metric, Answers(judged.label, outputs, model.signature))

    trial = Trial(
        judged.values,
        score,
        spec.quantization.largest_loss,
        spec.gates.label_flips,
        learned=fold.train.values,
        calibration_rows=spec.quantization.calibration_rows,
    )
    packed = pack(model.fitted, model.head, model.signature, trial)
    artifact = Artifact(packed.data, model.signature)
    answers = Answers(judged.label, artifact.outputs(judged.values), model.signature)
    cost = costs(answers, spec.label)
    record = Candidate(
        name=model.candidate.name,
        parameters=model.fitted.parameters,
        score=packed.float_score,
        quantized_score=packed.score,
        float_bytes=len(packed.float_data),
        artifact_bytes=len(packed.data),
        latency_ms=artifact.median_ms(judged.values),
        recipe=packed.recipe,
        fold_scores=found.known_scores,
        curves={name: _short(curve) for name, curve in model.fitted.curves.items()},
        wire_bytes=packed.transport_bytes,
        calibration=model.signature.calibration,
        decision_threshold=model.signature.decision_threshold,
        cost=None if cost is None else cost.model,
        warnings=[*model.fitted.notes, *filter(None, [packed.note])],
    )
    return Tried(record, packed, model, answers, found.scores)


def _short(curve: list[float]) -> list[float]:
    """Six digits of each, up to where it leaves all bounds."""
    kept = itertools.takewhile(math.isfinite, curve)
    return [float(f"{value:.{_DIGITS}g}") for value in kept]
