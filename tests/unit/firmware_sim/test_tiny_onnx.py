"""The small models are real: the true runtime loads them and they answer as said."""

import math

import numpy as np
import onnx
import onnxruntime
import pytest

from fleetloop_firmware_sim.scenarios import tiny_onnx


def answer(model: bytes, rows: list[list[float]]) -> list[float]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model, options)
    (out,) = session.run(None, {tiny_onnx.INPUT: np.array(rows, dtype=np.float32)})
    return [float(row[1]) for row in out]


@pytest.mark.parametrize(
    "model",
    [tiny_onnx.logistic([1.0, -2.0], 0.5), tiny_onnx.brittle([1.0, -2.0], 0.5, 9)],
    ids=["logistic", "brittle"],
)
def test_it_is_valid_onnx_that_computes_what_it_should(model: bytes) -> None:
    onnx.checker.check_model(onnx.load_from_string(model), full_check=True)
    (score,) = answer(model, [[3.0, 1.0]])
    assert score == pytest.approx(1 / (1 + math.exp(-1.5)), abs=1e-6)


@pytest.mark.parametrize(
    ("model", "rows", "outputs"),
    [
        (
            tiny_onnx.classes([[1.0, 0.0, -1.0], [0.0, 2.0, 0.0]], [0.0, 0.5, 0.0]),
            [[1.0, math.nan], [0.0, 1.0]],
            [[0.5741, 0.3482, 0.0777], [0.0705, 0.8590, 0.0705]],
        ),
        (tiny_onnx.values([2.0, -1.0], 10.0), [[3.0, 4.0], [math.nan, 1.0]], [[12.0], [9.0]]),
    ],
    ids=["classes", "values"],
)
def test_several_classes_and_values_take_what_is_missing_as_zero(
    model: bytes, rows: list[list[float]], outputs: list[list[float]]
) -> None:
    onnx.checker.check_model(onnx.load_from_string(model), full_check=True)
    session = onnxruntime.InferenceSession(model)
    (out,) = session.run(None, {tiny_onnx.INPUT: np.array(rows, dtype=np.float32)})
    np.testing.assert_allclose(out, outputs, atol=1e-4)


def test_a_brittle_model_fails_on_rows_of_a_larger_world() -> None:
    with pytest.raises(Exception, match="out of data bounds"):
        answer(tiny_onnx.brittle([1.0, -2.0], 0.5, 9), [[10.0, 1.0]])


def test_constants_longer_than_127_bytes_keep_their_length() -> None:
    (score,) = answer(tiny_onnx.logistic([0.0] * 300, 0.0), [[1.0] * 300])
    assert score == pytest.approx(0.5)
