"""Finds the smallest file that still answers as the float model does, by measuring each recipe."""

from collections.abc import Callable
from dataclasses import dataclass

from fleetloop_hub.packaging.artifact import Artifact, Outputs, Rows
from fleetloop_hub.packaging.files import files
from fleetloop_hub.packaging.fitted import Fitted
from fleetloop_hub.packaging.float_graph import float_graph
from fleetloop_hub.packaging.head import Head
from fleetloop_hub.packaging.parity import label_flips
from fleetloop_shared.manifest import Signature


@dataclass(frozen=True)
class Packed:
    """A candidate as files.

    Attributes:
        recipe: How the artifact keeps its numbers.
        data: The artifact.
        float_data: The same model, nothing quantized.
        score: The metric of the artifact on the rows it was chosen by.
        float_score: The same of the float file.
    """

    recipe: str
    data: bytes
    float_data: bytes
    score: float
    float_score: float


@dataclass(frozen=True)
class Trial:
    """What recipes are tried on.

    Attributes:
        rows: Validation rows.
        measure: The metric of outputs on these rows.
        largest_loss: The most of the metric that may be lost.
        largest_flips: The largest share of rows on which the answer may change.
    """

    rows: Rows
    measure: Callable[[Outputs], float]
    largest_loss: float
    largest_flips: float


def pack(fitted: Fitted, head: Head, signature: Signature, trial: Trial) -> Packed:
    """The smallest file that loses less than allowed and flips no more answers than allowed.

    Args:
        fitted: What is written by each recipe.
        head: What follows it in the graph.
        signature: Inputs and outputs.
        trial: What recipes are tried on.
    """
    float_data = float_graph(fitted, head)
    reference = Artifact(float_data, signature).outputs(trial.rows)
    float_score = trial.measure(reference)
    for recipe, data in sorted(files(fitted, head), key=lambda file: len(file[1])):
        outputs = Artifact(data, signature).outputs(trial.rows)
        score = trial.measure(outputs)
        flips = label_flips(outputs, reference, signature) / len(outputs)
        if float_score - score < trial.largest_loss and flips <= trial.largest_flips:
            return Packed(recipe, data, float_data, score, float_score)
    return Packed("float32 of skl2onnx", float_data, float_data, float_score, float_score)
