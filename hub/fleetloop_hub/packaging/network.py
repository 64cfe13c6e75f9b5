"""What a trained model is made of, before it becomes a file: numbers only."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Layer:
    """One dense layer: `x @ weights + bias`.

    Attributes:
        weights: Shape (inputs, outputs).
        bias: Shape (outputs,).
    """

    weights: Floats
    bias: Floats


@dataclass(frozen=True)
class Network:
    """A model that answers yes or no: fill, standardise, dense layers, probability.

    Attributes:
        fill: What a missing value is replaced by, a value a feature.
        mean: Subtracted from each feature.
        sd: What each feature is divided by then; never 0.
        layers: With a ReLU between them; the last has one output, whose sigmoid is the score.
    """

    fill: Floats
    mean: Floats
    sd: Floats
    layers: list[Layer]
