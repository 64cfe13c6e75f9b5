"""ONNX files of strangers: what is refused, before anything of them runs."""

import pickle
from collections.abc import Callable

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from fleetloop_hub.errors import ModelFileError
from fleetloop_hub.packaging import foreign_reading
from fleetloop_hub.packaging.foreign_form import Ask, find_form
from fleetloop_hub.packaging.foreign_reading import NEWEST_IR, OPSETS, read
from support.onnx_files import branch, linear, model, node, value

ASK = Ask(3, "classification")


def refused(made: ModelProto | bytes, ask: Ask = ASK) -> str:
    data = made if isinstance(made, bytes) else made.SerializeToString()
    with pytest.raises(ModelFileError) as caught:
        find_form(read(data), ask)
    return str(caught.value)


def changed(change: Callable[[ModelProto], object]) -> ModelProto:
    made = linear()
    change(made)
    return made


def test_plain_model_is_read_and_its_form_found() -> None:
    form = find_form(read(linear().SerializeToString()), ASK)
    assert (form.input, form.output, form.shape, form.batch) == ("x", "y", (3,), None)
    assert form.table


def test_file_that_is_cut_anywhere_is_refused() -> None:
    whole = linear().SerializeToString()
    for end in range(len(whole)):
        try:
            read(whole[:end])
        except ModelFileError as error:
            assert "export" in str(error) or "damaged" in str(error)  # noqa: PT017  # most ends refuse


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "holds no ONNX model"),
        (b"\xff" * 100, "cannot be read as ONNX"),
        (b"hello, world", "cannot be read as ONNX"),
        (b"PK\x03\x04" + b"\0" * 40, "not ONNX but a zip archive, as PyTorch and Keras write"),
        (pickle.dumps({"a": 1}), "not ONNX but a pickle"),
        (b'{"learner": {}}', "JSON, as XGBoost writes"),
        (b"tree\nversion=v4\n", "LightGBM's own text"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
    ],
)
def test_what_is_not_onnx_is_named(data: bytes, words: str) -> None:
    assert words in refused(data)


def test_file_larger_than_the_limit_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign_reading, "LARGEST_BYTES", 50)
    assert "more than the 50 that are looked at" in refused(linear())


def _elsewhere(tensor: TensorProto, location: str) -> None:
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", location


@pytest.mark.parametrize("path", ["/etc/passwd", "../../weights.bin", "weights.bin", ""])
def test_weights_in_another_file_are_refused_whatever_the_path(path: str) -> None:
    text = refused(changed(lambda m: _elsewhere(m.graph.initializer[0], path)))
    assert "lie in another file" in text
    assert "external_data=False" in text
    assert repr(path) in text


def test_weights_in_another_file_are_found_in_every_corner() -> None:
    hidden = numpy_helper.from_array(np.ones((3, 2), np.float32), "hidden")
    _elsewhere(hidden, "/etc/passwd")
    inner = helper.make_graph([node("Identity", "hidden", output="z")], "inner", [], [value("z")])
    inner.initializer.append(hidden)
    held = helper.make_graph(
        [helper.make_node("Constant", [], ["z"], value=hidden)], "held", [], [value("z")]
    )
    deep = helper.make_graph([branch(inner, inner, "z")], "deep", [], [value("z")])
    for graph in (inner, held, deep):
        assert "lie in another file" in refused(model([branch(graph, graph)]))
    function = helper.make_function(
        "own", "F", ["x"], ["y"],
        [helper.make_node("Constant", [], ["w"], value=hidden), node("MatMul", "x", "w")],
        [helper.make_opsetid("", 17)],
    )  # fmt: skip
    made = model([node("F", "x", domain="own")], opsets={"": 17, "own": 1})
    made.functions.append(function)
    assert "lie in another file" in refused(made)


def test_operators_that_devices_do_not_know_are_named() -> None:
    own = model([node("Secret", "x", domain="acme.ops")], opsets={"": 17, "acme.ops": 1})
    assert "the operator Secret of acme.ops is not known to devices" in refused(own)
    compiled = model(
        [node("EPContext", "x", domain="com.microsoft")], opsets={"": 17, "com.microsoft": 1}
    )
    assert "the operator EPContext" in refused(compiled)
    inner = helper.make_graph(
        [node("Secret", "x", output="z", domain="acme.ops")], "inner", [], [value("z")]
    )
    assert "the operator Secret" in refused(model([branch(inner, inner)]))
    assert "the file holds a loop" in refused(model([node("Loop", "turns", "go", "x", body=inner)]))


def test_local_functions_of_standard_operators_are_written_out() -> None:
    function = helper.make_function(
        "own", "Double", ["a"], ["b"], [node("Add", "a", "a", output="b")],
        [helper.make_opsetid("", 17)],
    )  # fmt: skip
    made = model([node("Double", "x", domain="own")], opsets={"": 17, "own": 1})
    made.functions.append(function)
    assert [n.op_type for n in read(made.SerializeToString()).graph.node] == ["Add"]
    function.node[0].domain = "elsewhere"
    made.functions[0].CopyFrom(function)
    assert "the operator Add of elsewhere" in refused(made)


@pytest.mark.parametrize("version", [1, 6, OPSETS[""][1] + 1, 1_000_000])
def test_opset_too_old_or_too_new_is_refused_with_one_that_works(version: int) -> None:
    text = refused(linear(opsets={"": version}))
    assert f"opset {version} of ai.onnx, and devices compute 7 to" in text
    assert "export it with another target opset, such as 17" in text


def test_stated_opsets_are_those_of_the_runtime() -> None:
    for version, works in ((OPSETS[""][1], True), (OPSETS[""][1] + 1, False)):
        data = linear(opsets={"": version}).SerializeToString()
        assert _loads(data) is works
    made = linear()
    for ir_version, works in ((NEWEST_IR, True), (NEWEST_IR + 1, False)):
        made.ir_version = ir_version
        assert _loads(made.SerializeToString()) is works


def _loads(data: bytes) -> bool:
    try:
        onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    except ort_errors.Fail:
        return False
    return True


def test_files_of_a_newer_form_or_without_opset_are_refused() -> None:
    assert "newer than the" in refused(changed(lambda m: setattr(m, "ir_version", NEWEST_IR + 1)))
    assert "names no opset of ai.onnx" in refused(changed(lambda m: m.ClearField("opset_import")))
    two = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx", 18)]
    assert "names two opsets" in refused(changed(lambda m: m.opset_import.extend(two)))
    assert "holds no graph" in refused(changed(lambda m: m.graph.ClearField("node")))
    assert "for training" in refused(changed(lambda m: m.training_info.add()))


def test_weights_that_are_not_as_many_as_their_shape_says_are_refused() -> None:
    def claim(dims: list[int]) -> ModelProto:
        return changed(lambda m: m.graph.initializer[0].dims.__setitem__(slice(None), dims))

    assert "w has the shape 3x3, 9 values, but the file holds 6" in refused(claim([3, 3]))
    assert "but the file holds 6" in refused(claim([2**40, 2**20]))
    assert "but the file holds 6" in refused(claim([-3, -2]))
    assert "of a type that devices do not compute" in refused(
        changed(lambda m: setattr(m.graph.initializer[0], "data_type", TensorProto.BFLOAT16))
    )


def test_sparse_weights_and_bodies_without_end_are_refused() -> None:
    def sparse(m: ModelProto) -> None:
        m.graph.sparse_initializer.add().dims.append(3)

    assert "make them dense" in refused(changed(sparse))
    graph = helper.make_graph([node("Identity", "x", output="z")], "g", [], [value("z")])
    for _ in range(10):
        graph = helper.make_graph([branch(graph, graph, "z")], "g", [], [value("z")])
    assert "lie in each other" in refused(model([branch(graph, graph)]))


def test_inputs_that_do_not_fit_are_told_with_what_would() -> None:
    two = model([node("Add", "x", "z")], inputs=[value("x"), value("z")])
    assert "the model needs 2 inputs (x, z)" in refused(two)
    assert "needs 0 inputs" in refused(
        model([node("Identity", "w")], inputs=[value("w")], weights={"w": np.ones(3, np.float32)})
    )
    wide = linear(inputs=[value("x", ("rows", 4))])
    assert "shape (?, 4): a row of 4 values, but the spec names 3 features" in refused(wide)
    assert "leaves open how many values" in refused(linear(inputs=[value("x", ("rows", "any"))]))
    assert "leaves open how many values" in refused(linear(inputs=[value("x", ("any",))]))
    text = linear(inputs=[value("x", kind=TensorProto.STRING)])
    assert "does not take numbers" in refused(text)
    assert "has no input 'q'; it needs: x" in refused(linear(), Ask(3, "classification", input="q"))


def test_output_that_answers_is_chosen_or_asked_for() -> None:
    outputs = [value("label", ("rows",), TensorProto.INT64), value("y", ("rows", 2))]
    both = linear(outputs=outputs)
    both.graph.node.append(helper.make_node("ArgMax", ["y"], ["label"], axis=1, keepdims=0))
    assert find_form(both, ASK).output == "y"
    twins = linear(outputs=[value("y", ("rows", 2)), value("z", ("rows", 2))])
    twins.graph.node.append(node("Identity", "y", output="z"))
    assert "2 of the model's outputs (y, z) could be its answer" in refused(twins)
    assert find_form(twins, Ask(3, "classification", output="z")).output == "z"
    assert "has no output 'q'" in refused(twins, Ask(3, "classification", output="q"))
    lone = linear(outputs=outputs[:1])
    assert "0 of the model's outputs" in refused(lone)


def test_nothing_of_a_refused_file_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("it was loaded")

    monkeypatch.setattr(onnxruntime, "InferenceSession", never)
    monkeypatch.setattr(onnx, "load_external_data_for_model", never)
    refused(changed(lambda m: _elsewhere(m.graph.initializer[0], "/etc/passwd")))
