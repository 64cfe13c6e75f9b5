"""Looks at an ONNX file before any runtime reads it, and refuses what no model here needs.

A signed file may still be a bad one: a key can be stolen, a file can be imported. The self-test's
limits catch what is slow or large on its golden rows; this catches what would wait for other rows
(a loop whose turns a row decides), reads the disk (weights that lie in other files), or asks for
code that is not the runtime's own. Only the protobuf fields that matter are read, in place.

Source: `onnx.proto` of ONNX IR version 14; protobuf encoding, https://protobuf.dev.
"""

from collections.abc import Iterator

from fleetloop_agent.errors import ModelError

DOMAINS = frozenset({b"", b"ai.onnx", b"ai.onnx.ml", b"com.microsoft"})
"""Whose operators ONNX Runtime computes by itself."""

REFUSED_OPERATORS = frozenset({b"Loop", b"EPContext", b"PythonOp", b"PythonOpGrad"})
"""A row could decide how often a loop turns; the others run what is not in the file."""

DEEPEST = 8
"""Branches within branches."""

_MODEL_GRAPH, _MODEL_FUNCTIONS, _FUNCTION_NODE = 7, 25, 7
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_SPARSE = 1, 5, 15
_NODE_OPERATOR, _NODE_ATTRIBUTE, _NODE_DOMAIN = 4, 5, 7
_ATTRIBUTE_TENSORS, _ATTRIBUTE_GRAPHS = {5, 10}, {6, 11}
_ATTRIBUTE_SPARSES = {22, 23}
_SPARSE_TENSORS = {1, 2}
_TENSOR_EXTERNAL, _TENSOR_LOCATION = 13, 14

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_VARINT_LONGEST = 10
_WIDTH = {_FIXED64: 8, _FIXED32: 4}

Field = tuple[int, memoryview | int]
"""A field's number, and its bytes or its number."""


def check_model_file(artifact: bytes) -> None:
    """See that a file holds nothing but a graph of operators that the runtime has.

    Raises:
        ModelError: It does; the text says what.
    """
    try:
        _check_model(memoryview(artifact))
    except (IndexError, ValueError) as error:
        raise ModelError("the artifact does not load: it is cut short, or no ONNX") from error


def _check_model(model: memoryview) -> None:
    graphs = 0
    for number, value in _fields(model):
        if number == _MODEL_GRAPH:
            graphs += 1
            _check_graph(_message(value), 0)
        elif number == _MODEL_FUNCTIONS:
            for field, node in _fields(_message(value)):
                if field == _FUNCTION_NODE:
                    _check_node(_message(node), 1)
    if graphs != 1:
        raise ModelError(f"the artifact does not load: it holds {graphs} graphs")


def _check_graph(graph: memoryview, depth: int) -> None:
    if depth > DEEPEST:
        raise ModelError(f"the artifact is refused: branches lie in each other {depth} deep")
    for number, value in _fields(graph):
        if number == _GRAPH_NODE:
            _check_node(_message(value), depth)
        elif number == _GRAPH_INITIALIZER:
            _check_tensor(_message(value))
        elif number == _GRAPH_SPARSE:
            _check_sparse(_message(value))


def _check_node(node: memoryview, depth: int) -> None:
    operator = domain = b""
    for number, value in _fields(node):
        if number == _NODE_OPERATOR:
            operator = bytes(_message(value))
        elif number == _NODE_DOMAIN:
            domain = bytes(_message(value))
        elif number == _NODE_ATTRIBUTE:
            _check_attribute(_message(value), depth)
    if domain not in DOMAINS or operator in REFUSED_OPERATORS:
        name = ascii((domain + b" " + operator)[:80].decode("utf-8", "replace").strip())
        raise ModelError(f"the artifact is refused: operator {name} is none that may run here")


def _check_attribute(attribute: memoryview, depth: int) -> None:
    for number, value in _fields(attribute):
        if number in _ATTRIBUTE_GRAPHS:
            _check_graph(_message(value), depth + 1)
        elif number in _ATTRIBUTE_TENSORS:
            _check_tensor(_message(value))
        elif number in _ATTRIBUTE_SPARSES:
            _check_sparse(_message(value))


def _check_sparse(sparse: memoryview) -> None:
    for number, value in _fields(sparse):
        if number in _SPARSE_TENSORS:
            _check_tensor(_message(value))


def _check_tensor(tensor: memoryview) -> None:
    for number, value in _fields(tensor):
        if number == _TENSOR_EXTERNAL or (number == _TENSOR_LOCATION and value != 0):
            raise ModelError("the artifact is refused: weights that lie outside it (external data)")


def _message(value: memoryview | int) -> memoryview:
    if isinstance(value, int):
        raise ValueError("a number where a message should be")  # noqa: TRY004  # of the file, not of a caller
    return value


def _fields(message: memoryview) -> Iterator[Field]:
    """The fields of a message, one after the other.

    Raises:
        IndexError: It is cut short.
        ValueError: It is no protobuf.
    """
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, at = _varint(message, at)
            yield number, value
            continue
        if kind == _BYTES:
            length, at = _varint(message, at)
        elif kind in _WIDTH:
            length = _WIDTH[kind]
        else:
            raise ValueError(f"wire type {kind}")
        if length > len(message) - at:
            raise IndexError
        yield number, message[at : at + length]
        at += length


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for index in range(_VARINT_LONGEST):
        byte = message[at + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:  # noqa: PLR2004  # the bit that says whether more follow
            return value, at + index + 1
    raise ValueError("a number without an end")
