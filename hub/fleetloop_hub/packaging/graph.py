"""Builds an ONNX graph node by node; the same calls give the same bytes."""

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

INPUT = "features"
OUTPUT = "probabilities"

_OPSETS = {"": 17, "ai.onnx.ml": 3}
_IR_VERSION = 8

Attribute = int | float | str | list[int] | list[float] | list[str]


class GraphBuilder:
    """A graph that grows node by node."""

    def __init__(self) -> None:
        """Empty, but for its input `INPUT`."""
        self._nodes: list[NodeProto] = []
        self._kept: list[TensorProto] = []

    def add(
        self,
        operator: str,
        *inputs: str,
        domain: str = "",
        output: str = "",
        **attributes: Attribute,
    ) -> str:
        """Append a node with one output, and return that output's name.

        Args:
            operator: The ONNX operator.
            inputs: Names of its inputs.
            domain: "" or "ai.onnx.ml".
            output: The output's name; by default a new one.
            attributes: Of the operator.
        """
        name = output or f"n{len(self._nodes)}"
        node = helper.make_node(operator, inputs, [name], domain=domain)
        node.attribute.extend(helper.make_attribute(k, v) for k, v in attributes.items())
        self._nodes.append(node)
        return name

    def keep(self, values: np.ndarray) -> str:
        """Put a constant into the file, and return its name."""
        name = f"c{len(self._kept)}"
        self._kept.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def column(self, name: str, place: int) -> str:
        """One column of a matrix, of shape (rows, 1)."""
        return self.add("Gather", name, self.keep(np.array([place])), axis=1)

    def embed(self, model: ModelProto, given: str) -> list[str]:
        """Append the nodes of another graph with one input, and return the names of its outputs.

        Args:
            model: Written for opsets no newer than this builder's.
            given: Name of what its input is.
        """
        prefix = f"e{len(self._nodes)}_"
        names = {model.graph.input[0].name: given, "": ""}

        def renamed(old: str) -> str:
            return names.setdefault(old, prefix + old)

        for tensor in model.graph.initializer:
            copy = TensorProto()
            copy.CopyFrom(tensor)
            copy.name = renamed(tensor.name)
            self._kept.append(copy)
        for node in model.graph.node:
            other = NodeProto()
            other.CopyFrom(node)
            other.name = ""
            other.input[:] = [renamed(name) for name in node.input]
            other.output[:] = [renamed(name) for name in node.output]
            self._nodes.append(other)
        return [renamed(output.name) for output in model.graph.output]

    def finish(self, width: int, outputs: int) -> bytes:
        """The file's bytes.

        Args:
            width: Features.
            outputs: Columns of `OUTPUT`.
        """
        floats = TensorProto.FLOAT
        graph = helper.make_graph(
            self._nodes,
            "model",
            [helper.make_tensor_value_info(INPUT, floats, ["rows", width])],
            [helper.make_tensor_value_info(OUTPUT, floats, ["rows", outputs])],
            self._kept,
        )
        used = {node.domain for node in self._nodes}
        model: ModelProto = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid(d, v) for d, v in _OPSETS.items() if d in used],
            ir_version=_IR_VERSION,
            producer_name="fleetloop",
        )
        written: bytes = model.SerializeToString(deterministic=True)
        return written
