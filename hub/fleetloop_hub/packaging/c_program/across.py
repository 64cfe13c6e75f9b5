"""Operators that look at more than one place of a row: picked columns, sums, joins, softmax."""

import numpy as np
from onnx import NodeProto

from fleetloop_hub.errors import UnsupportedModelError
from fleetloop_hub.packaging.c_program.drafting import INPUT, Draft, Value, loop
from fleetloop_hub.packaging.c_program.flash import smallest
from fleetloop_hub.packaging.c_program.graph_facts import attributes

SAME = frozenset({"Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Dropout"})
"""They change a tensor's shape alone, and not the order of its numbers."""

OPERATORS = frozenset({*SAME, "Gather", "Concat", "Softmax", "ReduceSum", "ReduceSumSquare"})

_ONE = 2
"""Dimensions of a tensor that has a row's numbers in its last one."""


def write(draft: Draft, node: NodeProto) -> None:
    """Append the operator.

    Raises:
        UnsupportedModelError: It is used in a way that is not known here.
    """
    match node.op_type:
        case "Gather":
            _gather(draft, node)
        case "Concat":
            _concat(draft, node)
        case "Softmax":
            _softmax(draft, node)
        case "ReduceSum" | "ReduceSumSquare":
            _sum(draft, node)
        case _:
            draft.put(node.output[0], draft.values[node.input[0]])


def _gather(draft: Draft, node: NodeProto) -> None:
    axis = attributes(node).get("axis", 0)
    places, shape = draft.constant(node.input[1]), draft.facts.shapes[node.input[0]]
    if draft.constant(node.input[0]) is not None:
        _check_picked(draft, node)
        return  # written by the sum of what is picked
    if places is None or len(shape) != _ONE or axis not in (1, -1):
        raise UnsupportedModelError("Gather of anything but constant columns or rows of a table")
    _columns(draft, node, places.reshape(-1) % shape[1])


def _columns(draft: Draft, node: NodeProto, places: np.ndarray) -> None:
    source = node.input[0]
    buffer = INPUT if source == draft.facts.given else draft.store(source)
    count = draft.facts.count(node.output[0])
    if np.array_equal(places, np.arange(places[0], places[0] + count)):
        start = int(places[0])

        def at(place: str) -> str:
            return f"{buffer}[{_plus(place, start)}]"

    else:
        table = draft.flash.table(smallest(places))

        def at(place: str) -> str:
            return f"{buffer}[{table}[{place}]]"

    kind = draft.kind(node.output[0])
    value = Value(kind, count, at, elsewhere=frozenset({buffer}), cheap=True)
    draft.put(node.output[0], value)


def _plus(place: str, start: int) -> str:
    if not start:
        return place
    return str(int(place) + start) if place.isdecimal() else f"{place} + {start}"


def _concat(draft: Draft, node: NodeProto) -> None:
    """Each part to its place; a row has one axis that is longer than 1."""
    shape, axis = draft.facts.shapes[node.output[0]], attributes(node)["axis"]
    if any(size != 1 for size in shape[: axis % len(shape)]):
        raise UnsupportedModelError("Concat of anything but the columns of one row")
    into, start, lines = draft.buffer(node.output[0]), 0, []
    reads: frozenset[str] = frozenset()
    for name in node.input:
        count, kept = draft.facts.count(name), draft.constant(name)
        text = draft.flash.at(kept) if kept is not None else draft.values[name].at("i")
        if kept is None:
            reads |= draft.values[name].reads
        place = f"i + {start}" if start else "i"
        line = f"{into}[{place}] = {text};"
        lines.append(
            loop(count, line) if count > 1 else line.replace(f"[{place}]", f"[{start}]", 1)
        )
        if count == 1:
            lines[-1] = lines[-1].replace("[i]", "[0]")
        start += count
    draft.keep(node.output[0], "\n".join(lines), into, reads)


def _softmax(draft: Draft, node: NodeProto) -> None:
    shape, axis = draft.facts.shapes[node.input[0]], attributes(node).get("axis", -1)
    if int(np.prod(shape, dtype=int)) != shape[axis]:
        raise UnsupportedModelError("Softmax of anything but one row")
    source, name = draft.store(node.input[0]), node.output[0]
    into = draft.buffer(name)
    draft.routines.add("softmax")
    text = f"softmax({source}, {draft.facts.count(name)}, {into});"
    draft.keep(name, text, into, frozenset({source}))


def _sum(draft: Draft, node: NodeProto) -> None:
    maker = draft.facts.makers.get(node.input[0])
    if maker is not None and maker.op_type == "Gather" and node.input[0] not in draft.values:
        _picked(draft, maker, node)
        return
    name, given = node.output[0], node.input[0]
    if draft.facts.count(name) != 1 or draft.kind(name) != "float":
        raise UnsupportedModelError(f"{node.op_type} of anything but one whole row")
    value, into = draft.values[given], draft.buffer(name)
    text = value.at("i")
    if node.op_type == "ReduceSumSquare":
        text = draft.store(given) + "[i]"
        text = f"{text} * {text}"
    lines = f"{into}[0] = 0.0f;\nfor (size_t i = 0; i < {value.count}; i++)\n"
    lines += f"    {into}[0] += {text};"
    draft.keep(name, lines, into, draft.values[given].reads)


def _check_picked(draft: Draft, node: NodeProto) -> None:
    table, axis = draft.constant(node.input[0]), attributes(node).get("axis", 0)
    chosen = draft.facts.shapes[node.input[1]]
    alone = draft.facts.uses.get(node.output[0], 0) == 1
    if table is None or table.ndim != _ONE or axis != 0 or len(chosen) != _ONE or not alone:
        raise UnsupportedModelError("Gather of anything but constant columns or rows of a table")


def _picked(draft: Draft, gather: NodeProto, node: NodeProto) -> None:
    """The sum of the rows of a table whose numbers a tensor holds."""
    axes = draft.constant(node.input[1]) if len(node.input) > 1 else None
    if axes is None or axes.tolist() != [1] or node.op_type != "ReduceSum":
        raise UnsupportedModelError(f"{node.op_type} of a table's rows along another axis")
    table, half = _stored_table(draft, gather.input[0])
    source, name = draft.store(gather.input[1]), node.output[0]
    width, rows = table.shape[1], draft.facts.count(gather.input[1])
    into, kept = draft.buffer(name), draft.flash.table(table)
    text = f"{kept}[(size_t){source}[k] * {width} + i]"
    if half:
        draft.routines.add("half")
    lines = (
        f"{loop(width, f'{into}[i] = 0.0f;')}\n"
        f"for (size_t k = 0; k < {rows}; k++)\n"
        f"    for (size_t i = 0; i < {width}; i++)\n"
        f"        {into}[i] += {f'half({text})' if half else text};"
    )
    draft.keep(name, lines, into, frozenset({source}))


def _stored_table(draft: Draft, name: str) -> tuple[np.ndarray, bool]:
    """A table as the file keeps it, and whether its numbers are halves."""
    maker = draft.facts.makers.get(name)
    if maker is not None and maker.op_type == "Cast":
        small = draft.constant(maker.input[0])
        if small is not None and small.dtype in (np.uint8, np.int8, np.float16):
            return small, small.dtype == np.float16
    table = draft.constant(name)
    if table is None:
        raise UnsupportedModelError("Gather of a table that is no constant")
    return table.astype(np.float32), False
