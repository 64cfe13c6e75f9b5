"""What a graph's tensors are for one row: ONNX Runtime itself is asked, nothing is guessed."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import ModelProto, NodeProto, helper, numpy_helper

from fleetloop_hub.errors import UnsupportedModelError


@dataclass(frozen=True)
class Facts:
    """A graph that has one input and one output.

    Attributes:
        nodes: In an order in which they can run, but for those whose outputs are constants.
        makers: The node that makes each tensor, constants too.
        constants: Each tensor that is the same for every row, as ONNX Runtime computes it.
        shapes: Of each tensor, for one row.
        types: Of each tensor, as numpy names it.
        given: The input's name.
        wanted: The output's name.
        uses: How many inputs of `nodes` each tensor is.
    """

    nodes: list[NodeProto]
    makers: dict[str, NodeProto]
    constants: dict[str, np.ndarray]
    shapes: dict[str, tuple[int, ...]]
    types: dict[str, str]
    given: str
    wanted: str
    uses: dict[str, int] = field(default_factory=dict)

    def count(self, name: str) -> int:
        """How many numbers a tensor has, for one row."""
        return int(np.prod(self.shapes[name], dtype=int))


def attributes(node: NodeProto) -> dict[str, Any]:
    """A node's attributes by their names."""
    return {a.name: helper.get_attribute_value(a) for a in node.attribute}


def read(data: bytes, width: int) -> Facts:
    """The facts of an artifact.

    Args:
        data: The ONNX file.
        width: Features of a row.

    Raises:
        UnsupportedModelError: It has branches or loops, or more than one output.
    """
    model = onnx.load_from_string(data)
    if len(model.graph.input) != 1 or len(model.graph.output) != 1:
        raise UnsupportedModelError("a graph with more than one input or output")
    if any(a.type in _GRAPHS for node in model.graph.node for a in node.attribute):
        raise UnsupportedModelError("a graph with branches or loops")
    _without_copies(model)
    given, wanted = model.graph.input[0].name, model.graph.output[0].name
    found = _every_tensor(model, given, width)
    fixed = _fixed(model, given)
    nodes = [n for n in model.graph.node if not set(n.output) <= fixed]
    kept = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    facts = Facts(
        nodes=nodes,
        makers={name: node for node in model.graph.node for name in node.output},
        constants=kept | {name: found[name] for name in fixed if name in found},
        shapes={n: a.shape for n, a in (kept | found).items()} | {given: (1, width)},
        types={n: a.dtype.name for n, a in (kept | found).items()} | {given: "float32"},
        given=given,
        wanted=wanted,
    )
    for node in nodes:
        for name in node.input:
            facts.uses[name] = facts.uses.get(name, 0) + 1
    return facts


_GRAPHS = {onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS}


def _without_copies(model: ModelProto) -> None:
    """Let what is only copied into the output be the output."""
    graph, wanted = model.graph, model.graph.output[0].name
    last = next((n for n in graph.node if wanted in n.output), None)
    if last is None or last.op_type != "Identity":
        return
    source = last.input[0]
    makers = [n for n in graph.node if source in n.output]
    if not makers or sum(source in n.input for n in graph.node) != 1:
        return
    graph.node.remove(last)
    makers[0].output[:] = [wanted if name == source else name for name in makers[0].output]


def _every_tensor(model: ModelProto, given: str, width: int) -> dict[str, np.ndarray]:
    """Each tensor that a node makes of a row of zeros."""
    asked = ModelProto()
    asked.CopyFrom(model)
    del asked.graph.output[:]
    names = [name for node in model.graph.node for name in node.output if name]
    asked.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(
        asked.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    row = {given: np.zeros((1, width), np.float32)}
    return dict(zip(names, session.run(names, row), strict=True))


def _fixed(model: ModelProto, given: str) -> set[str]:
    """Names of the tensors that do not depend on the input."""
    moving = {given}
    for node in model.graph.node:
        if moving.intersection(node.input):
            moving.update(node.output)
    return {n for node in model.graph.node for n in node.output} - moving
