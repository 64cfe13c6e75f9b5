"""Writes a network as one lean ONNX graph, its preprocessing inside, by a recipe for its weights.

Only plain operators of opset 17 are used, so that every ONNX Runtime since 1.12 runs the file.
"""

from enum import StrEnum

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from fleetloop_hub.packaging.network import Floats, Network

INPUT = "features"
OUTPUT = "probabilities"

_OPSET = 17
_IR_VERSION = 8
_LARGEST_INT8 = 127


class Recipe(StrEnum):
    """How weights are kept in the file; the arithmetic is float32 in each of them.

    int8 has a scale for each output. ONNX Runtime makes float32 of the weights once, when it loads
    the file, so that no answer takes longer. (`DequantizeLinear` would be worked out anew for each
    answer: three times slower. Quantizing what flows between the layers as well makes the file no
    smaller, changes a tenth of the answers, and lets a row's answer depend on its batch.)
    """

    FLOAT32 = "float32"
    FLOAT16 = "float16 weights"
    INT8 = "int8 weights"


def to_onnx(network: Network, recipe: Recipe, positive: int) -> bytes:
    """The network as an ONNX file; equal networks give equal bytes.

    Args:
        network: What to write.
        recipe: How its weights are kept.
        positive: The column of the positive class, 0 or 1, among the two probabilities.
    """
    graph = _Graph()
    x = graph.add("Where", graph.add("IsNaN", INPUT), graph.keep(network.fill[None]), INPUT)
    x = graph.add("Sub", x, graph.keep(network.mean[None]))
    x = graph.add("Mul", x, graph.keep((1.0 / network.sd)[None]))
    for index, layer in enumerate(network.layers):
        x = graph.add("Relu", x) if index else x
        x = graph.add("Add", graph.product(x, layer.weights, recipe), graph.keep(layer.bias))
    yes = graph.add("Sigmoid", x)
    no = graph.add("Sub", graph.keep(np.ones(1, np.float32)), yes)
    graph.name(OUTPUT, "Concat", *((yes, no) if positive == 0 else (no, yes)), axis=1)
    written: bytes = graph.finish(len(network.mean)).SerializeToString(deterministic=True)
    return written


class _Graph:
    """A graph that grows node by node."""

    def __init__(self) -> None:
        self._nodes: list[NodeProto] = []
        self._kept: list[TensorProto] = []

    def add(self, operator: str, *inputs: str, **attributes: int) -> str:
        """Append a node with one output, and return that output's name."""
        return self.name(f"n{len(self._nodes)}", operator, *inputs, **attributes)

    def name(self, output: str, operator: str, *inputs: str, **attributes: int) -> str:
        """Append a node whose one output has this name."""
        node = helper.make_node(operator, inputs, [output])
        node.attribute.extend(helper.make_attribute(k, v) for k, v in attributes.items())
        self._nodes.append(node)
        return output

    def keep(self, values: np.ndarray) -> str:
        """Put a constant into the file, and return its name."""
        name = f"c{len(self._kept)}"
        self._kept.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def product(self, x: str, weights: Floats, recipe: Recipe) -> str:
        match recipe:
            case Recipe.FLOAT32:
                return self.add("MatMul", x, self.keep(weights))
            case Recipe.FLOAT16:
                halves = self.keep(weights.astype(np.float16))
                return self.add("MatMul", x, self.add("Cast", halves, to=TensorProto.FLOAT))
            case Recipe.INT8:
                scale, steps = _to_int8(weights)
                floats = self.add("Cast", self.keep(steps), to=TensorProto.FLOAT)
                return self.add("MatMul", x, self.add("Mul", floats, self.keep(scale)))

    def finish(self, width: int) -> ModelProto:
        floats = TensorProto.FLOAT
        graph = helper.make_graph(
            self._nodes,
            "model",
            [helper.make_tensor_value_info(INPUT, floats, ["rows", width])],
            [helper.make_tensor_value_info(OUTPUT, floats, ["rows", 2])],
            self._kept,
        )
        opsets = [helper.make_opsetid("", _OPSET)]
        return helper.make_model(
            graph, opset_imports=opsets, ir_version=_IR_VERSION, producer_name="fleetloop"
        )


def _to_int8(weights: Floats) -> tuple[Floats, np.ndarray]:
    """Scale of each output and the weights as whole steps of it."""
    smallest = np.finfo(np.float32).tiny
    scale = np.maximum(np.abs(weights).max(axis=0) / _LARGEST_INT8, smallest)
    return scale, np.rint(weights / scale).astype(np.int8)
