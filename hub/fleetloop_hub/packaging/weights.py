"""Keeps a matrix of weights in a file, small; ONNX Runtime makes float32 of it once, at load."""

from enum import StrEnum

import numpy as np
from onnx import TensorProto

from fleetloop_hub.packaging.graph import GraphBuilder

_LARGEST_INT8 = 127


class Kept(StrEnum):
    """How weights are kept; the arithmetic is float32 in each of them.

    int8 has a scale for each column. `DequantizeLinear` would be worked out anew for each answer:
    three times slower; a cast and a product of constants are worked out when the file is loaded.
    """

    FLOAT32 = "float32"
    FLOAT16 = "float16 weights"
    INT8 = "int8 weights"


def keep_weights(graph: GraphBuilder, weights: np.ndarray, kept: Kept) -> str:
    """Put a matrix into the file, and return the name of its float32 form.

    Args:
        graph: Where to.
        weights: Shape (anything, columns); columns may differ in scale.
        kept: How.
    """
    match kept:
        case Kept.FLOAT32:
            return graph.keep(weights.astype(np.float32))
        case Kept.FLOAT16:
            with np.errstate(over="ignore"):
                halves = weights.astype(np.float16)
            return graph.add("Cast", graph.keep(halves), to=TensorProto.FLOAT)
        case Kept.INT8:
            scale, steps = to_int8(weights.astype(np.float32))
            floats = graph.add("Cast", graph.keep(steps), to=TensorProto.FLOAT)
            return graph.add("Mul", floats, graph.keep(scale))


def to_int8(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scale of each column and the weights as whole steps of it."""
    smallest = np.finfo(np.float32).tiny
    scale = np.maximum(np.abs(weights).max(axis=0) / _LARGEST_INT8, smallest)
    return scale.astype(np.float32), np.rint(weights / scale).astype(np.int8)
