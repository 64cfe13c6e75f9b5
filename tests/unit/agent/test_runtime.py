"""ONNX Runtime behind its port: the signature is enforced, and every failure is a ModelError."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from fleetloop_agent import runtime
from fleetloop_agent.errors import DeadlineError, ModelError
from fleetloop_agent.runtime import OrtRuntime
from fleetloop_agent.turn import Turn
from fleetloop_firmware_sim.scenarios import tiny_onnx
from fleetloop_shared.manifest import Feature, Signature
from support.greedy_model import HUNGRY, SLOW, greedy_model

SIGNATURE = Signature(
    input_name=tiny_onnx.INPUT,
    score_name=tiny_onnx.OUTPUT,
    features=[Feature(name="a"), Feature(name="b")],
    classes=[0, 1],
    positive=1,
    decision_threshold=0.5,
)
ARTIFACT = tiny_onnx.logistic([1.0, -1.0], 0.0)


def test_a_model_answers_one_probability_a_class() -> None:
    model = OrtRuntime().load(ARTIFACT, SIGNATURE)
    answers = model.outputs(np.array([[0, 0], [5, 1]], np.float32))
    assert answers.shape == (2, 2)
    assert answers.dtype == np.float32
    assert answers[:, 1].tolist() == pytest.approx([0.5, 1 / (1 + np.exp(-4))], abs=1e-6)


@pytest.mark.parametrize("artifact", [b"", b"no model", ARTIFACT[:60], ARTIFACT[:-1]])
def test_bytes_that_are_no_model_do_not_load(artifact: bytes) -> None:
    with pytest.raises(ModelError, match="does not load"):
        OrtRuntime().load(artifact, SIGNATURE)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"input_name": "x"}, r"inputs \['rows'\], its manifest names 'x'"),
        ({"score_name": "y"}, r"outputs \['probabilities'\], its manifest names 'y'"),
        ({"features": [Feature(name="a")]}, "input is .* 1 columns"),
        ({"classes": [0, 1, 2]}, "output is .* 3 columns"),
    ],
)
def test_a_model_of_another_signature_is_refused(change: dict[str, object], text: str) -> None:
    signature = msgspec.structs.replace(SIGNATURE, **change)
    with pytest.raises(ModelError, match=text):
        OrtRuntime().load(ARTIFACT, signature)


def graph(kind: int, shape: list[int | str]) -> bytes:
    """A model that gives back its input."""
    made = helper.make_graph(
        [helper.make_node("Identity", ["rows"], ["probabilities"])],
        "g",
        [helper.make_tensor_value_info("rows", kind, shape)],
        [helper.make_tensor_value_info("probabilities", kind, shape)],
    )
    opset = helper.make_opsetid("", 17)
    return bytes(helper.make_model(made, opset_imports=[opset], ir_version=8).SerializeToString())


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        (TensorProto.DOUBLE, ["n", 2]),
        (TensorProto.INT64, ["n", 2]),
        (TensorProto.FLOAT, [1, 2]),
        (TensorProto.FLOAT, ["n"]),
        (TensorProto.FLOAT, ["n", 2, 1]),
        (TensorProto.FLOAT, ["n", 3]),
    ],
)
def test_inputs_of_another_type_or_shape_are_refused(kind: int, shape: list[int | str]) -> None:
    with pytest.raises(ModelError, match="its manifest needs float32"):
        OrtRuntime().load(graph(kind, shape), SIGNATURE)


def test_a_width_that_the_graph_leaves_open_is_checked_when_it_answers() -> None:
    model = OrtRuntime().load(graph(TensorProto.FLOAT, ["n", "m"]), SIGNATURE)
    assert model.outputs(np.zeros((3, 2), np.float32)).shape == (3, 2)
    with pytest.raises(ModelError, match=r"shape \(3, 1\) instead of its manifest's"):
        model.outputs(np.zeros((3, 1), np.float32))


def test_a_model_that_fails_on_rows_is_a_model_error() -> None:
    model = OrtRuntime().load(tiny_onnx.brittle([1.0, 1.0], 0.0, 9), SIGNATURE)
    assert len(model.outputs(np.zeros((1, 2), np.float32))) == 1
    with pytest.raises(ModelError, match=r"the model failed: .*out of data bounds"):
        model.outputs(np.full((1, 2), 10, np.float32))


@pytest.mark.parametrize("looked_at", [True, False], ids=["by the file", "by the runtime alone"])
@pytest.mark.parametrize("location", ["weights.bin", "{folder}/weights.bin", "../x/weights.bin"])
def test_a_model_never_reads_its_weights_from_the_disk(
    location: str,
    looked_at: bool,  # noqa: FBT001  # a case
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not looked_at:  # the second line must hold without the first
        monkeypatch.setattr(runtime, "check_model_file", lambda _: None)
    folder = tmp_path / "x"
    folder.mkdir()
    monkeypatch.chdir(folder)
    weights = np.eye(2, dtype=np.float32)
    (folder / "weights.bin").write_bytes(weights.tobytes())
    tensor = numpy_helper.from_array(weights, "weights")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location.format(folder=folder))
    made = helper.make_graph(
        [helper.make_node("MatMul", ["rows", "weights"], ["probabilities"])],
        "g",
        [helper.make_tensor_value_info("rows", TensorProto.FLOAT, ["n", 2])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 2])],
        [tensor],
    )
    model = onnx.helper.make_model(
        made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    ).SerializeToString()
    with pytest.raises(
        ModelError, match="external data" if looked_at else r"does not load: .*[Ee]xternal"
    ):
        OrtRuntime().load(model, SIGNATURE)


def test_a_row_alone_is_answered_as_among_others() -> None:
    model = OrtRuntime().load(ARTIFACT, SIGNATURE)
    rows = np.random.default_rng(0).normal(0, 3, (50, 2)).astype(np.float32)
    rows[7, 1] = np.nan
    alone = np.array([model.one(row.tobytes()) for row in rows], np.float32)
    assert np.array_equal(alone, model.outputs(rows), equal_nan=True)


def test_more_rows_than_fit_in_a_run_are_answered_in_their_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = OrtRuntime().load(ARTIFACT, SIGNATURE)
    rows = np.random.default_rng(0).normal(0, 3, (50, 2)).astype(np.float32)
    whole = model.outputs(rows)
    monkeypatch.setattr(runtime, "RUN_ROWS", 8)
    assert np.array_equal(model.outputs(rows), whole)


@pytest.mark.parametrize("most", [0, 10**9])
def test_one_session_or_two_answer_alike(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.random.default_rng(0).normal(0, 3, (9, 2)).astype(np.float32)
    expected = OrtRuntime().load(ARTIFACT, SIGNATURE).outputs(rows).tolist()
    monkeypatch.setattr(runtime, "TWICE_BYTES", most)
    model = OrtRuntime().load(ARTIFACT, SIGNATURE)
    assert [model.one(row.tobytes()) for row in rows] == expected
    assert model.outputs(rows).tolist() == expected


def test_threads_have_each_their_own_memory() -> None:
    model = OrtRuntime().load(ARTIFACT, SIGNATURE)
    rows = np.random.default_rng(0).normal(0, 3, (300, 2)).astype(np.float32)
    whole = model.outputs(rows).tolist()
    with ThreadPoolExecutor(4) as pool:
        for _ in range(4):
            assert list(pool.map(model.one, [row.tobytes() for row in rows])) == whole


def greedy(value: float) -> bytes:
    return np.array([value, 0], np.float32).tobytes()


GREEDY = msgspec.structs.replace(SIGNATURE, input_name="input")


@pytest.mark.parametrize("many", [False, True])
def test_a_run_that_takes_too_long_is_told_to_end_and_others_are_answered(*, many: bool) -> None:
    loaded = OrtRuntime(deadline_s=1.0)
    model = loaded.load(greedy_model(), GREEDY)

    def slow() -> object:
        if many:
            return model.outputs(np.array([[SLOW, 0]], np.float32))
        return model.one(greedy(SLOW))

    with ThreadPoolExecutor(1) as pool:
        run, now = pool.submit(slow), 0.0
        while not run.done():
            assert len(model.one(greedy(1.0))) == 2
            now += 0.4  # the time of the test, not of the clock
            loaded.end_overdue(now)
        with pytest.raises(DeadlineError, match="longer than 1 s and was told to end"):
            run.result()
    assert loaded.end_overdue(now + 9) == 0
    assert len(model.one(greedy(1.0))) == 2


def test_a_run_that_wants_more_memory_than_there_is_has_failed() -> None:
    model = OrtRuntime().load(greedy_model(), GREEDY)
    with pytest.raises(ModelError, match="the model failed"):
        model.one(greedy(HUNGRY))
    assert len(model.one(greedy(1.0))) == 2


def test_a_word_that_comes_too_late_ends_no_other_run(monkeypatch: pytest.MonkeyPatch) -> None:
    places: list[Turn] = []
    begin = Turn.__init__

    def watched(turn: Turn, end: Callable[[], None]) -> None:
        begin(turn, end)
        places.append(turn)

    monkeypatch.setattr(Turn, "__init__", watched)
    model = OrtRuntime().load(ARTIFACT, SIGNATURE)
    told = model.one(np.zeros(2, np.float32).tobytes())
    (place,) = places
    place.number -= 1  # as if it still went on
    place.look(0.0, 1.0)
    assert place.look(1.0, 1.0)
    place.number += 1
    assert model.one(np.zeros(2, np.float32).tobytes()) == told
    assert len(places) == 2
