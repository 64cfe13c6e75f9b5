"""Finds in a foreign graph the input that takes rows, the output that answers, and its classes."""

import math
from dataclasses import dataclass

from onnx import ModelProto, NodeProto, TensorProto, TypeProto, ValueInfoProto

from fleetloop_hub.errors import ModelFileError
from fleetloop_hub.packaging.foreign_reading import domain_of
from fleetloop_hub.spec.scalars import Task

NUMBERS: dict[int, str] = {
    TensorProto.FLOAT: "float32",
    TensorProto.DOUBLE: "float64",
    TensorProto.FLOAT16: "float16",
    TensorProto.INT64: "int64",
    TensorProto.INT32: "int32",
}
_WHOLE = frozenset({TensorProto.INT64, TensorProto.INT32})
_ROWS_AND_COLUMNS = 2
_LABELS = ("classlabels_int64s", "classlabels_ints", "classlabels_strings")


@dataclass(frozen=True)
class Ask:
    """What is looked for in a graph.

    Attributes:
        features: How many values a row has.
        task: What the model does.
        input: The input's name, if a person has said it.
        output: The output's name, if a person has said it.
    """

    features: int
    task: Task
    input: str | None = None
    output: str | None = None


@dataclass(frozen=True)
class Form:
    """How a foreign graph is asked and answers.

    Attributes:
        input: The input's name.
        kind: Its element type, ONNX's code.
        shape: What a row becomes before it: (features,), or (1, 8, 8) for an image.
        batch: How many rows it is made for; None if for any number.
        output: The name of the tensor that answers, in front of a ZipMap if there is one.
        unzipped: Whether there is one.
        table: Whether it is known to be float32 of shape (rows, columns).
        labels: The classes it names, in the order of its columns; empty if it names none.
    """

    input: str
    kind: int
    shape: tuple[int, ...]
    batch: int | None
    output: str
    unzipped: bool
    table: bool
    labels: tuple[int | str, ...]

    @property
    def whole(self) -> bool:
        """Whether it takes whole numbers, so that nothing can be missing."""
        return self.kind in _WHOLE


def find_form(model: ModelProto, ask: Ask) -> Form:
    """How the graph takes rows of `ask.features` values, and where it answers.

    Raises:
        ModelFileError: It has no such input or output, or several.
    """
    given = _input(model, ask)
    kind, shape, batch = _taken(given, ask.features)
    shown = _output(model, ask)
    output, labels = _unzipped(model, shown)
    return Form(
        input=given.name,
        kind=kind,
        shape=shape,
        batch=batch,
        output=output,
        unzipped=output != shown,
        table=_is_table(model, shown),
        labels=labels or _classifier(model),
    )


def _input(model: ModelProto, ask: Ask) -> ValueInfoProto:
    kept = {tensor.name for tensor in model.graph.initializer}
    needed: list[ValueInfoProto] = [v for v in model.graph.input if v.name not in kept]
    names = ", ".join(value.name for value in needed) or "none"
    if ask.input is not None and ask.input not in {value.name for value in needed}:
        raise ModelFileError(f"the model has no input {ask.input!r}; it needs: {names}")
    if len(needed) != 1:
        raise ModelFileError(
            f"the model needs {len(needed)} inputs ({names}), and a device gives it one, a row of "
            f"{ask.features} numbers: export it with one input of shape (rows, {ask.features})"
        )
    return needed[0]


def _taken(value: ValueInfoProto, features: int) -> tuple[int, tuple[int, ...], int | None]:
    """The input's type, what a row becomes, and for how many rows it is made."""
    wanted = f"export it with one input of shape (rows, {features}), float32"
    tensor = value.type.tensor_type
    if not value.type.HasField("tensor_type") or tensor.elem_type not in NUMBERS:
        raise ModelFileError(f"the input {value.name} does not take numbers: {wanted}")
    sizes = [d.dim_value if d.HasField("dim_value") else None for d in tensor.shape.dim]
    shown = f"({', '.join('?' if size is None else str(size) for size in sizes)})"
    rows, *rest = sizes or [None]
    fixed = [size for size in rest if size is not None]
    if not rest or len(fixed) != len(rest):
        raise ModelFileError(
            f"the input {value.name} has the shape {shown}, which leaves open how many values a "
            f"row has: {wanted}"
        )
    if math.prod(fixed) != features:
        raise ModelFileError(
            f"the input {value.name} has the shape {shown}: a row of {math.prod(fixed)} values, "
            f"but the spec names {features} features; name the columns that the model was trained "
            f"on, in that order, or {wanted}"
        )
    return tensor.elem_type, tuple(fixed), rows


def _output(model: ModelProto, ask: Ask) -> str:
    """The name of the output that answers with numbers."""
    outputs: dict[str, TypeProto] = {value.name: value.type for value in model.graph.output}
    names = ", ".join(outputs) or "none"
    if ask.output is not None:
        if ask.output not in outputs:
            raise ModelFileError(f"the model has no output {ask.output!r}; it has: {names}")
        return ask.output
    found = [name for name, kind in outputs.items() if _answers(kind, ask.task)]
    if len(found) > 1:
        found = [name for name in found if "prob" in name.lower()] or found
    if len(found) != 1:
        raise ModelFileError(
            f"{len(found)} of the model's outputs ({names}) could be its answer: name one with "
            "--output NAME"
        )
    return found[0]


def _answers(kind: TypeProto, task: Task) -> bool:
    """Whether an output of this type can be the answer: a class's number alone says too little."""
    if kind.HasField("tensor_type"):
        return kind.tensor_type.elem_type in NUMBERS.keys() - _WHOLE
    return kind.HasField("sequence_type") and task == "classification"


def _unzipped(model: ModelProto, shown: str) -> tuple[str, tuple[int | str, ...]]:
    """What a ZipMap makes maps of, and the classes it names; any other output as it is."""
    name, made_by = shown, {out: node for node in model.graph.node for out in node.output}
    while name in made_by and made_by[name].op_type == "Identity":
        name = made_by[name].input[0]
    node = made_by.get(name)
    if node is not None and node.op_type == "ZipMap" and domain_of(node) == "ai.onnx.ml":
        return node.input[0], _labels(node)
    outputs = {value.name: value.type for value in model.graph.output}
    if not outputs[shown].HasField("tensor_type"):
        raise ModelFileError(
            f"the output {shown} is no table of numbers: name another with --output NAME"
        )
    return shown, ()


def _is_table(model: ModelProto, shown: str) -> bool:
    kind = next(value.type for value in model.graph.output if value.name == shown)
    if kind.HasField("sequence_type"):
        values = kind.sequence_type.elem_type.map_type.value_type.tensor_type
        return bool(values.elem_type == TensorProto.FLOAT)
    tensor = kind.tensor_type
    return tensor.elem_type == TensorProto.FLOAT and len(tensor.shape.dim) == _ROWS_AND_COLUMNS


def _classifier(model: ModelProto) -> tuple[int | str, ...]:
    """The classes that the graph's one classifier names."""
    found = [labels for node in model.graph.node if (labels := _labels(node))]
    return found[0] if len(found) == 1 else ()


def _labels(node: NodeProto) -> tuple[int | str, ...]:
    for attribute in node.attribute:
        if attribute.name in _LABELS:
            texts = [text.decode("utf-8", "replace") for text in attribute.strings]
            return tuple(texts or list(attribute.ints))
    return ()
