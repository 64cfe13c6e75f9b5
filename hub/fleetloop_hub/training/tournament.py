"""Fits every candidate, packs each for the device, and picks the best that fits the budget."""

from dataclasses import dataclass

from msgspec import structs

from fleetloop_hub.errors import TrainingError
from fleetloop_hub.packaging.artifact import Artifact, Outputs
from fleetloop_hub.packaging.fitted import Fitted
from fleetloop_hub.packaging.head import Head
from fleetloop_hub.packaging.packing import Packed, Trial, pack
from fleetloop_hub.records import Candidate
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.spec.training_tables import BudgetTable, CandidateTable
from fleetloop_hub.training.families import fit
from fleetloop_hub.training.split import Split
from fleetloop_hub.validation.metrics import Answers, measure
from fleetloop_shared.manifest import Signature


@dataclass(frozen=True)
class Tried:
    """A candidate, fitted and packed.

    Attributes:
        record: What the run says about it.
        packed: Its files.
        signature: How its outputs are read.
        fitted: The model.
        head: What follows the model in the graph.
    """

    record: Candidate
    packed: Packed
    signature: Signature
    fitted: Fitted
    head: Head


def hold(spec: ModelSpec, split: Split, signature: Signature) -> tuple[Tried, list[Candidate]]:
    """The winner, and the records of all candidates, best first.

    Raises:
        TrainingError: None of them fits the device's budget.
    """
    if not spec.candidates:
        raise TrainingError(
            "the spec names no candidates: add [[candidates]], or import an ONNX file"
        )
    tried = [_try(candidate, spec, split, signature) for candidate in spec.candidates]
    ranking = sorted(tried, key=lambda t: t.record.quantized_score, reverse=True)
    fitting = [t for t in ranking if not _excess(t.record, spec.budget)]
    if not fitting:
        found = "; ".join(f"{t.record.name}: {_excess(t.record, spec.budget)}" for t in ranking)
        raise TrainingError(
            f"no candidate fits the budget: {found}; name smaller candidates or raise [budget]"
        )
    winner = fitting[0].record
    noted = [structs.replace(t.record, note=_note(t.record, winner, spec)) for t in ranking]
    return fitting[0], noted


def _try(candidate: CandidateTable, spec: ModelSpec, split: Split, signature: Signature) -> Tried:
    fitted = fit(candidate, spec, signature.classes, split.train, split.validation)
    rows, truth = split.validation.values, split.validation.label

    def score(outputs: Outputs) -> float:
        return measure(spec.gates.metric, Answers(truth, outputs, signature))

    head = Head(positive=signature.positive)
    trial = Trial(
        rows,
        score,
        spec.quantization.largest_loss,
        spec.gates.label_flips,
        learned=split.train.values,
        calibration_rows=spec.quantization.calibration_rows,
    )
    packed = pack(fitted, head, signature, trial)
    record = Candidate(
        name=candidate.name,
        parameters=fitted.parameters,
        score=packed.float_score,
        quantized_score=packed.score,
        float_bytes=len(packed.float_data),
        artifact_bytes=len(packed.data),
        latency_ms=Artifact(packed.data, signature).median_ms(rows),
        recipe=packed.recipe,
    )
    return Tried(record, packed, signature, fitted, head)


def _excess(record: Candidate, budget: BudgetTable) -> str:
    """By what a candidate is over the budget, in words; "" if it fits."""
    if record.artifact_bytes > budget.artifact_bytes:
        return f"{record.artifact_bytes:,} of {budget.artifact_bytes:,} bytes"
    if record.latency_ms > budget.latency_ms:
        return f"{record.latency_ms:.3f} of {budget.latency_ms:g} ms"
    return ""


def _note(record: Candidate, winner: Candidate, spec: ModelSpec) -> str:
    if excess := _excess(record, spec.budget):
        return f"over the budget: {excess}"
    metric = spec.gates.metric
    if record.name == winner.name:
        return f"taken: the best {metric} on the validation rows within the budget"
    behind = winner.quantized_score - record.quantized_score
    return f"{metric} {behind:.3f} behind {winner.name}"
