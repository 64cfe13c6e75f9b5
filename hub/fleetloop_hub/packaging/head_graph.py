"""Writes a head into a graph: calibration, thresholds of groups, and the output's form."""

import numpy as np

from fleetloop_hub.packaging.graph import INPUT, OUTPUT, GraphBuilder
from fleetloop_hub.packaging.head import Calibration, GroupOffsets, Head

_NEVER_CERTAIN = 1e-7


def write_head(graph: GraphBuilder, head: Head, raw: str, outputs: int) -> None:
    """Append what `Head.apply` does, the result of which is the graph's output.

    Args:
        graph: With everything before it.
        head: What is written.
        raw: Name of the raw outputs: (rows, outputs); of two classes, only the second one's
            probability, (rows, 1).
        outputs: Columns of the output.
    """
    if outputs != 2:  # noqa: PLR2004  # yes and no
        _write_several(graph, head, raw)
        return
    score = raw
    if head.positive == 0:
        score = graph.add("Sub", _one(graph), raw)
    score = _calibrated(graph, head.calibration, score)
    if head.groups is not None:
        score = _shifted(graph, head.groups, score)
    rest = graph.add("Sub", _one(graph), score)
    first, second = (score, rest) if head.positive == 0 else (rest, score)
    graph.add("Concat", first, second, axis=1, output=OUTPUT)


def _write_several(graph: GraphBuilder, head: Head, raw: str) -> None:
    if head.calibration.method != "temperature":
        graph.add("Identity", raw, output=OUTPUT)
        return
    sure = graph.add("Max", raw, graph.keep(np.array([_NEVER_CERTAIN], np.float32)))
    power = graph.keep(np.array([head.calibration.x[0]], np.float32))
    graph.add("Softmax", graph.add("Mul", graph.add("Log", sure), power), axis=1, output=OUTPUT)


def _one(graph: GraphBuilder) -> str:
    return graph.keep(np.ones(1, np.float32))


def _calibrated(graph: GraphBuilder, calibration: Calibration, score: str) -> str:
    x, y = calibration.x, calibration.y
    if calibration.method == "sigmoid":
        slope = graph.keep(np.array([x[0]], np.float32))
        shift = graph.keep(np.array([x[1]], np.float32))
        return graph.add(
            "Sigmoid", graph.add("Add", graph.add("Mul", _logit(graph, score), slope), shift)
        )
    if calibration.method == "isotonic":
        return _lines(graph, score, np.array(x), np.array(y))
    return score


def _lines(graph: GraphBuilder, score: str, x: np.ndarray, y: np.ndarray) -> str:
    """Straight lines between points: a start, and what each piece adds as far as it is crossed."""
    if len(x) == 1:
        zero = graph.add("Mul", score, graph.keep(np.zeros(1, np.float32)))
        return graph.add("Add", zero, graph.keep(y[:1].astype(np.float32)))
    starts = graph.keep(x[None, :-1].astype(np.float32))
    widths = graph.keep(np.diff(x)[None].astype(np.float32))
    crossed = graph.add("Min", graph.add("Relu", graph.add("Sub", score, starts)), widths)
    slopes = graph.keep((np.diff(y) / np.diff(x))[:, None].astype(np.float32))
    return graph.add(
        "Add", graph.add("MatMul", crossed, slopes), graph.keep(y[:1].astype(np.float32))
    )


def _logit(graph: GraphBuilder, score: str) -> str:
    low, high = (graph.keep(np.array(v, np.float32)) for v in (_NEVER_CERTAIN, 1 - _NEVER_CERTAIN))
    sure = graph.add("Clip", score, low, high)
    odds = graph.add("Div", sure, graph.add("Sub", _one(graph), sure))
    return graph.add("Log", odds)


def _shifted(graph: GraphBuilder, groups: GroupOffsets, score: str) -> str:
    column = graph.add("Gather", INPUT, graph.keep(np.array([groups.feature])), axis=1)
    is_value = graph.add("Equal", column, graph.keep(np.array(groups.values, np.float32)[None]))
    offsets = graph.keep(np.array(groups.offsets, np.float32)[:, None])
    shift = graph.add("MatMul", graph.add("Cast", is_value, to=1), offsets)
    moved = graph.add("Sigmoid", graph.add("Add", _logit(graph, score), shift))
    still = graph.add("Equal", shift, graph.keep(np.zeros(1, np.float32)))
    return graph.add("Where", still, score, moved)
