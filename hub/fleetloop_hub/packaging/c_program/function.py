"""Writes an artifact's graph as one C function, or says which of its operators do not fit."""

from dataclasses import dataclass

import numpy as np

from fleetloop_hub.errors import UnsupportedModelError
from fleetloop_hub.packaging.c_program import across, elementwise, ensembles, products
from fleetloop_hub.packaging.c_program.drafting import INPUT, OUTPUT, Draft, stored
from fleetloop_hub.packaging.c_program.graph_facts import Facts, read
from fleetloop_hub.packaging.c_program.routines import routines
from fleetloop_hub.packaging.c_program.statements import ARENAS, SIZES

_WRITERS = (elementwise, products, ensembles, across)

_FITS = (
    "what fits: linear, mlp, random-forest, extra-trees, gradient-boosting, isolation-forest, svm "
    "and one-class-svm, with int8, float16 or float32 weights; name one of these families as a "
    "candidate in the spec and train again"
)


@dataclass(frozen=True)
class Function:
    """A graph as C.

    Attributes:
        text: Tables, routines and `model_outputs`.
        work: How many of each C type the work memory holds.
        flash_bytes: Of the tables.
        outputs: How many numbers it puts out.
    """

    text: str
    work: dict[str, int]
    flash_bytes: int
    outputs: int

    @property
    def work_bytes(self) -> int:
        """Of the work memory."""
        return sum(SIZES[kind] * count for kind, count in self.work.items())


def write(data: bytes, width: int) -> Function:
    """An artifact as a C function.

    Args:
        data: The ONNX file.
        width: Features of a row.

    Raises:
        UnsupportedModelError: It does not fit; the text names the operators, and what would fit.
    """
    try:
        facts = read(data, width)
        _check(facts)
        return _write(facts)
    except UnsupportedModelError as error:
        raise UnsupportedModelError(f"{error}; {_FITS}") from error


def _check(facts: Facts) -> None:
    known = frozenset().union(*(writer.OPERATORS for writer in _WRITERS))
    unknown = sorted({node.op_type for node in facts.nodes} - known)
    if unknown:
        raise UnsupportedModelError(f"the graph has {', '.join(unknown)}, which have no C here")


def _write(facts: Facts) -> Function:
    draft = Draft(facts)
    draft.values[facts.given] = stored(INPUT, "float", facts.count(facts.given))
    for node in facts.nodes:
        [writer] = [w for w in _WRITERS if node.op_type in w.OPERATORS]
        writer.write(draft, node)
    if facts.wanted in facts.constants:
        kept = np.asarray(facts.constants[facts.wanted], np.float32).reshape(-1)
        raise UnsupportedModelError(f"every row gets the same answer, {kept.tolist()}")
    parts = [draft.flash.text(), routines(draft.routines), *draft.functions, _body(draft)]
    return Function(
        text="\n".join(part for part in parts if part),
        work=draft.statements.sizes(),
        flash_bytes=draft.flash.bytes,
        outputs=facts.count(facts.wanted),
    )


def _body(draft: Draft) -> str:
    places, lines = draft.statements.places(), []
    for buffer in draft.statements.buffers.values():
        if buffer.name in places:
            place = places[buffer.name]
            where = f"work->{ARENAS[buffer.kind]}" + (f" + {place}" if place else "")
            lines.append(f"{buffer.kind} *const {buffer.name} = {where};")
    if not lines:
        lines.append("(void)work;")
    lines += [""] + [line for s in draft.statements.lines for line in s.text.split("\n")]
    body = "\n".join(f"    {line}" if line else "" for line in lines)
    head = f"void model_outputs(const float *{INPUT}, float *{OUTPUT}, model_work *work)"
    return f"{head}\n{{\n{body}\n}}\n"
