"""Finds the smallest file that still answers as the float model does, by measuring each recipe."""

from collections.abc import Callable
from dataclasses import dataclass

from fleetloop_hub.packaging.artifact import Artifact, Rows, Scores
from fleetloop_hub.packaging.graph import Recipe, to_onnx
from fleetloop_hub.packaging.network import Network
from fleetloop_hub.packaging.parity import label_flips
from fleetloop_shared.manifest import Signature

_LARGEST_LOSS = 0.005
"""Of the metric: half a point."""


@dataclass(frozen=True)
class Packed:
    """A network as files.

    Attributes:
        recipe: How the artifact keeps its weights.
        data: The artifact.
        float_data: The same model, nothing quantized.
        score: The metric of the artifact on the rows it was chosen by.
        float_score: The same of the float file.
    """

    recipe: Recipe
    data: bytes
    float_data: bytes
    score: float
    float_score: float


@dataclass(frozen=True)
class Trial:
    """What recipes are tried on.

    Attributes:
        rows: Validation rows.
        measure: The metric of scores on these rows.
        largest_flips: The largest share of rows on which the answer may change.
    """

    rows: Rows
    measure: Callable[[Scores], float]
    largest_flips: float


def pack(network: Network, float_data: bytes, signature: Signature, trial: Trial) -> Packed:
    """The smallest file that loses less than half a point and flips no more than allowed.

    Args:
        network: What is written by each recipe.
        float_data: The same model as a float32 file, which the recipes are held against.
        signature: Inputs and outputs.
        trial: What they are tried on.
    """
    reference = Artifact(float_data, signature).scores(trial.rows)
    float_score = trial.measure(reference)
    files = [(recipe, to_onnx(network, recipe, signature.positive)) for recipe in Recipe]
    for recipe, data in sorted(files, key=lambda file: len(file[1])):
        scores = Artifact(data, signature).scores(trial.rows)
        score = trial.measure(scores)
        flips = label_flips(scores, reference, signature.decision_threshold) / len(scores)
        if float_score - score < _LARGEST_LOSS and flips <= trial.largest_flips:
            return Packed(recipe, data, float_data, score, float_score)
    return Packed(Recipe.FLOAT32, float_data, float_data, float_score, float_score)
