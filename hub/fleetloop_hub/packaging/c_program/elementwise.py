"""Operators that make one number of the numbers at the same place, as C expressions."""

import numpy as np
from onnx import NodeProto, TensorProto

from fleetloop_hub.errors import UnsupportedModelError
from fleetloop_hub.packaging.c_program.drafting import Draft, Value
from fleetloop_hub.packaging.c_program.flash import literal
from fleetloop_hub.packaging.c_program.graph_facts import attributes

EXPRESSIONS = {
    "Add": "({0} + {1})",
    "Sub": "({0} - {1})",
    "Mul": "({0} * {1})",
    "Div": "({0} / {1})",
    "Neg": "(-{0})",
    "Abs": "fabsf({0})",
    "Sqrt": "sqrtf({0})",
    "Exp": "expf({0})",
    "Log": "logf({0})",
    "Tanh": "tanhf({0})",
    "Sigmoid": "sigmoid({0})",
    "Relu": "larger({0}, 0.0f)",
    "Max": "larger({0}, {1})",
    "Min": "smaller({0}, {1})",
    "Clip": "smaller(larger({0}, {1}), {2})",
    "IsNaN": "({0} != {0})",
    "Equal": "({0} == {1})",
    "Less": "({0} < {1})",
    "LessOrEqual": "({0} <= {1})",
    "Greater": "({0} > {1})",
    "GreaterOrEqual": "({0} >= {1})",
    "And": "({0} && {1})",
    "Or": "({0} || {1})",
    "Not": "(!{0})",
    "Where": "({0} ? {1} : {2})",
}
"""By operator; `{0}` is its first input."""

ROUTINES = ("sigmoid", "larger", "smaller", "to_whole", "to_steps")

OPERATORS = frozenset({*EXPRESSIONS, "Cast", "QuantizeLinear", "DequantizeLinear"})

_CASTS = {TensorProto.FLOAT: "(float){0}", TensorProto.INT32: "{0}", TensorProto.INT64: "{0}"}
_STEPS = {"uint8": (0, 255), "int8": (-128, 127)}


def write(draft: Draft, node: NodeProto) -> None:
    """Put a node's output as an expression of its inputs.

    Raises:
        UnsupportedModelError: Its inputs have shapes that do not fit place by place.
    """
    name = node.output[0]
    inputs, template = _template(draft, node)
    parts = [_operand(draft, node, given, name) for given in inputs]
    draft.routines.update(routine for routine in ROUTINES if f"{routine}(" in template)
    draft.put(name, _joined(draft, name, template, parts))


def _joined(draft: Draft, name: str, template: str, parts: list[Value]) -> Value:
    def at(place: str) -> str:
        return template.format(*(part.at(place) for part in parts))

    return Value(
        draft.kind(name),
        draft.facts.count(name),
        at,
        in_step=frozenset().union(*(part.in_step for part in parts)),
        elsewhere=frozenset().union(*(part.elsewhere for part in parts)),
    )


def _template(draft: Draft, node: NodeProto) -> tuple[list[str], str]:
    """The inputs that vary by place, and the expression of them."""
    match node.op_type:
        case "Cast":
            return [node.input[0]], _cast(draft, node)
        case "QuantizeLinear":
            scale, zero, kind = quantized(draft, node)
            low, high = _STEPS[kind]
            text = f"to_steps({{0}}, {literal(scale)}, {zero}, {low}, {high})"
            return [node.input[0]], f"({draft.kind(node.output[0])}){text}"
        case "DequantizeLinear":
            scale, zero, _ = quantized(draft, node)
            return [node.input[0]], f"((float)({{0}} - {zero}) * {literal(scale)})"
        case "Clip":
            return _limited(node)
        case "Max" | "Min" if len(node.input) != 2:  # noqa: PLR2004  # of two
            raise UnsupportedModelError(f"{node.op_type} of {len(node.input)} tensors")
        case _:
            return list(node.input), EXPRESSIONS[node.op_type]


def _limited(node: NodeProto) -> tuple[list[str], str]:
    low, high = ([*node.input[1:], "", ""])[:2]
    if low and high:
        return list(node.input), EXPRESSIONS["Clip"]
    if low:
        return [node.input[0], low], EXPRESSIONS["Max"]
    if high:
        return [node.input[0], high], EXPRESSIONS["Min"]
    return [node.input[0]], "{0}"


def _cast(draft: Draft, node: NodeProto) -> str:
    to = attributes(node)["to"]
    if to not in _CASTS:
        raise UnsupportedModelError(f"Cast to {TensorProto.DataType.Name(to)}")
    whole = to != TensorProto.FLOAT
    if whole and draft.facts.types[node.input[0]].startswith("float"):
        return "to_whole({0})"
    return _CASTS[to]


def quantized(draft: Draft, node: NodeProto) -> tuple[np.float32, int, str]:
    """Scale, zero and type of a QuantizeLinear's or DequantizeLinear's steps.

    Raises:
        UnsupportedModelError: They are not one for the whole row, or not of 8 bits.
    """
    scale = draft.constant(node.input[1])
    zero = draft.constant(node.input[2]) if len(node.input) > 2 else np.uint8(0)  # noqa: PLR2004
    if scale is None or zero is None or scale.size != 1 or zero.dtype.name not in _STEPS:
        raise UnsupportedModelError(f"{node.op_type} with a scale for each place, or not of 8 bits")
    return np.float32(scale.reshape(-1)[0]), int(zero.reshape(-1)[0]), zero.dtype.name


def _operand(draft: Draft, node: NodeProto, given: str, name: str) -> Value:
    count, shape = draft.facts.count(name), draft.facts.shapes[name]
    kept = draft.constant(given)
    if kept is not None:
        full = np.broadcast_to(_in_c(kept), shape)
        text = draft.flash.at(np.ascontiguousarray(full))
        return Value(draft.kind(name), count, lambda place: text.replace("[i]", f"[{place}]"))
    value = draft.values[given]
    if value.count == count:
        return value
    if value.count == 1:
        whole = draft.values[given] if value.cheap else _stored(draft, given)
        return Value(value.kind, count, lambda place: whole.at("0"), elsewhere=whole.reads)
    raise UnsupportedModelError(f"{node.op_type} of shapes {draft.facts.shapes[given]} and {shape}")


def _stored(draft: Draft, name: str) -> Value:
    draft.store(name)
    return draft.values[name]


def _in_c(kept: np.ndarray) -> np.ndarray:
    """A constant in a type that expressions compute with."""
    plain = kept
    if kept.dtype == np.int64:
        plain = np.clip(kept, np.iinfo(np.int32).min, np.iinfo(np.int32).max).astype(np.int32)
    elif kept.dtype.kind == "f":
        plain = kept.astype(np.float32)
    return plain
