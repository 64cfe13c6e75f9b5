"""Reads an ONNX file that somebody else has made, and refuses what a device must never load."""

from collections.abc import Iterable, Iterator

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # it ships none
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto
from onnx.inliner import inline_local_functions

from fleetloop_hub.errors import ModelFileError
from fleetloop_hub.packaging.foreign_tensors import check_tensor

LARGEST_BYTES = 64 * 1024 * 1024
"""The largest file that is looked at; a device's budget is far below."""

OPSETS = {"": (7, 28), "ai.onnx.ml": (1, 5), "com.microsoft": (1, 1)}
"""The oldest and newest opset that ONNX Runtime computes, by domain."""

NEWEST_IR = 14

_STANDARD = "ai.onnx"
_DEEPEST = 8
_COMPILED = frozenset({"EPContext", "PythonOp", "PythonOpGrad"})
_OTHER_FORMATS = {
    b"PK\x03\x04": "a zip archive, as PyTorch and Keras write",
    b"\x89HDF": "an HDF5 file, as Keras writes",
    b"\x80": "a pickle, as joblib and PyTorch write",
    b"{": "JSON, as XGBoost writes",
    b"tree\n": "LightGBM's own text",
    b"\x1f\x8b": "a gzip file",
    b"version https://git-lfs": "a pointer of Git LFS, for which `git lfs pull` gets the file",
}
_EXPORT = "export it as ONNX, see docs/import.md"


def read(data: bytes) -> ModelProto:
    """The model in a file: whole, in known operators only, its local functions written out.

    Nothing of it is run here. Parsing takes several times the file's length in memory: a file
    that nobody has looked at yet is read in a process with limits, see `foreign_trial`.

    Raises:
        ModelFileError: It is no such model; the text says what was found and what to do.
    """
    model = _parsed(data)
    _check_opsets(model)
    known = OPSETS.keys() | {function.domain for function in model.functions}
    for nodes in ([*function.node] for function in model.functions):
        _check_nodes(nodes, known)
    _check_tensors(model.graph)
    _check_nodes(model.graph.node, known)
    if model.functions:
        model = _inlined(model)
        _check_nodes(model.graph.node, OPSETS.keys())
    if not model.graph.node:
        raise ModelFileError(f"the file holds no graph: {_EXPORT}")
    return model


def domain_of(node: NodeProto) -> str:
    """The domain of its operator; ONNX's own is "", however it is written."""
    return "" if node.domain == _STANDARD else str(node.domain)


def graphs_of(node: NodeProto) -> Iterator[GraphProto]:
    """The bodies of a loop or a branch."""
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def _parsed(data: bytes) -> ModelProto:
    if len(data) > LARGEST_BYTES:
        raise ModelFileError(
            f"the file has {len(data):,} bytes, more than the {LARGEST_BYTES:,} that are looked "
            "at: export a smaller model"
        )
    for start, what in _OTHER_FORMATS.items():
        if data.startswith(start):
            raise ModelFileError(f"the file is not ONNX but {what}: {_EXPORT}")
    model = ModelProto()
    try:
        model.ParseFromString(data)
    except (DecodeError, ValueError, RecursionError) as error:
        raise ModelFileError(
            f"the file of {len(data):,} bytes cannot be read as ONNX; it may be cut short: copy it "
            f"again, or {_EXPORT}"
        ) from error
    if not model.HasField("graph") or not model.ir_version:
        raise ModelFileError(f"the file of {len(data):,} bytes holds no ONNX model: {_EXPORT}")
    if model.ir_version > NEWEST_IR:
        raise ModelFileError(
            f"the file is of IR version {model.ir_version}, newer than the {NEWEST_IR} that "
            "devices read: export it with an older version of onnx"
        )
    if model.training_info:
        raise ModelFileError("the file holds a graph for training: export it for inference")
    return model


def _check_opsets(model: ModelProto) -> None:
    found: dict[str, int] = {}
    for entry in model.opset_import:
        domain = "" if entry.domain == _STANDARD else entry.domain
        if domain in OPSETS and found.setdefault(domain, entry.version) != entry.version:
            raise ModelFileError(f"the file names two opsets of {_words(domain)}: {_EXPORT}")
    for domain, version in found.items():
        oldest, newest = OPSETS[domain]
        if not oldest <= version <= newest:
            raise ModelFileError(
                f"the file is written for opset {version} of {_words(domain)}, and devices compute "
                f"{oldest} to {newest}: export it with another target opset, such as "
                f"{newest if domain else 17}"
            )
    missing = {domain_of(node) for node in model.graph.node} & OPSETS.keys() - found.keys()
    if missing:
        raise ModelFileError(f"the file names no opset of {_words(min(missing))}: {_EXPORT}")


def _inlined(model: ModelProto) -> ModelProto:
    try:
        return inline_local_functions(model)
    except (RuntimeError, ValueError, DecodeError) as error:
        raise ModelFileError(
            f"the file's local functions cannot be written out ({str(error).strip()[:200]}): "
            "export it without functions"
        ) from error


def _check_nodes(nodes: Iterable[NodeProto], known: Iterable[str], depth: int = 0) -> None:
    """Refuse operators that devices do not know; also in the bodies of loops and branches."""
    if depth > _DEEPEST:
        raise ModelFileError(f"loops and branches lie in each other {depth} deep: {_EXPORT}")
    for node in nodes:
        domain = domain_of(node)
        if domain not in known or node.op_type in _COMPILED:
            raise ModelFileError(
                f"the operator {node.op_type[:80]} of {_words(domain)[:80]} is not known to "
                "devices, which compute those of ai.onnx, ai.onnx.ml and ONNX Runtime: write that "
                "layer in standard operators and export again"
            )
        if node.op_type == "Loop":
            raise ModelFileError(
                "the file holds a loop, and a row could decide how often it turns: devices compute "
                "none; write its turns out, or use a layer such as LSTM, and export again"
            )
        for attribute in node.attribute:
            _check_attribute(attribute)
        for graph in graphs_of(node):
            _check_tensors(graph)
            _check_nodes(graph.node, known, depth + 1)


def _check_attribute(attribute: AttributeProto) -> None:
    tensors: list[TensorProto] = list(attribute.tensors)
    if attribute.HasField("t"):
        tensors.append(attribute.t)
    for tensor in tensors:
        check_tensor(tensor)
    if attribute.HasField("sparse_tensor") or attribute.sparse_tensors:
        raise ModelFileError("the file keeps sparse values: make them dense and export again")


def _check_tensors(graph: GraphProto) -> None:
    for tensor in graph.initializer:
        check_tensor(tensor)
    if graph.sparse_initializer:
        raise ModelFileError("the file keeps sparse weights: make them dense and export again")


def _words(domain: str) -> str:
    return domain or _STANDARD
