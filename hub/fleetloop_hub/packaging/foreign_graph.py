"""Takes of a foreign graph only what its answer needs, under short names."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, numpy_helper

from fleetloop_hub.errors import ModelFileError
from fleetloop_hub.packaging.foreign_form import Form
from fleetloop_hub.packaging.foreign_reading import OPSETS, domain_of, graphs_of

_OLDEST_IR = 4
_NEEDED = 9
_LIFTED = 17
# fmt: off
_LASTING = frozenset({
    "Abs", "Add", "Cast", "Concat", "Conv", "Div", "Exp", "Flatten", "Gather", "Gemm", "Identity",
    "Log", "MatMul", "Max", "MaxPool", "Min", "Mul", "Neg", "Pow", "Relu", "Reshape", "Shape",
    "Sigmoid", "Sqrt", "Sub", "Tanh", "Transpose",
})
# fmt: on
"""Operators that mean the same in every opset from 7 to 17."""


@dataclass(frozen=True)
class Kernel:
    """What is left of a foreign graph.

    Attributes:
        nodes: Its nodes, in order.
        tensors: Its weights.
        input: The name of its input.
        output: The name of its answer.
        opsets: What it is written for, by domain.
        ir_version: The form of the file.
    """

    nodes: list[NodeProto]
    tensors: list[TensorProto]
    input: str
    output: str
    opsets: dict[str, int]
    ir_version: int


def kernel(model: ModelProto, form: Form) -> Kernel:
    """The nodes that lead from the input to the answer; for any number of rows, where it was one.

    Names, notes and shapes that exporters write are left behind: they are a third of a small file,
    and tell of the machine it was made on.
    """
    kept, weights = needed(model.graph, form.output)
    nodes = [_copy(node) for node in kept]
    tensors = [_copy_tensor(tensor) for tensor in weights]
    tensors += [tensor for node in nodes if (tensor := _constant(node)) is not None]
    nodes = [node for node in nodes if _constant(node) is None]
    if form.batch is not None:
        _free_batch(nodes, tensors, form.batch)
        used = {name for node in nodes for name in _reads(node)}
        tensors = [tensor for tensor in tensors if tensor.name in used]
    names: dict[str, str] = {"": ""}
    for node in nodes:
        _rename(node, names)
    for tensor in tensors:
        tensor.name = _short(tensor.name, names)
    return Kernel(
        nodes=nodes,
        tensors=tensors,
        input=_short(form.input, names),
        output=_short(form.output, names),
        opsets=_opsets(model, nodes),
        ir_version=max(model.ir_version, _OLDEST_IR),
    )


def _opsets(model: ModelProto, nodes: list[NodeProto]) -> dict[str, int]:
    """An old opset becomes a newer one where that changes nothing, as what comes around needs it.

    Raises:
        ModelFileError: It is too old for what comes around.
    """
    named = [("" if e.domain == "ai.onnx" else e.domain, e.version) for e in model.opset_import]
    found = {domain: version for domain, version in named if domain in OPSETS}
    plain = {node.op_type for node in nodes if not node.domain}
    if plain <= _LASTING and not any(list(graphs_of(node)) for node in nodes):
        found[""] = max(found.get("", 0), _LIFTED)
    if found[""] < _NEEDED:
        raise ModelFileError(
            f"the file is written for opset {found['']}, and {min(plain - _LASTING)} means "
            f"something else today: export it with target opset {_LIFTED}"
        )
    return found


def needed(graph: GraphProto, output: str) -> tuple[list[NodeProto], list[TensorProto]]:
    """The nodes that lead to an output, in order, and the weights that they read."""
    wanted, nodes = {output}, []
    for node in reversed(graph.node):
        if wanted & set(node.output):
            nodes.append(node)
            wanted |= set(_reads(node))
    return nodes[::-1], [tensor for tensor in graph.initializer if tensor.name in wanted]


def _reads(node: NodeProto) -> Iterator[str]:
    """Names a node reads, its bodies included, which may read what lies around them."""
    yield from node.input
    for graph in graphs_of(node):
        for inner in graph.node:
            yield from _reads(inner)
        for output in graph.output:
            yield output.name


def _copy(node: NodeProto) -> NodeProto:
    other = NodeProto()
    other.CopyFrom(node)
    return other


def _constant(node: NodeProto) -> TensorProto | None:
    """What a Constant holds, as a weight."""
    if node.op_type != "Constant" or domain_of(node) or node.attribute[0].name != "value":
        return None
    tensor = _copy_tensor(node.attribute[0].t)
    tensor.name = node.output[0]
    return tensor


def _copy_tensor(tensor: TensorProto) -> TensorProto:
    other = TensorProto()
    other.CopyFrom(tensor)
    other.doc_string = ""
    del other.metadata_props[:]
    return other


def _short(name: str, names: dict[str, str]) -> str:
    return names.setdefault(name, f"m{len(names)}")


def _rename(node: NodeProto, names: dict[str, str]) -> None:
    """The same short name for the same name everywhere, so that bodies still see what is around."""
    node.input[:] = [_short(name, names) for name in node.input]
    node.output[:] = [_short(name, names) for name in node.output]
    node.name = node.doc_string = ""
    node.domain = domain_of(node)
    del node.metadata_props[:]
    for graph in graphs_of(node):
        for value in (*graph.input, *graph.output, *graph.initializer):
            value.name = _short(value.name, names)
        del graph.value_info[:]
        for inner in graph.node:
            _rename(inner, names)


def _free_batch(nodes: list[NodeProto], tensors: list[TensorProto], batch: int) -> None:
    """Let each Reshape to a fixed number of rows take any; whether that was right is measured."""
    kept = {tensor.name: tensor for tensor in tensors}
    for node in nodes:
        if node.op_type != "Reshape" or node.input[1] not in kept:
            continue
        shape = numpy_helper.to_array(kept[node.input[1]])
        if not shape.ndim or not len(shape) or shape[0] != batch or (shape[1:] == 0).any():
            continue
        free = np.array([0 if (shape[1:] == -1).any() else -1, *shape[1:]], np.int64)
        name = f"{node.input[1]}, any number of rows"
        if name not in kept:
            kept[name] = numpy_helper.from_array(free, name)
            tensors.append(kept[name])
        node.input[1] = name
        for attribute in [a for a in node.attribute if a.name == "allowzero"]:
            node.attribute.remove(attribute)
