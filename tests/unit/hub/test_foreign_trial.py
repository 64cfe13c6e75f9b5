"""Foreign files are run in a child process first, whatever they do there."""

import sys

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper

from fleetloop_hub.errors import ModelFileError
from fleetloop_hub.packaging import foreign_trial
from fleetloop_hub.packaging.foreign_form import Ask
from fleetloop_hub.packaging.foreign_trial import Limits, try_out
from support.onnx_files import linear, model, node, value

ASK = Ask(3, "classification")


def refused(made: ModelProto | bytes, **limits: float) -> str:
    data = made if isinstance(made, bytes) else made.SerializeToString()
    with pytest.raises(ModelFileError) as caught:
        try_out(data, ASK, limits=Limits(**limits))  # type: ignore[arg-type]  # numbers by name
    return str(caught.value)


def test_good_file_tells_who_wrote_it_and_how_it_answers() -> None:
    made = linear()
    made.producer_name, made.producer_version = "pencil", "2"
    found = try_out(made.SerializeToString(), ASK)
    assert (found.producer, found.opset, found.columns) == ("pencil 2", "ai.onnx 17", 2)


def test_file_that_cannot_be_read_is_refused_by_the_child_too() -> None:
    assert "cannot be read as ONNX" in refused(b"\xff" * 100)


def slow(times: int) -> ModelProto:
    """Multiplies matrices of 3,000 rows and columns so many times."""
    made = [node("MatMul", f"m{n}", f"m{n}", output=f"m{n + 1}") for n in range(times)]
    return model(
        [
            node("ReduceSum", "x", output="total", keepdims=0),
            node("Expand", "total", "size", output="m0"),
            *made,
            node("ReduceSum", f"m{times}", output="sum", keepdims=0),
            node("Mul", "zero", "sum", output="nothing"),
            node("Add", "x", "nothing"),
        ],
        outputs=[value("y")],
        weights={"size": np.array([3_000, 3_000], np.int64), "zero": np.zeros(1, np.float32)},
    )


def test_graph_that_takes_for_ever_is_ended() -> None:
    assert "not read and run within 1 s of processor time" in refused(slow(1_000), cpu_s=1)
    assert "not read and run within 0.3 s" in refused(slow(1_000), wall_s=0.3)


def test_graph_that_wants_gigabytes_is_refused_and_nothing_else_suffers() -> None:
    made = model(
        [
            node("Expand", "one", "size", output="huge"),
            node("ReduceSum", "huge", output="sum", keepdims=0),
            node("Mul", "x", "sum"),
        ],
        outputs=[value("y")],
        weights={"one": np.ones(1, np.float32), "size": np.array([3 * 10**9], np.int64)},
    )
    text = refused(made, memory_bytes=500_000_000)
    assert "needs more than 476 MiB" in text
    assert "export a smaller model" in text


def test_child_that_dies_is_told_with_its_last_words(monkeypatch: pytest.MonkeyPatch) -> None:
    script = "import os, sys; print('out of luck', file=sys.stderr, flush=True); os.abort()"
    command = [sys.executable, "-c", script]
    monkeypatch.setattr(foreign_trial, "_COMMAND", command)
    text = refused(linear())
    assert "ended with signal 6 (out of luck)" in text


def test_answers_that_are_never_the_same_are_refused() -> None:
    made = model(
        [
            node("RandomNormalLike", "x", output="noise"),
            node("Add", "x", "noise"),
        ],
        outputs=[value("y")],
    )
    assert "answers the same rows differently each time" in refused(made)


def test_answer_that_depends_on_the_rows_beside_it_is_refused() -> None:
    made = model(
        [
            node("ReduceMean", "x", output="mean", axes=[0], keepdims=1),
            node("Sub", "x", "mean"),
        ],
        outputs=[value("y")],
    )
    assert "depends on the rows beside it" in refused(made)


def test_graph_for_one_row_that_cannot_be_freed_is_refused_with_what_to_do() -> None:
    made = model(
        [
            node("Expand", "x", "shape", output="wide"),
            node("Reshape", "wide", "flat", output="line"),
            node("Slice", "line", "zero", "three", output="row"),
            node("Unsqueeze", "row", "zero"),
        ],
        inputs=[value("x", (1, 3))],
        outputs=[value("y", (1, 3))],
        weights={
            "shape": np.array([1, 3], np.int64),
            "flat": np.array([-1], np.int64),
            "zero": np.array([0], np.int64),
            "three": np.array([3], np.int64),
        },
    )
    assert "the number of rows left open" in refused(made)


def test_runtime_that_does_not_know_an_operator_is_quoted() -> None:
    made = model([node("Wobble", "x")])
    text = refused(made)
    assert "ONNX Runtime does not load the model" in text
    assert "Wobble" in text


@pytest.mark.parametrize(
    ("kind", "dtype"), [(TensorProto.DOUBLE, np.float64), (TensorProto.INT64, np.int64)]
)
def test_other_numbers_are_given_what_they_take(kind: int, dtype: type) -> None:
    made = model(
        [node("MatMul", "x", "w")],
        inputs=[value("x", kind=kind)],
        outputs=[value("y", ("rows", 2), kind)],
        weights={"w": np.array([[1, -1], [2, 0], [0, 3]], dtype)},
    )
    ask = Ask(3, "classification")
    if kind == TensorProto.INT64:
        made.graph.node.append(helper.make_node("Cast", ["y"], ["z"], to=TensorProto.FLOAT))
        made.graph.output[0].CopyFrom(value("z", ("rows", 2)))
    rows = np.arange(12, dtype=np.float32).reshape(4, 3)
    assert try_out(made.SerializeToString(), ask, rows).columns == 2
