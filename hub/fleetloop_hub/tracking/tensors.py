"""Finds where two ONNX files part: nodes, or the first tensor that is not the same."""

import numpy as np
import numpy.typing as npt
import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # no types
from onnx import numpy_helper

Numbers = npt.NDArray[np.generic]


def first_difference(before: bytes, now: bytes) -> str:
    """In words, what the first difference is and how large; "" if there is none."""
    if before == now:
        return ""
    try:
        graphs = [onnx.load_from_string(data).graph for data in (before, now)]
    except DecodeError:
        return "one of them is no ONNX file"
    kinds = [[node.op_type for node in graph.node] for graph in graphs]
    if kinds[0] != kinds[1]:
        place = _parting(kinds[0], kinds[1])
        then, here = _at(kinds[0], place), _at(kinds[1], place)
        return f"from node {place} on they have other nodes: {then} then, {here} now"
    ours, theirs = _tensors(graphs[0]), _tensors(graphs[1])
    for name in dict.fromkeys([*ours, *theirs]):
        if name not in ours or name not in theirs:
            return f"tensor {name} is only in the one of {'then' if name in ours else 'now'}"
        if text := _gap(ours[name], theirs[name]):
            return f"tensor {name} {text}"
    return "all tensors are equal, but not the bytes: names or metadata differ"


def _tensors(graph: onnx.GraphProto) -> dict[str, Numbers]:
    """Initializers, and the numbers in nodes' attributes, in the order of the file."""
    found: dict[str, Numbers] = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    for place, node in enumerate(graph.node):
        for attribute in node.attribute:
            value = onnx.helper.get_attribute_value(attribute)
            key = f"{node.name or node.op_type + ' ' + str(place)}.{attribute.name}"
            if isinstance(value, onnx.TensorProto):
                found[key] = numpy_helper.to_array(value)
            elif not isinstance(value, onnx.GraphProto):
                found[key] = np.asarray(value)
    return found


def _gap(before: Numbers, now: Numbers) -> str:
    if before.shape != now.shape or before.dtype != now.dtype:
        return f"was {before.dtype} of shape {before.shape}, is {now.dtype} of shape {now.shape}"
    if np.array_equal(before, now, equal_nan=np.issubdtype(before.dtype, np.floating)):
        return ""
    changed = int(np.count_nonzero(before != now))
    text = f"differs in {changed:,} of {before.size:,} values"
    if not np.issubdtype(before.dtype, np.number):
        return text
    gap = np.abs(before.astype(np.float64) - now.astype(np.float64))
    return f"{text}, by at most {np.nanmax(gap):.3g}"


def _parting(before: list[str], now: list[str]) -> int:
    pairs = zip(before, now, strict=False)
    return next((k for k, (a, b) in enumerate(pairs) if a != b), min(len(before), len(now)))


def _at(kinds: list[str], place: int) -> str:
    return kinds[place] if place < len(kinds) else "none"
