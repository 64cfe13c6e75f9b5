"""Small ONNX files written by hand: good ones, and such as nobody should load."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import (
    GraphProto,
    ModelProto,
    NodeProto,
    TensorProto,
    ValueInfoProto,
    helper,
    numpy_helper,
)

FLOAT = TensorProto.FLOAT
Shape = Sequence[int | str | None]


def value(name: str, shape: Shape = ("rows", 3), kind: int = FLOAT) -> ValueInfoProto:
    """An input or output."""
    return helper.make_tensor_value_info(name, kind, list(shape))


def node(operator: str, *inputs: str, output: str = "y", **attributes: Any) -> NodeProto:  # noqa: ANN401  # ONNX takes any
    """A node with one output."""
    return helper.make_node(operator, list(inputs), [output], **attributes)


def model(
    nodes: Sequence[NodeProto],
    inputs: Sequence[ValueInfoProto] | None = None,
    outputs: Sequence[ValueInfoProto] | None = None,
    weights: dict[str, np.ndarray] | None = None,
    opsets: dict[str, int] | None = None,
) -> ModelProto:
    """A model whose input x has three values a row and whose output y has two, unless said."""
    graph = helper.make_graph(
        list(nodes),
        "g",
        list(inputs or [value("x")]),
        list(outputs or [value("y", ("rows", 2))]),
        [numpy_helper.from_array(array, name) for name, array in (weights or {}).items()],
    )
    versions = (opsets or {"": 17}).items()
    made: ModelProto = helper.make_model(
        graph, opset_imports=[helper.make_opsetid(d, v) for d, v in versions], ir_version=8
    )
    return made


def linear(**changes: Any) -> ModelProto:  # noqa: ANN401  # those of `model`
    """Rows of three values times a matrix: two numbers a row."""
    weights = {"w": np.array([[1, -1], [2, 0], [0, 3]], np.float32)}
    return model([node("MatMul", "x", "w")], weights=weights, **changes)


def branch(then: GraphProto, other: GraphProto, output: str = "y") -> NodeProto:
    """A node that computes one of two graphs."""
    return node("If", "condition", output=output, then_branch=then, else_branch=other)
