"""Smaller forms of any dense or convolutional graph; the traps are not among them."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, numpy_helper

from fleetloop_hub.packaging.files import files
from fleetloop_hub.packaging.quantizing import DYNAMIC, HALVES, STATIC, WEIGHTS, quantized_variants
from support.convolutions import LEARNED, Rows, convolutions, digits
from support.fitted_models import example


def answers(data: bytes, rows: Rows) -> Rows:
    outputs: Rows = onnxruntime.InferenceSession(data).run(None, {"features": rows})[0]
    return outputs


def operators(data: bytes) -> set[str]:
    return {node.op_type for node in onnx.load_from_string(data).graph.node}


def network() -> tuple[bytes, Rows]:
    case = example("several", "mlp")
    return dict(files(case.fitted, case.head))["float32"], case.learned


@pytest.fixture(scope="module", name="small")
def small_forms() -> dict[str, bytes]:
    """Every form of the convolutions."""
    return dict(quantized_variants(convolutions(), digits()[0][:256]))


def test_convolutions_in_int8_answer_as_well_in_a_third_of_the_bytes(
    small: dict[str, bytes],
) -> None:
    images, digit = digits()
    fresh, truth = images[LEARNED:], digit[LEARNED:]
    right = (answers(convolutions(), fresh).argmax(axis=1) == truth).mean()
    assert right > 0.85
    assert next(iter(small)) == STATIC
    for recipe in (STATIC, WEIGHTS):
        assert len(small[recipe]) < 0.35 * len(convolutions())
        found = (answers(small[recipe], fresh).argmax(axis=1) == truth).mean()
        assert found > right - 0.01, recipe


def test_no_convolution_is_quantized_anew_for_each_answer(small: dict[str, bytes]) -> None:
    """Dynamic int8 convolutions have been measured to be three times slower."""
    assert "ConvInteger" not in operators(small[DYNAMIC])
    assert "MatMulInteger" in operators(small[DYNAMIC])


def test_no_product_of_int8_overflows_without_vnni(small: dict[str, bytes]) -> None:
    """Two products of 8 bits do not fit 16: weights have 7 bits where what flows has 8."""
    for recipe in (STATIC, DYNAMIC):
        kept = onnx.load_from_string(small[recipe]).graph.initializer
        weights = [numpy_helper.to_array(t) for t in kept if t.data_type == TensorProto.INT8]
        assert max(np.abs(w.astype(int)).max() for w in weights) == 64, recipe


def test_columns_side_by_side_are_never_given_one_scale() -> None:
    """Static int8 of a Concat of raw columns costs 17 points; only products are quantized."""
    data, rows = network()
    for recipe, made in quantized_variants(data, rows):
        if recipe != STATIC:
            continue
        model = onnx.load_from_string(made)
        quantized = {node.input[0] for node in model.graph.node if node.op_type == "QuantizeLinear"}
        producers = {name: node.op_type for node in model.graph.node for name in node.output}
        assert quantized
        assert {producers.get(name, "input") for name in quantized} <= {
            "Mul",
            "Relu",
            "Gemm",
            "MatMul",
            "Where",
            "Add",
        }


def test_every_form_of_a_network_stays_near() -> None:
    data, rows = network()
    exact = answers(data, rows)
    made = dict(quantized_variants(data, rows))
    assert {WEIGHTS, HALVES} <= set(made)
    for recipe, small in made.items():
        assert np.abs(answers(small, rows) - exact).mean() < 0.02, recipe
        assert len(small) < len(data)


def test_a_graph_of_nothing_but_ml_operators_has_no_smaller_form() -> None:
    """ONNX Runtime's quantizer raises on it."""
    case = example("regression", "random-forest")
    [data] = [d for recipe, d in files(case.fitted, case.head) if recipe == "trees, float32"]
    only = onnx.load_from_string(data)
    del only.opset_import[:]
    only.opset_import.append(onnx.helper.make_opsetid("ai.onnx.ml", 5))
    kept = [node for node in only.graph.node if node.domain]
    del only.graph.node[:]
    only.graph.node.extend(kept)
    assert list(quantized_variants(only.SerializeToString(), case.learned)) == []
