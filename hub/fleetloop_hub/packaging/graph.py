"""Builds an ONNX graph node by node; the same calls give the same bytes."""

import numpy as np
from onnx import AttributeProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

INPUT = "features"
OUTPUT = "probabilities"

TREES = "ai.onnx.ml"

_OPSET = 17
_IR_VERSION = 8
_COMPACT_TREES = "TreeEnsemble"
_COMPACT_TREES_IR_VERSION = 10

Attribute = int | float | str | list[int] | list[float] | list[str] | TensorProto | np.ndarray


class GraphBuilder:
    """A graph that grows node by node."""

    def __init__(self, prefix: str = "") -> None:
        """Empty, but for its input `INPUT`.

        Args:
            prefix: Of every name given here, for nodes that become part of another graph.
        """
        self._prefix = prefix
        self._nodes: list[NodeProto] = []
        self._kept: list[TensorProto] = []

    @property
    def nodes(self) -> list[NodeProto]:
        """What has been appended."""
        return self._nodes

    @property
    def kept(self) -> list[TensorProto]:
        """The constants."""
        return self._kept

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
            domain: "" or `TREES`.
            output: The output's name; by default a new one.
            attributes: Of the operator; an array of whole numbers for a long list of them.
        """
        name = output or f"{self._prefix}n{len(self._nodes)}"
        node = helper.make_node(operator, inputs, [name], domain=domain)
        node.attribute.extend(_attribute(k, v) for k, v in attributes.items())
        self._nodes.append(node)
        return name

    def keep(self, values: np.ndarray) -> str:
        """Put a constant into the file, and return its name."""
        name = f"{self._prefix}c{len(self._kept)}"
        self._kept.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def keep_labels(self, labels: np.ndarray) -> str:
        """Put names or numbers of classes into the file, and return the constant's name."""
        if labels.dtype != object:
            return self.keep(labels)
        name = f"{self._prefix}c{len(self._kept)}"
        self._kept.append(helper.make_tensor(name, TensorProto.STRING, labels.shape, labels))
        return name

    def column(self, name: str, place: int) -> str:
        """One column of a matrix, of shape (rows, 1)."""
        return self.add("Gather", name, self.keep(np.array([place])), axis=1)

    def nearest(self, name: str, count: int) -> str:
        """The places of the largest values of each row, the largest first; of equals the first."""
        many = self.keep(np.array([count]))
        places = f"{self._prefix}n{len(self._nodes)}"
        outputs = [f"{places}v", places]
        self._nodes.append(helper.make_node("TopK", [name, many], outputs, axis=1))
        return places

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
        compact = any(node.op_type == _COMPACT_TREES for node in self._nodes)
        versions = {"": _OPSET, TREES: 5 if compact else 3}
        used = {node.domain for node in self._nodes}
        model: ModelProto = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid(d, v) for d, v in versions.items() if d in used],
            ir_version=_COMPACT_TREES_IR_VERSION if compact else _IR_VERSION,
            producer_name="fleetloop",
        )
        written: bytes = model.SerializeToString(deterministic=True)
        return written


def _attribute(name: str, value: Attribute) -> AttributeProto:
    if not isinstance(value, np.ndarray):
        return helper.make_attribute(name, value)
    attribute = AttributeProto(name=name, type=AttributeProto.INTS)
    attribute.ints.extend(value.tolist())
    return attribute
