"""Gemm and MatMul: a row times a matrix in flash, whose weights keep the form of the file."""

from dataclasses import dataclass, replace

import numpy as np
from onnx import NodeProto

from fleetloop_hub.errors import UnsupportedModelError
from fleetloop_hub.packaging.c_program.drafting import Draft, loop
from fleetloop_hub.packaging.c_program.elementwise import quantized
from fleetloop_hub.packaging.c_program.graph_facts import attributes
from fleetloop_hub.packaging.c_program.statements import Statement

OPERATORS = frozenset({"Gemm", "MatMul"})

_KERNELS = {"int8": "add_products_i8", "float16": "add_products_f16", "float32": "add_products_f32"}


@dataclass(frozen=True)
class Block:
    """Some rows of a matrix, as flash keeps them.

    Attributes:
        steps: int8, float16 or float32, shape (inputs, outputs).
        scale: What each output's sum is multiplied by; None for nothing.
    """

    steps: np.ndarray
    scale: np.ndarray | None = None

    def floats(self) -> np.ndarray:
        """The matrix as float32."""
        whole = self.steps.astype(np.float32)
        return whole if self.scale is None else whole * self.scale


def write(draft: Draft, node: NodeProto) -> None:
    """Append the product of a stored row and a constant matrix, and what is added to it.

    Raises:
        UnsupportedModelError: Neither factor is a constant, or the row is more than a row.
    """
    given = attributes(node)
    matrix, shape = draft.constant(node.input[1]), draft.facts.shapes[node.input[0]]
    rows = int(np.prod(shape[:-1], dtype=int))
    if matrix is None or matrix.ndim != 2 or rows != 1 or given.get("transA"):  # noqa: PLR2004
        raise UnsupportedModelError(f"{node.op_type} of anything but one row and a constant matrix")
    if not np.isfinite(matrix).all():
        raise UnsupportedModelError(f"{node.op_type} with weights that are no finite numbers")
    name, alpha = node.output[0], np.float32(given.get("alpha", 1.0))
    turned = bool(given.get("transB"))
    blocks = _blocks(draft, node.input[1], matrix.astype(np.float32), turned=turned)
    bias = _bias(draft, node, np.float32(given.get("beta", 1.0)))
    into = draft.buffer(name)
    source = draft.facts.makers.get(node.input[0])
    if source is not None and source.op_type == "DequantizeLinear" and _whole(blocks):
        text, reads = _in_steps(draft, source, blocks[0], (into, alpha, bias))
    else:
        text, reads = _in_floats(draft, node.input[0], blocks, (into, alpha, bias))
    draft.keep(name, text, into, reads)


_Rest = tuple[str, np.float32, np.ndarray]
"""Where the result goes, what it is multiplied by, and what is added to it."""


def _in_floats(
    draft: Draft, given: str, blocks: list[Block], rest: _Rest
) -> tuple[str, frozenset[str]]:
    """Sums of floats; whole weights are multiplied by their scale after they are added up."""
    into, alpha, bias = rest
    source, at, width = draft.store(given), 0, blocks[0].steps.shape[1]
    lines = [loop(width, f"{into}[i] = 0.0f;")]
    scales = [np.ones(width, np.float32)]
    for block in blocks:
        kernel = _KERNELS[block.steps.dtype.name]
        draft.routines.add(kernel)
        place = f"{source} + {at}" if at else source
        table = draft.flash.table(block.steps)
        if at and blocks[0].scale is not None and block is blocks[1]:
            lines.append(_finished(draft, into, blocks[0].scale, np.zeros(width, np.float32)))
        lines.append(f"{kernel}({place}, {len(block.steps)}, {width}, {table}, {into});")
        at += len(block.steps)
    if len(blocks) == 1 and blocks[0].scale is not None:
        scales.append(blocks[0].scale)
    scale = (np.prod(np.broadcast_arrays(*scales), axis=0) * alpha).astype(np.float32)
    lines.append(_finished(draft, into, scale, bias))
    return "\n".join(filter(None, lines)), frozenset({source})


def _finished(draft: Draft, into: str, scale: np.ndarray, bias: np.ndarray) -> str:
    """Sums times a scale and plus a bias, as far as they change anything."""
    width = len(bias)
    scale = np.broadcast_to(scale, width).astype(np.float32)
    times = f" * {draft.flash.at(scale)}" if (scale != 1).any() else ""
    plus = f" + {draft.flash.at(bias)}" if bias.any() else ""
    return loop(width, f"{into}[i] = {into}[i]{times}{plus};") if times or plus else ""


def _in_steps(
    draft: Draft, source: NodeProto, block: Block, rest: _Rest
) -> tuple[str, frozenset[str]]:
    """Sums of whole numbers, as integer runtimes make them; one multiplication at the end."""
    into, alpha, bias = rest
    scale, zero, kind = quantized(draft, source)
    steps, width = draft.store(source.input[0]), block.steps.shape[1]
    sums = draft.statements.buffer("int32_t", width)
    kernel = "add_steps_u8" if kind == "uint8" else "add_steps_i8"
    draft.routines.add(kernel)
    rows, table = len(block.steps), draft.flash.table(block.steps)
    draft.statements.add(
        Statement(
            loop(width, f"{sums}[i] = 0;")
            + f"\n{kernel}({steps}, {zero}, {rows}, {width}, {table}, {sums});",
            sums,
            frozenset({steps}),
        )
    )
    each = np.ones(width, np.float32) if block.scale is None else block.scale
    factor = draft.flash.at((np.broadcast_to(each, width) * scale * alpha).astype(np.float32))
    line = f"{into}[i] = (float){sums}[i] * {factor} + {draft.flash.at(bias)};"
    return loop(width, line), frozenset({sums})


def _whole(blocks: list[Block]) -> bool:
    return len(blocks) == 1 and blocks[0].steps.dtype == np.int8


def _bias(draft: Draft, node: NodeProto, beta: np.float32) -> np.ndarray:
    width = draft.facts.count(node.output[0])
    if len(node.input) < 3:  # noqa: PLR2004  # two factors and what is added
        return np.zeros(width, np.float32)
    bias = draft.constant(node.input[2])
    if bias is None:
        raise UnsupportedModelError("Gemm that adds what is no constant")
    full = np.broadcast_to(bias.astype(np.float32).reshape(-1), width)
    return (full * beta).astype(np.float32)


def _blocks(draft: Draft, name: str, exact: np.ndarray, *, turned: bool) -> list[Block]:
    """A matrix as the file keeps it, if that is the same matrix; else as float32."""
    blocks = _kept(draft, name, 0 if turned else 1)
    if turned:
        exact = exact.T
        blocks = [replace(block, steps=block.steps.T) for block in blocks]
    if blocks and sum(b.scale is not None for b in blocks) <= 1:
        found = np.concatenate([block.floats() for block in blocks])
        if found.shape == exact.shape and np.allclose(found, exact, rtol=1e-6, atol=0):
            return _scaled_first(blocks)
    return [Block(np.ascontiguousarray(exact, np.float32))]


def _scaled_first(blocks: list[Block]) -> list[Block]:
    """The same blocks, if one with a scale comes first: its sums are multiplied before others."""
    if any(block.scale is not None for block in blocks[1:]):
        return [Block(np.concatenate([block.floats() for block in blocks]))]
    return blocks


def _kept(draft: Draft, name: str, axis: int) -> list[Block]:
    """The blocks that a constant is made of, the outputs along `axis`; none if it is not known."""
    node = draft.facts.makers.get(name)
    if node is None or draft.constant(name) is None:
        return _plain(draft, name)
    source = draft.constant(node.input[0])
    if node.op_type == "Cast" and source is not None and source.dtype in (np.int8, np.float16):
        return [Block(source)]
    if node.op_type == "DequantizeLinear" and source is not None and source.dtype == np.int8:
        return _dequantized(draft, node, source, axis)
    if node.op_type == "Mul":
        return _scaled(draft, node, axis)
    if node.op_type == "Concat" and axis == 1 and attributes(node)["axis"] in (0, -2):
        parts = [_kept(draft, part, axis) or _plain(draft, part) for part in node.input]
        return [block for part in parts for block in part]
    return _plain(draft, name)


def _plain(draft: Draft, name: str) -> list[Block]:
    values = draft.constant(name)
    return [] if values is None else [Block(values.astype(np.float32))]


def _dequantized(draft: Draft, node: NodeProto, steps: np.ndarray, axis: int) -> list[Block]:
    scale = draft.constant(node.input[1])
    zero = draft.constant(node.input[2]) if len(node.input) > 2 else None  # noqa: PLR2004
    along = attributes(node).get("axis", 1) % steps.ndim
    if scale is None or (zero is not None and zero.any()) or (scale.size > 1 and along != axis):
        return []
    return [Block(steps, scale.astype(np.float32).reshape(-1))]


def _scaled(draft: Draft, node: NodeProto, axis: int) -> list[Block]:
    for inner, factor in (node.input, reversed(node.input)):
        blocks, by = _kept(draft, inner, axis), draft.constant(factor)
        if len(blocks) != 1 or by is None or blocks[0].steps.dtype != np.int8:
            continue
        if by.size not in (1, blocks[0].steps.shape[axis]):
            continue
        old = blocks[0].scale
        scale = by.astype(np.float32).reshape(-1)
        return [replace(blocks[0], scale=scale if old is None else old * scale)]
    return []
