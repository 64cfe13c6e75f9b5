"""Puts around a foreign graph what makes an artifact of it: one input, one table of answers."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import onnx
from onnx import TensorProto, helper

from fleetloop_hub.packaging.foreign_form import Form
from fleetloop_hub.packaging.foreign_graph import Kernel
from fleetloop_hub.packaging.graph import INPUT, OUTPUT, GraphBuilder
from fleetloop_hub.packaging.preparation import Preparation
from fleetloop_hub.packaging.preparation_graph import write_preparation

Activation = Literal["none", "sigmoid", "softmax"]
"""What makes probabilities of raw outputs."""


@dataclass(frozen=True)
class Sense:
    """What a foreign graph's raw outputs mean.

    Attributes:
        activation: What makes probabilities of them.
        order: For each class of the signature, its column among the raw outputs; empty if they
            are in that order.
        pair: Whether the one column is a yes, from which [1 - yes, yes] is made.
        shares: Whether columns are divided by their sum, each being a probability of its own.
        slope: What the column is multiplied by first; 1 but for an anomaly model's distances.
        shift: What is added then.
    """

    activation: Activation = "none"
    order: tuple[int, ...] = ()
    pair: bool = False
    shares: bool = False
    slope: float = 1.0
    shift: float = 0.0


def raw_file(kernel: Kernel, form: Form, features: int) -> bytes:
    """The graph with the artifact's input, and its own answers as a table of float32."""
    graph = GraphBuilder()
    raw = _write_kernel(graph, kernel, form, INPUT)
    graph.add("Identity", raw, output=OUTPUT)
    return _finished(graph, kernel, features, None)


def adapted_file(
    kernel: Kernel, form: Form, sense: Sense, preparation: Preparation | None, columns: int
) -> bytes:
    """The graph as an artifact, nothing quantized.

    Args:
        kernel: The foreign nodes.
        form: How they are asked and answer.
        sense: What their answers mean.
        preparation: What happens to a row first, if anything does.
        columns: Of the output: classes, or 1.
    """
    graph = GraphBuilder()
    x = INPUT if preparation is None else write_preparation(graph, preparation)
    raw = _write_kernel(graph, kernel, form, x)
    _write_sense(graph, sense, raw, columns)
    return _finished(graph, kernel, math.prod(form.shape), columns)


def _write_kernel(graph: GraphBuilder, kernel: Kernel, form: Form, x: str) -> str:
    if form.kind != TensorProto.FLOAT:
        x = graph.add("Cast", x, to=form.kind)
    if len(form.shape) > 1:
        x = graph.add("Reshape", x, graph.keep(np.array([-1, *form.shape], np.int64)))
    graph.add("Identity", x, output=kernel.input)
    graph.nodes.extend(kernel.nodes)
    graph.kept.extend(kernel.tensors)
    if form.table:
        return kernel.output
    return graph.add("Cast", graph.add("Flatten", kernel.output, axis=1), to=TensorProto.FLOAT)


def _write_sense(graph: GraphBuilder, sense: Sense, raw: str, columns: int) -> None:
    x = raw
    if sense.order:
        x = graph.add("Gather", x, graph.keep(np.array(sense.order, np.int64)), axis=1)
    if (sense.slope, sense.shift) != (1.0, 0.0):
        x = graph.add("Mul", x, graph.keep(np.array([sense.slope], np.float32)))
        x = graph.add("Add", x, graph.keep(np.array([sense.shift], np.float32)))
    if sense.activation == "sigmoid":
        x = graph.add("Sigmoid", x)
    elif sense.activation == "softmax":
        x = graph.add("Softmax", x, axis=1)
    if sense.shares:
        ones = graph.keep(np.ones((columns, 1), np.float32))
        x = graph.add("Div", x, graph.add("MatMul", x, ones))
    if sense.pair:
        rest = graph.add("Sub", graph.keep(np.ones(1, np.float32)), x)
        graph.add("Concat", rest, x, axis=1, output=OUTPUT)
    else:
        graph.add("Identity", x, output=OUTPUT)


def _finished(graph: GraphBuilder, kernel: Kernel, features: int, columns: int | None) -> bytes:
    """The file, for the opsets that the kernel is written for."""
    model = onnx.load_from_string(graph.finish(features, columns or 1))
    if columns is None:
        model.graph.output[0].type.tensor_type.shape.dim[1].dim_param = "columns"
    model.ir_version = kernel.ir_version
    used = {node.domain for node in model.graph.node}
    del model.opset_import[:]
    model.opset_import.extend(
        helper.make_opsetid(domain, version)
        for domain, version in sorted(kernel.opsets.items())
        if domain in used
    )
    written: bytes = model.SerializeToString(deterministic=True)
    return written
